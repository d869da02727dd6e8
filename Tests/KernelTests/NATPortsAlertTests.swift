// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit
internal import Testing

/// A host that masquerades, with clients on one side and one server on the other, and a table that is nearly empty.
@Suite(.enabled(if: Requirement.met(.networkNamespace, .program("nft"), .program("ip"))))
struct NATPortsAlertTests {
    /// 10.0.0.2 and 10.0.0.3 behind 192.0.2.1, before 192.0.2.2.
    private struct Gateway {
        let client: TestNamespace
        let gateway: TestNamespace
        let server: TestNamespace

        init(_ masquerade: String) throws {
            (client, gateway, server) = (try TestNamespace(), try TestNamespace(), try TestNamespace())
            try ip(client, "link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", gateway.path)
            try ip(gateway, "link", "add", "w0", "type", "veth", "peer", "name", "w1", "netns", server.path)
            for (namespace, link, address) in [
                (client, "v0", "10.0.0.2/24"), (client, "v0", "10.0.0.3/24"), (gateway, "v1", "10.0.0.1/24"),
                (gateway, "w0", "192.0.2.1/24"), (server, "w1", "192.0.2.2/24"),
            ] {
                try ip(namespace, "addr", "add", address, "dev", link)
                try ip(namespace, "link", "set", link, "up")
            }
            try ip(client, "route", "add", "default", "via", "10.0.0.1")
            try gateway.setSysctl("ipv4/ip_forward", "1")
            try gateway.setSysctl("netfilter/nf_conntrack_udp_timeout", "300")
            try gateway.nft(
                "table ip n { chain p { type nat hook postrouting priority srcnat; oif w0 udp dport 53 \(masquerade); }; }"
            )
            // Nobody answers, and nobody says so either.
            try server.nft("table ip n { chain i { type filter hook input priority 0; udp dport 53 drop; }; }")
        }

        private func ip(_ namespace: TestNamespace, _ arguments: String...) throws {
            _ = try namespace.output(of: Command("ip", arguments: arguments))
        }

        /// Datagrams from each of `ports` of 10.0.0.`host`.
        func spray(_ host: UInt32, _ ports: Range<UInt16>) throws {
            #expect(try client.spray(from: 0x0a00_0000 | host, to: 0xc000_0202, 53, ports: ports) == ports.count)
        }
    }

    @Test func `ports that a rule leaves and that run out are said while the table is nearly empty`() throws {
        let host = try Gateway("masquerade to :20000-20999")
        let watch = try Watch(in: host.gateway, "--sample", "100ms", "--interval", "200ms")
        try host.spray(2, 30_000..<31_500)

        let line = try watch.waitForLine("CRITICAL nat_ports_low")
        #expect(
            line.contains(
                ": NAT 192.0.2.1 -> 192.0.2.2:53/udp uses 1000 of 1000 ports (100.0%), 0 left; 20000-20999 is where all ports"
                    + " lie that NAT chose there; insert_failed rose by 500 in the last "), "\(line)")
        #expect(line.contains(": new connections find no port; the table itself is at 0."), "\(line)")
        #expect(
            line.contains("; next: conntrack -L -p udp -q 192.0.2.1 -r 192.0.2.2; fix: a wider range or more addresses")
        )
        try watch.waitForMetrics("all ports") { $0.sum("conntrack_nat_ports_used_ratio_max") == 1 }
        let status = try watch.waitForStatus("the ports") { $0.natPorts?.first?.used == 1000 }
        #expect(status.natPorts?.count == 1)
        #expect(status.natPorts?.first?.available == 1000)
        #expect(status.level(of: "nat_ports_low") == "critical")

        try host.gateway.flushEntries()
        try watch.waitForLine("RESOLVED nat_ports_low")
        try watch.stop()
    }

    @Test func `without a range it is the kernel's own that runs out`() throws {
        let host = try Gateway("masquerade")
        let watch = try Watch(in: host.gateway, "--sample", "100ms", "--interval", "200ms")
        try host.spray(2, 1024..<28_024)
        try host.spray(3, 1024..<28_024)

        let line = try watch.waitForLine("WARNING nat_ports_low")
        #expect(line.contains(": NAT 192.0.2.1 -> 192.0.2.2:53/udp uses 5"), "\(line)")
        #expect(line.contains(" of 64512 ports (8"), "\(line)")
        #expect(line.contains("; 1024-65535 is the kernel's own range, where the rule names none; "), "\(line)")
        try host.gateway.flushEntries()
        try watch.waitForLine("RESOLVED nat_ports_low")
        try watch.stop()
    }

    @Test func `a host that translates nothing has no ports to tell of`() throws {
        let namespace = try TestNamespace()
        try namespace.trackConnections()
        let watch = try Watch(in: namespace)
        _ = try namespace.udpFlows(.ipv4, count: 50)
        let status = try watch.waitForStatus("the flows") { ($0.events?.new ?? 0) >= 50 }
        #expect(status.natPorts == nil)
        #expect(try watch.stop().sum("conntrack_nat_ports_used_ratio_max") == nil)
    }
}
