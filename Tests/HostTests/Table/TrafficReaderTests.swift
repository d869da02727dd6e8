// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing
import UnitKit

@testable import ConntrackHost
@testable import ConntrackModel

/// What the namespace's own protocols counted.
@Suite struct TrafficReaderTests {
    private static let text = """
        Ip: Forwarding DefaultTTL InReceives ForwDatagrams
        Ip: 1 64 1313 77
        Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails
        Tcp: 1 200 120000 -1 11 1200000000000 3
        Udp: InDatagrams NoPorts
        Udp: 21 0

        """

    @Test func `connections opened and accepted are one number`() {
        #expect(parseTraffic(Self.text) == Traffic(tcpOpens: 1_200_000_000_011))
    }

    @Test(
        arguments: [
            "", "Tcp: ActiveOpens PassiveOpens\n", "Tcp: ActiveOpens PassiveOpens\nTcp: 1\n",
            "Tcp: ActiveOpens PassiveOpens\nTcp: 1 x\n", "Tcp: ActiveOpens\nTcp: 1\n", "Udp: InDatagrams\nUdp: 1\n",
        ])
    func `what does not say both says nothing`(_ text: String) {
        #expect(parseTraffic(text) == nil)
    }

    @Test func `it is read every 10 s, and only where there is something to be read`() throws {
        let directory = try TemporaryDirectory()
        try directory.write(Self.text, to: "snmp")
        var reader = TrafficReader(directory.path(of: "snmp"))
        let times = [0, 1, 9.9, 10, 15, 20.5, 30]
        let readings = times.map { reader.read(at: Moment.at($0).monotonic) != nil }
        #expect(readings == [true, false, false, true, false, true, false])

        var nothing = TrafficReader(nil)
        let read = nothing.read(at: Moment.at(0).monotonic)
        #expect(read == nil)
        var missing = TrafficReader(directory.path(of: "snmp6"))
        let failed = missing.read(at: Moment.at(0).monotonic)
        #expect(failed == nil)
    }

    @Test func `a live host tells it with what the kernel shows, not each time, and a saved one never`() throws {
        func traffic(_ host: inout Host) -> Traffic? {
            guard case .kernel(let reading)? = host.read(.kernel(TableFaults(nil))) else { return nil }
            return reading.traffic
        }
        var live = Host(HostPaths())
        let (first, second) = (traffic(&live), traffic(&live))
        #expect(first != nil)
        #expect(second == nil)

        let directory = try TemporaryDirectory()
        try directory.write(Self.text, to: "proc/net/snmp")
        var saved = Host(HostPaths(procfs: directory.path(of: "proc"), sysfs: directory.path(of: "sys")))
        let none = traffic(&saved)
        #expect(none == nil)
    }

    @Test(.enabled(if: Requirement.met(.networkNamespace)), arguments: [false, true])
    func `the kernel counts each connection, tracked or not`(_ isTracked: Bool) throws {
        let namespace = try TestNamespace()
        if isTracked { try namespace.trackConnections() }
        func opens() throws -> UInt64 {
            try #require(parseTraffic(namespace.read("/proc/thread-self/net/snmp"))).tcpOpens
        }
        let before = try opens()
        _ = try namespace.tcpFlows(.ipv4, count: 7)
        _ = try namespace.tcpFlows(.ipv6, count: 5)
        _ = try namespace.udpFlows(.ipv4, count: 3)

        // Opened and accepted, both here.
        #expect(try opens() - before == 24)
    }
}
