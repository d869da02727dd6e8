// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// coroot-node-agent and FireHOL.
@Suite struct AgentWritersTests {
    @Test func `coroot's agent sets events to 1`() throws {
        let host = try ProgramHost()
        try host.run("/usr/bin/coroot-node-agent", "--listen=:80")
        let found = host.writers(CorootWriters.all)
        #expect(found.map(\.short) == [["events=1"]])
        #expect(found.first?.when == .late)
        #expect(found.first?.evidence.description == "/proc/42/cmdline /usr/bin/coroot-node-agent --listen=:80")
    }

    @Test func `another program of a name like it is none`() throws {
        let host = try ProgramHost()
        try host.run("/usr/bin/coroot-node-age", "x")
        #expect(host.writers(CorootWriters.all).isEmpty)
    }

    @Test func `a unit of it counts where it is enabled`() throws {
        let host = try ProgramHost([("etc/systemd/system/coroot-node-agent.service", "[Service]\n")])
        #expect(host.writers(CorootWriters.all).isEmpty)
        try host.enable("coroot-node-agent")
        #expect(host.writers(CorootWriters.all).map(\.short) == [["events=1"]])
    }

    private static let firehol = [
        ("etc/firehol/firehol.conf", "version 6\nFIREHOL_CONNTRACK_HASHSIZE=131072\n\ninterface any world\n"),
        (
            "etc/firehol/firehol-defaults.conf",
            "FIREHOL_CONNTRACK_LOOSE_MATCHING=\nFIREHOL_CONNTRACK_MAX=\"1048576\"\nFIREHOL_CONNTRACK_HASHSIZE=1\n"
        ),
    ]

    @Test func `firehol loads the module and sets its variables`() throws {
        let host = try ProgramHost(Self.firehol)
        try host.enable("firehol")
        let found = host.writers(FireholWriters.all)
        #expect(found.map(\.short) == [["+nf_conntrack", "max=1048576", "buckets=131072", "helper=1"]])
        #expect(found.first?.certainty == .certain)
        #expect(found.first?.places[1] == "/etc/firehol/firehol-defaults.conf:2")
    }

    @Test func `firehol is started by a unit, or by its script where that is told to`() throws {
        let host = try ProgramHost(Self.firehol)
        #expect(host.writers(FireholWriters.all).isEmpty)
        try host.directory.write("START_FIREHOL=NO\n", to: "etc/default/firehol")
        #expect(host.writers(FireholWriters.all).isEmpty)
        try host.directory.write("START_FIREHOL=YES\n", to: "etc/default/firehol")
        #expect(host.writers(FireholWriters.all).map(\.certainty) == [.may])
        try host.enable()
        #expect(host.writers(FireholWriters.all).isEmpty)
    }

    @Test func `the helpers are firehol's own where it is told so`() throws {
        let host = try ProgramHost([("etc/firehol/firehol.conf", "FIREHOL_CONNTRACK_HELPERS_ASSIGNMENT=manual\n")])
        try host.enable("firehol")
        #expect(host.writers(FireholWriters.all).map(\.short) == [["+nf_conntrack", "helper=0"]])
    }
}
