// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing

/// A `watch` that was killed or hangs, with an alert that fires: what `check` and `status` say then.
/// Processes, since it is a process that ends.
@Suite struct SilentWatchTests {
    private let host: FakeHost
    private let watch: RunningWatch
    private let path: String

    /// A watch that has said limit_dropped.
    init() throws {
        host = try FakeHost()
        path = host.runDirectory + "/status.json"
        watch = try host.watch("--run-dir", host.runDirectory)
        try watch.waitForLine(containing: "alerts=none")
        try host.overwrite(host.limitFile, with: "500")
        try watch.waitForLine(containing: "alerts=limit_dropped:critical")
        let path = path
        let isWritten = try eventually { try readFile(path).contains("\"name\":\"limit_dropped\"") }
        try #require(isWritten)
    }

    private func check(_ arguments: String...) throws -> Command.Outcome {
        try host.command("check", arguments: ["--run-dir", host.runDirectory] + arguments).run()
    }

    private func status() throws -> [Substring] {
        try host.run("status", "--run-dir", host.runDirectory).standardOutput.split(separator: "\n")
    }

    /// The file is older by so many seconds; nobody must write it meanwhile.
    private func age(by seconds: Double) throws {
        let text = try readFile(path)
        let match = try #require(text.firstMatch(of: /"uptime_seconds":([0-9.]+)/))
        let uptime = try #require(Double(match.output.1))
        try writeFile(text.replacing(match.output.0, with: "\"uptime_seconds\":\(uptime - seconds)"), to: path)
    }

    /// `name`: SIGKILL or SIGSTOP.
    private func silence(_ name: String) throws {
        if name == "SIGKILL" {
            watch.send(signal: SIGKILL)
            #expect(try watch.waitForExit() == .killed(SIGKILL))
        } else {
            watch.send(signal: SIGSTOP)
            // Until the kernel has stopped every thread of it.
            let process = watch.process
            let isStopped = try eventually {
                try readFile("/proc/\(process)/stat").split(separator: ") ").last?.hasPrefix("T") == true
            }
            try #require(isStopped)
        }
    }

    @Test(arguments: ["SIGKILL", "SIGSTOP"])
    func `its alerts count for 45 s, and how old they are is said`(_ signal: String) throws {
        try silence(signal)
        try age(by: 5)
        let outcome = try check()

        #expect(outcome.status == .exited(2), "\(outcome)")
        #expect(outcome.standardOutput.contains("limit_dropped: nf_conntrack_max 1000 -> 500"))
        #expect(outcome.standardOutput.contains(/\(as the monitor said \d+\.\ds ago\)/))
        let lines = try status()
        #expect(lines.first?.hasPrefix("CRITICAL limit_dropped since ") == true, "\(lines)")
        #expect(lines.contains { $0.hasPrefix("  what the monitor counts is of ") })
        #expect(lines.last?.hasSuffix("and has written nothing since") == true)
    }

    @Test(arguments: ["SIGKILL", "SIGSTOP"])
    func `after that it is not answering, and what it knew of the limit still counts`(_ signal: String) throws {
        try silence(signal)
        try age(by: 60)
        let outcome = try check()

        #expect(outcome.status == .exited(1), "\(outcome)")
        #expect(
            outcome.standardOutput.contains("100 of 500 entries (20.0 %), limit below the 1000 that the monitor knew"))
        #expect(outcome.standardOutput.contains(", the monitor is not answering since 20"))
        #expect(!outcome.standardOutput.contains("limit_dropped"))
        let lines = try status()
        #expect(lines.first?.hasPrefix("WARNING limit_dropped: nf_conntrack_max is 500, below the 1000 that") == true)
        #expect(
            lines.contains { $0.hasPrefix("WARNING monitor_silent: the monitor is not answering since ") })
        #expect(lines.contains("  limit       500, should be 1,000 (accepted)"))
        #expect(
            try check("--expect-max", "500").standardOutput.contains("limit as expected, the monitor is not answering"))
        try host.overwrite(host.limitFile, with: "1000")
        let restored = try check()
        #expect(restored.status == .exited(1), "\(restored)")
        #expect(restored.standardOutput.contains("limit as the monitor knew it, the monitor is not answering since "))
    }

    @Test func `one that goes on again at once, as after a suspend, was not silent`() throws {
        try silence("SIGSTOP")
        try age(by: 60)
        let running = try host.command("check", arguments: ["--run-dir", host.runDirectory]).start()
        watch.send(signal: SIGCONT)
        try #require(running.waitForExit() == .exited(2), "\(running.transcript)")

        #expect(running.standardOutput.contains("limit_dropped: nf_conntrack_max 1000 -> 500"))
        #expect(!running.standardOutput.contains("not answering"))
        #expect(try watch.stop() == .exited(0))
    }
}
