// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit
internal import Testing

/// Flows made by real sockets and what `watch` counts of them.
/// A process, since packets, kernel, socket, ring and threads together must lose nothing.
@Suite(.enabled(if: Requirement.met(.networkNamespace, .program("nft"), .program("conntrack"))))
struct EventCountTests {
    @Test func `each flow gives one new event, each entry deleted one destroy event, and nothing else`() throws {
        let namespace = try TestNamespace()
        try namespace.trackConnections()
        let watch = try Watch(in: namespace)
        _ = try namespace.tcpFlows(.ipv4, count: 7)
        _ = try namespace.tcpFlows(.ipv6, count: 5)
        _ = try namespace.udpFlows(.ipv4, count: 11)
        _ = try namespace.udpFlows(.ipv6, count: 3)

        try watch.waitForStatus("26 new events") { $0.events?.new == 26 }
        #expect(try namespace.countedEntries() == 26)
        for family in Family.allCases {
            _ = try namespace.output(of: Command("conntrack", "-D", "-f", family.rawValue, "-p", "tcp"))
        }
        let status = try watch.waitForStatus("12 destroy events") { $0.events?.destroy == 12 }
        #expect(status.events?.newByProtocol == ["tcp": 12, "udp": 14])
        try namespace.flushEntries()
        try watch.waitForStatus("26 destroy events") { $0.events?.destroy == 26 }

        let metrics = try watch.stop()
        #expect(metrics.events("new") == 26)
        #expect(metrics.events("destroy") == 26)
        #expect(metrics.events("update") == nil)
        #expect(metrics["conntrack_new_by_protocol_total", ["protocol": "tcp"]] == 12)
        #expect(metrics["conntrack_new_by_protocol_total", ["protocol": "udp"]] == 14)
        #expect(metrics.sum("conntrack_new_by_protocol_total") == 26)
        #expect(metrics.sum("conntrack_events_lost_total") == 0)
    }

    @Test func `protocols are told apart, those without a name by their number`() throws {
        let namespace = try TestNamespace()
        try namespace.trackConnections()
        let watch = try Watch(in: namespace)
        _ = try namespace.echo(.ipv4, identifier: 1)
        _ = try namespace.echo(.ipv6, identifier: 2)
        _ = try namespace.sendRaw(.ipv4, protocol: 253, payload: [1, 2, 3, 4])
        _ = try namespace.sendRaw(.ipv6, protocol: 253, payload: [1, 2, 3, 4])
        try watch.waitForStatus("4 new events") { $0.events?.new == 4 }

        let metrics = try watch.stop()
        func new(_ name: String) -> Double? { metrics["conntrack_new_by_protocol_total", ["protocol": name]] }
        #expect(new("icmp") == 1)
        #expect(new("icmpv6") == 1)
        #expect(new("253") == 2)
        #expect(metrics.sum("conntrack_new_by_protocol_total") == 4)
        #expect(metrics.events("new") == 4)
    }

    @Test func `only the kinds of event asked for are counted`() throws {
        let namespace = try TestNamespace()
        try namespace.trackConnections()
        let all = try Watch(in: namespace, "--events", "new,update,destroy")
        let some = try Watch(in: namespace, "--events", "destroy")
        // SYN_SENT is the new entry; SYN_RECV, ESTABLISHED, FIN_WAIT and so on are updates.
        _ = try namespace.tcpFlows(.ipv4, count: 2)
        try namespace.flushEntries()
        try all.waitForStatus("2 destroy events") { $0.events?.destroy == 2 }
        try some.waitForStatus("2 destroy events") { $0.events?.destroy == 2 }

        let (everything, destroyed) = (try all.stop(), try some.stop())
        #expect(everything.events("new") == 2)
        #expect(try #require(everything.events("update")) >= 6)
        #expect(destroyed.events("new") == nil)
        #expect(destroyed.events("update") == nil)
        #expect(destroyed.events("destroy") == 2)
    }
}
