// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit

/// `conntrack-mon watch` as a user runs it, with intervals short enough to wait for, JSON on standard output, and a
/// textfile and status.json in a folder of its own.
final class Watch {
    let process: RunningCommand
    let folder: TemporaryDirectory

    /// Starts it, in `namespace` if given. `words` and `arguments` come last, so they win over the ones given here. Returns
    /// when its first look at the table has been judged and written; with `listening` it hears events by then.
    /// `wrapper` is a program that ends by executing the arguments after its own.
    init(
        in namespace: TestNamespace? = nil, listening: Bool = true, wrapper: [String] = [], _ words: String...,
        arguments: [String] = []
    ) throws {
        folder = try TemporaryDirectory()
        let command = try wrapper + [Repository.builtBinary()] + Watch.arguments(folder) + words + arguments
        process = try Command(command[0], arguments: Array(command.dropFirst())).start(in: namespace)
        let sign = listening ? "events by " : "watches"
        try process.waitForLine(on: .stderr, containing: sign, within: .seconds(20))
        try waitForMetrics("a beginning") { $0.sum("conntrack_mon_up") == 1 }
    }

    /// What `init` passes before its own.
    static func arguments(_ folder: TemporaryDirectory) -> [String] {
        [
            "watch", "--format", "json", "--interval", "50ms", "--sample", "10ms", "--run-dir", folder.path,
            "--textfile", folder.path(of: "conntrack.prom"), "--textfile-interval", "50ms",
        ]
    }

    var textfile: String { folder.path(of: "conntrack.prom") }

    /// What the textfile says now.
    func metrics() throws -> Metrics {
        try Metrics(readFile(textfile))
    }

    /// Waits until the textfile says so.
    func waitForMetrics(_ what: String, where holds: (Metrics) throws -> Bool) throws {
        var last: Metrics?
        let found = try eventually(within: .seconds(20)) {
            guard access(textfile, F_OK) == 0 else { return false }
            let metrics = try metrics()
            last = metrics
            return try holds(metrics)
        }
        guard found else { throw TestKitError("no textfile with \(what)\n\(last?.text ?? "")\n\(process.transcript)") }
    }

    /// Waits for a status on standard output of which `holds` is true.
    @discardableResult
    func waitForStatus(
        _ what: String, within limit: Duration = .seconds(30), where holds: (Status) -> Bool
    ) throws -> Status {
        let line = try process.waitForLine(on: .stdout, "with \(what)", within: limit) { line in
            (try? Status(line)).map(holds) ?? false
        }
        return try Status(line)
    }

    /// Waits for a line on standard error such as "WARNING usage_high".
    @discardableResult
    func waitForLine(_ text: String) throws -> String {
        try process.waitForLine(on: .stderr, containing: text, within: .seconds(20))
    }

    /// Ends it and returns the textfile it leaves. Anything but exit code 0 is an error.
    @discardableResult
    func stop(by signal: Int32 = SIGTERM) throws -> Metrics {
        process.send(signal: signal)
        let status = try process.waitForExit(within: .seconds(20))
        guard status == .exited(0) else {
            throw TestKitError("watch: \(status.map { "\($0)" } ?? "does not end")\n\(process.transcript)")
        }
        return try metrics()
    }
}
