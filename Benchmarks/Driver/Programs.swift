// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit

/// The programs that are run.
enum Programs {
    /// The release build, or the one CONNTRACK_MON_BINARY names: to compare two versions.
    static let monitor =
        getenv("CONNTRACK_MON_BINARY").map { String(cString: $0) } ?? "\(Repository.root)/.build/release/conntrack-mon"
    static let floors = "\(Repository.root)/.build/release/BenchmarkFloors"
    static let engine = "\(Repository.root)/.build/release/EngineBenchmark"
    static let exporter = "prometheus-node-exporter"
}

/// NAME=VALUE words, as the floors print them.
struct Fields {
    private let values: [String: Double]

    init(_ line: String) {
        var values: [String: Double] = [:]
        for word in line.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
            let parts = word.split(separator: "=", maxSplits: 1)
            if parts.count == 2, let value = Double(parts[1]) { values[String(parts[0])] = value }
        }
        self.values = values
    }

    subscript(_ name: String) -> Double {
        get throws {
            guard let value = values[name] else { throw TestKitError("no \(name) in what BenchmarkFloors printed") }
            return value
        }
    }
}

/// Runs a floor to its end in `namespace`.
func floor(_ arguments: String..., in namespace: TestNamespace, within limit: Duration = .seconds(120)) throws -> Fields
{
    let outcome = try Command(Programs.floors, arguments: arguments).run(in: namespace, within: limit)
    guard outcome.status == .exited(0) else {
        throw TestKitError(outcome.standardError.split(separator: "\n").last.map(String.init) ?? "\(outcome.status)")
    }
    return Fields(outcome.standardOutput)
}

/// Runs a program to its end with its output thrown away. Throws its first words when it fails.
func runQuietly(
    _ program: String, _ arguments: String..., in namespace: TestNamespace, within limit: Duration = .seconds(120)
) throws {
    let words = ["-c", "exec \"$0\" \"$@\" >/dev/null", program] + arguments
    let outcome = try Command("sh", arguments: words).run(in: namespace, within: limit)
    guard outcome.status == .exited(0) else {
        let said = outcome.standardError.split(separator: "\n").first ?? ""
        throw TestKitError("\(([program] + arguments).joined(separator: " ")): \(outcome.status) \(said)")
    }
}

/// Whether the monitor has a command of this name.
func monitorHas(command: String) -> Bool {
    // `help NAME` of a command that is not there shows the general help.
    guard let outcome = try? Command(Programs.monitor, command, "--help").run() else { return false }
    return outcome.status == .exited(0) && outcome.standardOutput.contains("conntrack-mon \(command)")
}
