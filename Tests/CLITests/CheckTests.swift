// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing

/// `check`, as a monitoring system runs it.
/// A process, since a monitoring system has only the exit code and the one line.
@Suite struct CheckTests {
    @Test(
        arguments: [
            ("412", "262144", [], 0, "CONNTRACK OK - 412 of 262144 entries (0.2 %)"),
            ("750", "1000", [], 1, "CONNTRACK WARNING - 750 of 1000 entries (75.0 %)"),
            ("900", "1000", [], 2, "CONNTRACK CRITICAL - 900 of 1000 entries (90.0 %)"),
            ("500", "1000", ["-w", "50%", "-c", "0.6"], 1, "CONNTRACK WARNING - 500 of 1000"),
            ("600", "1000", ["--warn", "50%", "--crit", "0.6"], 2, "CONNTRACK CRITICAL - 600 of 1000"),
            ("5", "0", [], 0, "CONNTRACK OK - 5 entries, no limit (nf_conntrack_max is 0)"),
            ("5", "1000", ["--expect-max", "1000"], 0, "limit as expected"),
            ("5", "1000", ["--expect-max", "2000"], 1, "limit below the expected 2000"),
            ("750", "1000", ["--expect-max", "2000", "-w", "75%"], 2, "limit below the expected 2000"),
            ("5", "garbage", [], 3, "CONNTRACK UNKNOWN"), ("-1", "1000", [], 3, "nf_conntrack_count: holds no number"),
            ("5", "99999999999999999999", [], 3, "nf_conntrack_max: holds no number"),
            ("", "1000", [], 3, "nf_conntrack_count: holds no number"),
        ] as [(String, String, [String], Int32, String)])
    func `the exit code and the line tell the state`(
        _ entries: String, _ limit: String, _ arguments: [String], _ status: Int32, _ text: String
    ) throws {
        let host = try FakeHost(entries: entries, limit: limit)
        let outcome = try host.command("check", arguments: arguments).run()

        #expect(outcome.status == .exited(status), "\(outcome)")
        #expect(outcome.standardOutput.hasPrefix("CONNTRACK "))
        #expect(outcome.standardOutput.contains(text), "\(outcome)")
        #expect(outcome.standardOutput.count { $0 == "\n" } == 1)
        #expect(outcome.standardError == "")
    }

    @Test(arguments: [(nil, 2), ("ok", 0), ("warning", 1), ("critical", 2), ("unknown", 3)] as [(String?, Int32)])
    func `an absent module means what it is told to mean`(_ absent: String?, _ status: Int32) throws {
        let host = try FakeHost(limit: nil)
        let outcome = try host.command("check", arguments: absent.map { ["--absent", $0] } ?? []).run()

        #expect(outcome.status == .exited(status))
        #expect(outcome.standardOutput.contains("nf_conntrack is not loaded: \(host.limitFile) does not exist"))
    }

    @Test func `a limit that cannot be read is unknown, with the reason`() throws {
        let host = try FakeHost()
        unlink(host.limitFile)
        symlink("nf_conntrack_max", host.limitFile)
        let outcome = try host.run("check")

        #expect(outcome.status == .exited(3))
        #expect(outcome.standardOutput.contains("nf_conntrack_max: Too many levels of symbolic links"))
    }

    @Test(arguments: [
        ["-w", "2"], ["-w", "0"], ["-c", "x%"], ["-w", "95%"], ["--expect-max", "lots"], ["--absent", "maybe"],
        ["--no-such-flag"],
        ["--procfs", "/nonexistent"], ["extra"],
    ])
    func `wrong use is unknown, said on stdout as plugins do`(_ arguments: [String]) throws {
        let host = try FakeHost()
        let outcome = try host.command("check", arguments: arguments).run()

        #expect(outcome.status == .exited(3), "\(outcome)")
        #expect(outcome.standardOutput.hasPrefix("CONNTRACK UNKNOWN - "), "\(outcome)")
    }

    @Test func `a proc of another network namespace is unknown`() throws {
        let host = try FakeHost()
        try host.directory.write("", to: "proc/1/ns/net")
        let outcome = try host.run("check")

        #expect(outcome.status == .exited(3))
        #expect(outcome.standardOutput.contains("belongs to another network namespace"))
    }

    @Test func `what a running watch knows is taken in, and what one knew that stopped or ran before this boot is not`()
        throws
    {
        let host = try FakeHost()
        let watch = try host.watch("--run-dir", host.runDirectory)
        try watch.waitForLine(containing: "alerts=none")
        try host.overwrite(host.limitFile, with: "500")
        try watch.waitForLine(containing: "alerts=limit_dropped:critical")
        let path = host.runDirectory + "/status.json"
        let isWritten = try eventually { try readFile(path).contains("\"name\":\"limit_dropped\"") }
        try #require(isWritten)
        let document = try readFile(path)
        let check = try host.command("check", arguments: ["--run-dir", host.runDirectory])

        let running = try check.run()
        #expect(running.status == .exited(2), "\(running)")
        #expect(running.standardOutput.contains("limit_dropped: nf_conntrack_max 1000 -> 500"))

        #expect(try watch.stop() == .exited(0))
        let stopped = try check.run()
        #expect(stopped.status == .exited(0), "\(stopped)")

        try writeFile(document.replacing(/"uptime_seconds":[0-9.]+/, with: "\"uptime_seconds\":1e12"), to: path)
        #expect(try check.run().status == .exited(0))

        for damaged in ["", "{", String(document.prefix(100))] {
            try writeFile(damaged, to: path)
            #expect(try check.run().status == .exited(0))
        }
    }
}
