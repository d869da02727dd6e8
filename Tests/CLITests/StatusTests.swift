// SPDX-License-Identifier: GPL-3.0-or-later

import FoundationEssentials
import Glibc
import TestKit
import Testing

/// `status`, for people and for programs.
/// A process, since what is tested is what a shell and a program get of it: streams and exit code.
@Suite struct StatusTests {
    private struct Document: Decodable {
        struct Alert: Decodable {
            var name: String
            var level: String
        }
        var entries: UInt64?
        var limit: UInt64?
        var module: String
        var up: Bool
        var alerts: [Alert]
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
        #expect(lines.contains { $0.hasPrefix("  entries ") && $0.contains("412 of 262144 (0.16%)") })
        #expect(lines.contains { $0.hasPrefix("  monitor ") && $0.contains("not watching") })
    }

    @Test func `in JSON it is one object on one line`() throws {
        let document = try json(FakeHost(entries: "412", limit: "262144"))

        #expect(document.entries == 412)
        #expect(document.limit == 262_144)
        #expect(document.module == "loaded")
        #expect(!document.up)
        #expect(document.alerts.isEmpty)
    }

    @Test func `what is wrong comes first`() throws {
        let host = try FakeHost(limit: "garbage")
        let lines = try host.run("status").standardOutput.split(separator: "\n")

        #expect(lines.first?.hasPrefix("WARNING monitor_degraded (nf_conntrack_max) since ") == true)
        #expect(lines.first?.hasSuffix("holds no number but \"garbage\"; usage is unknown") == true, "\(lines)")
        #expect(try json(host).limit == nil)
        #expect(try json(host).alerts.map(\.name) == ["monitor_degraded"])
    }

    @Test func `without the module nothing is made up`() throws {
        let host = try FakeHost(limit: nil)
        let text = try host.run("status").standardOutput
        let document = try json(host)

        #expect(text.contains("nf_conntrack is not loaded: nothing is tracked"))
        #expect(!text.contains("  entries "))
        #expect(document.module == "absent")
        #expect(document.entries == nil)
        #expect(document.limit == nil)
    }

    @Test func `a limit below the expected one is an alert`() throws {
        let document = try json(FakeHost(), "--expect-max", "2000")

        #expect(document.alerts.map(\.name) == ["limit_dropped"])
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
