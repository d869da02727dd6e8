// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit
internal import Testing

/// What fills the table, told by an alert after one dump.
/// A process, since its survey thread dumps the real kernel's table while it watches.
@Suite(.enabled(if: Requirement.met(.networkNamespace, .program("nft"))))
struct SurveyTests {
    private func watch(_ namespace: TestNamespace, wrapper: [String] = []) throws -> Watch {
        try Watch(
            in: namespace, listening: wrapper.isEmpty, wrapper: wrapper, "--warn", "0.03%", "--warn-hold", "0s",
            "--crit",
            "99%")
    }

    private func big(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 0xff), UInt8(value & 0xff)] }

    @Test func `a flood of DNS queries is recognised`() throws {
        let namespace = try TestNamespace()
        try namespace.trackConnections()
        let watch = try watch(namespace)
        for port in 0..<150 {
            let query = big(10_000 + port) + big(53) + big(9) + [0, 0] + [0]
            _ = try namespace.sendRaw(.ipv4, protocol: UInt8(IPPROTO_UDP), payload: query)
        }
        let first = try watch.waitForLine("WARNING usage_high")
        #expect(first.contains("; next: conntrack-mon top --by "))
        // Read-only in here.
        #expect(first.contains("; fix, in the host's namespace: sysctl -w net.netfilter.nf_conntrack_max="))
        #expect(first.contains(" net.netfilter.nf_conntrack_buckets="))
        let line = try watch.waitForLine("; why: UDP port 53 ")
        #expect(line.contains(" WARNING usage_high "))
        #expect(line.contains("; next: conntrack-mon top --by source,port, then "))
        #expect(line.contains("destination 127.0.0.1:53/udp 100.0%"))
        #expect(line.contains(" if this host translates nothing, notrack both ways;"))
        let status = try watch.waitForStatus("the reason") { status in
            status.alerts.contains { $0.summary.contains("why: UDP port 53 ") }
        }
        #expect(status.level(of: "usage_high") == "warning")
        try watch.stop()
    }

    @Test func `half-open connections are recognised`() throws {
        let namespace = try TestNamespace()
        try namespace.setSysctl("netfilter/nf_conntrack_checksum", "0")
        // Nobody listens on port 9: its kernel's resets would close what is to stay half open.
        try namespace.nft(
            """
            table inet quiet {
                chain output { type filter hook output priority raw; tcp flags rst drop; }
            }
            """)
        try namespace.trackConnections()
        let watch = try watch(namespace)
        for port in 10_000..<10_150 {
            let syn = big(port) + big(9) + [0, 0, 0, 1] + [0, 0, 0, 0] + [0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0]
            let answer = big(9) + big(port) + [0, 0, 0, 1] + [0, 0, 0, 2] + [0x50, 0x12, 0xff, 0xff, 0, 0, 0, 0]
            for segment in [syn, answer] {
                _ = try namespace.sendRaw(.ipv4, protocol: UInt8(IPPROTO_TCP), payload: segment)
            }
        }
        let line = try watch.waitForLine("; why: SYN_RECV ")
        #expect(line.contains("; next: conntrack -L -p tcp --state SYN_RECV; fix"))
        try watch.stop()
    }

    @Test func `connections that nobody answers are recognised`() throws {
        let namespace = try TestNamespace()
        try namespace.setSysctl("netfilter/nf_conntrack_checksum", "0")
        try namespace.nft(
            """
            table inet quiet {
                chain output { type filter hook output priority raw; tcp flags rst drop; }
            }
            """)
        try namespace.trackConnections()
        let watch = try watch(namespace)
        for port in 10_000..<10_150 {
            let syn = big(port) + big(9) + [0, 0, 0, 1] + [0, 0, 0, 0] + [0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0]
            _ = try namespace.sendRaw(.ipv4, protocol: UInt8(IPPROTO_TCP), payload: syn)
        }
        let line = try watch.waitForLine("; why: SYN_SENT ")
        #expect(line.contains("; next: conntrack -L -p tcp --state SYN_SENT; fix"))
        #expect(!line.contains("never answered"))
        try watch.stop()
    }

    @Test func `where anything is translated, not tracking it is no cure`() throws {
        let namespace = try TestNamespace()
        try namespace.nft(
            """
            table ip nat {
                chain postrouting { type nat hook postrouting priority srcnat; udp dport 53 snat to 127.0.0.1:20000-29999; }
            }
            """)
        try namespace.trackConnections()
        let watch = try watch(namespace)
        for port in 0..<150 {
            let query = big(10_000 + port) + big(53) + big(9) + [0, 0] + [0]
            _ = try namespace.sendRaw(.ipv4, protocol: UInt8(IPPROTO_UDP), payload: query)
        }
        let line = try watch.waitForLine("; why: UDP port 53 ")
        #expect(line.contains("a resolver cache nearby or a shorter nf_conntrack_udp_timeout;"))
        #expect(!line.contains("notrack"))
        try watch.stop()
    }

    @Test(.enabled(if: Requirement.met(.initialRoot, .program("setpriv"))))
    func `without CAP_NET_ADMIN the reason is not known, which is said once`() throws {
        let namespace = try TestNamespace()
        let watch = try watch(namespace, wrapper: ["setpriv", "--bounding-set", "-net_admin"])
        #expect(try namespace.makeEntries(count: 200) == 200)
        try watch.waitForLine("WARNING usage_high")
        let line = try watch.waitForLine("what fills the table is not known")
        #expect(line.contains(" INFO "))
        #expect(line.hasSuffix("Operation not permitted; a dump needs CAP_NET_ADMIN"))
        try watch.stop()
    }
}
