// SPDX-License-Identifier: GPL-3.0-or-later

import FoundationEssentials
import Glibc
import TestKit
import Testing

/// `status`, for people and for programs.
/// A process, since what is tested is what a shell and a program get of it: streams and exit code.
@Suite struct StatusTests {
    private struct Document: Decodable {
        struct Finding: Decodable {
            var name: String
            var level: String
        }
        var state: String
        var findings: [Finding]
        var entries: UInt64?
        var limit: UInt64?
        var module: String
        var up: Bool
        var alerts: [Finding]
    }

    private func json(_ host: FakeHost, _ arguments: String...) throws -> Document {
        let outcome = try host.command("status", arguments: ["--json"] + arguments).run()
        try #require(outcome.status == .exited(0), "\(outcome)")
        try #require(outcome.standardOutput.count { $0 == "\n" } == 1)
        return try JSONDecoder().decode(Document.self, from: Data(outcome.standardOutput.utf8))
    }

    @Test func `it tells what is known now`() throws {
        let host = try FakeHost(entries: "412", limit: "262144")
        let outcome = try host.run("status")
        let lines = outcome.standardOutput.split(separator: "\n")

        #expect(outcome.status == .exited(0))
        #expect(outcome.standardError == "")
        #expect(lines.first == "nothing is wrong as far as one look can tell")
        #expect(lines.contains { $0.hasPrefix("  module ") && $0.hasSuffix("nf_conntrack is loaded") })
        #expect(lines.contains { $0.hasPrefix("  entries ") && $0.contains("412 of 262,144 (0.16%)") })
        #expect(lines.contains { $0.hasPrefix("  monitor ") && $0.contains("not watching") })
    }

    @Test func `in JSON it is one object on one line`() throws {
        let document = try json(FakeHost(entries: "412", limit: "262144"))

        #expect(document.entries == 412)
        #expect(document.limit == 262_144)
        #expect(document.module == "loaded")
        #expect(!document.up)
        #expect(document.state == "ok")
        #expect(document.findings.isEmpty)
        #expect(document.alerts.isEmpty)
    }

    @Test func `what is wrong comes first`() throws {
        let host = try FakeHost(limit: "garbage")
        let lines = try host.run("status").standardOutput.split(separator: "\n")

        #expect(lines.first?.hasPrefix("UNKNOWN monitor_degraded (nf_conntrack_max): ") == true, "\(lines)")
        #expect(lines.first?.hasSuffix("holds no number but \"garbage\"; usage is unknown") == true, "\(lines)")
        #expect(try json(host).limit == nil)
        #expect(try json(host).state == "unknown")
        #expect(try json(host).findings.map(\.name) == ["monitor_degraded"])
    }

    /// One look has no hold to wait for.
    @Test(arguments: [("6.1.19", ["hash_refuses"]), ("6.1.20", [])] as [(String, [String])])
    func `a hash that refuses before the limit is one look's to see`(_ kernel: String, _ found: [String]) throws {
        let host = try FakeHost(entries: "1900", limit: "10000")
        try host.directory.write("1000\n", to: "proc/sys/net/netfilter/nf_conntrack_buckets")
        try host.directory.write(kernel + "\n", to: "proc/sys/kernel/osrelease")

        #expect(try json(host).findings.map(\.name) == found)
    }

    @Test func `without the module nothing is made up`() throws {
        let host = try FakeHost(limit: nil)
        let text = try host.run("status").standardOutput
        let document = try json(host)

        #expect(text.contains("nf_conntrack is not loaded: nothing is tracked"))
        #expect(!text.contains("  entries "))
        #expect(document.module == "absent")
        #expect(document.state == "unknown")
        #expect(document.entries == nil)
        #expect(document.limit == nil)
    }

