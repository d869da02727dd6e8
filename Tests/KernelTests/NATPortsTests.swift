// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit
internal import Testing

/// NAT that has fewer ports than there are flows: what the kernel counts of it, and what a line makes of that.
@Suite(.enabled(if: Requirement.met(.networkNamespace, .program("nft"))))
struct NATPortsTests {
    private func big(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 0xff), UInt8(value & 0xff)] }

    @Test func `a packet whose entry clashes is counted twice by the kernel, and once in a line`() throws {
        let namespace = try TestNamespace()
        try namespace.nft(
            """
            table ip nat {
                chain postrouting { type nat hook postrouting priority srcnat; udp dport 53 snat to 127.0.0.1:20000-20009; }
            }
            """)
        try namespace.trackConnections()
        let watch = try Watch(
            in: namespace, listening: false, "--events", "none", "--format", "lines", "--interval", "1s")
        var refused: UInt64 = 0
        for port in 10_000..<10_040 {
            let query = big(port) + big(53) + big(9) + [0, 0] + [0]
            do {
                _ = try namespace.sendRaw(.ipv4, protocol: UInt8(IPPROTO_UDP), payload: query)
            } catch let error as SystemError where error.code == EPERM {
                refused += 1
            }
        }

        #expect(refused == 30)
        let statistics = try namespace.countedStatistics()
        #expect(statistics["insert_failed"] == refused)
        #expect(statistics["drop"] == refused)
        try watch.waitForMetrics("both") {
            $0.statistic("insert_failed") == Double(refused) && $0.statistic("drop") == Double(refused)
        }
        let line = try watch.process.waitForLine(on: .stdout, "with clashes", within: .seconds(20)) {
            $0.contains(" insert_failed=") && !$0.contains(" insert_failed=0/s ")
        }
        #expect(line.contains(" other_drop=0/s "), "\(line)")
        try watch.stop()
    }
}
