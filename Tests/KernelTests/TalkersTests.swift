// SPDX-License-Identifier: GPL-3.0-or-later

internal import TestKit
internal import Testing

/// Who makes the entries, from real entries to what `status` tells.
/// Processes, since `status` reads what a running `watch` counted of real events.
@Suite(.enabled(if: Requirement.met(.networkNamespace)))
struct KernelTalkersTests {
    private func status(_ watch: Watch, in namespace: TestNamespace, _ arguments: String...) throws -> String {
        let words = ["status", "--run-dir", watch.folder.path] + arguments
        let outcome = try Command(Repository.builtBinary(), arguments: words).run(in: namespace)
        try #require(outcome.status == .exited(0), "\(outcome)")
        return outcome.standardOutput
    }

    @Test func `of 10,000 entries each source has its bounds, and the one that makes half is first`() throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace)
        // 16,384 indices an address: 10.0.0.0 makes half, 10.0.0.1 a fifth, and 3,000 sources one each between them, which is
        // more than there are counters.
        var made: UInt64 = 0
        func make(_ source: UInt32, first: UInt32 = 0, count: UInt32) throws {
            made += try namespace.makeEntries(first: source << 14 + first, count: count)
        }
        for block in 0..<10 as Range<UInt32> {
            try make(0, first: block * 500, count: 500)
            for source in 0..<300 as Range<UInt32> { try make(2 + block * 300 + source, count: 1) }
            try make(1, first: block * 200, count: 200)
        }
        try #require(made == 10_000)
        try watch.waitForStatus("10,000 new events") { $0.events?.new == 10_000 }
        let json = try status(watch, in: namespace, "--json")
        let talkers = try #require(Status(json).talkers, "\(json)")

        for window in [talkers.lastMinute, talkers.sinceStart] {
            #expect(window.new == 10_000)
            #expect(window.sources.prefix(2).map(\.source) == ["10.0.0.0", "10.0.0.1"])
            for (talker, exact) in zip(window.sources, [5000, 2000, 1, 1, 1] as [UInt64]) {
                #expect(talker.atLeast <= exact && exact <= talker.atMost, "\(talker)")
                #expect(talker.atMost - talker.atLeast <= 10_000 / 512)
            }
            #expect(window.otherSourcesAtMost >= 1)
            #expect(window.destinations.map(\.name) == ["192.0.2.1 9 udp"])
            #expect(window.destinations.first?.atLeast == 10_000)
            #expect(window.destinations.first?.atMost == 10_000)
        }
        let text = try status(watch, in: namespace)
        #expect(text.contains("\n    to        192.0.2.1:9/udp: 10,000 (100.0%)\n"), "\(text)")
        try watch.stop()
    }

    @Test func `sources and destinations of real packets, IPv4 and IPv6`() throws {
        let namespace = try TestNamespace()
        try namespace.trackConnections()
        let watch = try Watch(in: namespace)
        _ = try namespace.tcpFlows(.ipv4, count: 2)
        _ = try namespace.echo(.ipv4, identifier: 1)
        _ = try namespace.udpFlows(.ipv6, count: 2)
        let last = try watch.waitForStatus("5 new events") { $0.talkers?.lastMinute.new == 5 }
        let minute = try #require(last.talkers?.lastMinute)

        #expect(minute.sources.map(\.source) == ["127.0.0.1", "::/64"])
        #expect(minute.sources.map(\.atLeast) == [3, 2])
        #expect(minute.sources.map(\.atMost) == [3, 2])
        #expect(minute.otherSourcesAtMost == 0)
        let names = Set(minute.destinations.map(\.name))
        #expect(names.contains("127.0.0.1 icmp"))
        #expect(names.contains { $0.hasPrefix("127.0.0.1 ") && $0.hasSuffix(" tcp") }, "\(names)")
        #expect(names.contains { $0.hasPrefix("::1 ") && $0.hasSuffix(" udp") }, "\(names)")
        try watch.stop()
    }

    @Test func `usage_high names who fills the table, and metrics name nobody`() throws {
        let namespace = try TestNamespace()
        // The hold is longer than the reader's sleep: all events have been seen by then.
        let watch = try Watch(in: namespace, "--warn", "0.1%", "--warn-hold", "500ms")
        #expect(try namespace.makeEntries(count: 1000) == 1000)
        let line = try watch.waitForLine("WARNING usage_high")

        #expect(line.contains(", 100.0% of new seen from 10.0.0.0, 100.0% to 192.0.2.1:9/udp; next:"), "\(line)")
        let metrics = try watch.stop().text
        #expect(!metrics.contains("10.0.0.0") && !metrics.contains("192.0.2.1"))
    }

    @Test func `without events nobody is named`() throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace, listening: false, "--source", "none")
        #expect(try namespace.makeEntries(count: 500) == 500)
        let last = try watch.waitForStatus("500 entries") { $0.entries == 500 }

        #expect(last.talkers == nil)
        #expect(!(try status(watch, in: namespace).contains("last minute")))
        try watch.stop()
    }
}