    @Test func `a limit below the expected one is wrong, and worse where it is nearly used up`() throws {
        for (entries, level) in [("100", "warning"), ("750", "critical")] {
            let document = try json(FakeHost(entries: entries), "--expect-max", "2000")
            #expect(document.findings.first?.name == "limit_dropped")
            #expect(document.findings.first?.level == level)
            #expect(document.state == level)
        }
        let lines = try FakeHost().run("status", "--expect-max", "2000").standardOutput.split(separator: "\n")
        #expect(
            lines.prefix(3) == [
                "WARNING limit_dropped: nf_conntrack_max is 1000, below the expected 2000",
                "    next: conntrack-mon doctor", "    fix: sysctl -w net.netfilter.nf_conntrack_max=2000",
            ])
        #expect(lines.contains("  limit       1,000, should be 2,000 (flag)"))
    }

    @Test func `a full table is wrong though nobody watches it`() throws {
        let host = try FakeHost(entries: "262144", limit: "262144")
        let outcome = try host.run("status")

        #expect(
            outcome.standardOutput.hasPrefix(
                "CRITICAL usage_high: 262144 of 262144 entries (100.0%, threshold 90.0%)\n    next: conntrack-mon top\n"
            ))
        #expect(outcome.status == .exited(0))
        #expect(try json(host).state == "critical")
        #expect(try json(host, "-w", "100%", "-c", "100%").findings.map(\.level) == ["critical"])
        try host.overwrite(host.countFile, with: "240000")
        #expect(try json(host, "-w", "0.95", "-c", "1").state == "ok")
    }

    @Test func `a full table is wrong though the hold of a watch is not over`() throws {
        let host = try FakeHost(entries: "1000")
        let watch = try host.watch("--run-dir", host.runDirectory, "--warn-hold", "1h", "--crit-hold", "1h")
        try watch.waitForLine(containing: "alerts=none")
        // The first file may be of before the first line.
        let isThere = try eventually { try json(host, "--run-dir", host.runDirectory).up }
        try #require(isThere)
        let text = try host.run("status", "--run-dir", host.runDirectory).standardOutput

        #expect(text.hasPrefix("CRITICAL usage_high: 1000 of 1000 entries (100.0%, threshold 90.0%)"), "\(text)")
        #expect(text.contains(" is watching"))
        #expect(try host.run("check", "--run-dir", host.runDirectory).status == .exited(2))
        #expect(try watch.stop() == .exited(0))
    }

    @Test func `the thresholds of a watch count where none are given`() throws {
        let host = try FakeHost(entries: "930")
        let watch = try host.watch("--run-dir", host.runDirectory, "--warn", "95%", "--crit", "98%")
        try watch.waitForLine(containing: "alerts=none")
        let isThere = try eventually { try json(host, "--run-dir", host.runDirectory).up }
        try #require(isThere)

        #expect(try json(host, "--run-dir", host.runDirectory).state == "ok")
        #expect(try json(host, "--run-dir", host.runDirectory, "-w", "75%").state == "critical")
        let check = try host.run("check", "--run-dir", host.runDirectory)
        #expect(check.status == .exited(0), "\(check)")
        #expect(check.standardOutput.contains("usage=93.00%;95;98;"))
        #expect(try host.run("check", "--run-dir", host.runDirectory, "-c", "90%").status == .exited(2))
        #expect(try watch.stop() == .exited(0))
    }

    @Test func `a damaged status file is said, and is no state`() throws {
        let host = try FakeHost()
        try host.directory.write("{", to: "run/status.json")
        let lines = try host.run("status", "--run-dir", host.runDirectory).standardOutput.split(separator: "\n")

        #expect(lines.first == "nothing is wrong as far as one look can tell")
        #expect(lines.dropFirst().first == "what a monitor says here is not known: status.json is damaged")
        #expect(try json(host, "--run-dir", host.runDirectory).state == "ok")
    }

    @Test func `what a running watch knows is shown, with the table as it is now`() throws {
        let host = try FakeHost()
        let watch = try host.watch("--run-dir", host.runDirectory)
        try watch.waitForLine(containing: "alerts=none")
        try host.overwrite(host.limitFile, with: "500")
        let isKnown = try eventually {
            try host.run("status", "--run-dir", host.runDirectory).standardOutput
                .hasPrefix("CRITICAL limit_dropped since ")
        }
        #expect(isKnown)
        let document = try json(host, "--run-dir", host.runDirectory)

        #expect(document.up)
        #expect(document.limit == 500)
        #expect(try watch.stop() == .exited(0))
    }
}
