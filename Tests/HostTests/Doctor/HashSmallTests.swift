// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing
import UnitKit

@testable import ConntrackHost
@testable import ConntrackModel

/// hash_small: what it says of a kernel's chains, and that its cure leaves nothing to find.
@Suite struct HashSmallTests {
    private let tree: TemporaryDirectory

    init() throws {
        tree = try TemporaryDirectory()
    }

    private func host(_ kernel: String, limit: UInt64, buckets: UInt64) throws {
        try tree.write(kernel + "\n", to: "proc/sys/kernel/osrelease")
        try tree.write("MemTotal:       16384000 kB\n", to: "proc/meminfo")
        try tree.write("nf_conntrack 100000 2 - Live 0x0\n", to: "proc/modules")
        try tree.write("\(limit)\n", to: "proc/sys/net/netfilter/nf_conntrack_max")
        try tree.write("\(buckets)\n", to: "proc/sys/net/netfilter/nf_conntrack_buckets")
        try tree.write("net.netfilter.nf_conntrack_max = \(limit)\n", to: "etc/sysctl.d/90-conntrack.conf")
    }

    private func examine() -> Finding? {
        Doctor.examine(HostPaths(procfs: tree.path(of: "proc"), sysfs: tree.path(of: "sys"), root: tree.path))
            .findings.first { $0.id == "hash_small" }
    }

    /// The number behind `words`.
    private func number(_ words: String, in text: String) -> UInt64? {
        guard let place = text.firstRange(of: words) else { return nil }
        return UInt64(text[place.upperBound...].prefix(while: \.isNumber))
    }

    @Test(
        arguments: [
            ("6.1.10", 1_048_576, 65_536, 1_048_576), ("6.1.10", 600_001, 262_144, 600_064),
            ("5.15.0-60-generic", 2_000_000, 65_536, 2_000_384), ("6.12.40", 1_048_576, 65_536, 262_144),
            ("4.19.0", 1_000_001, 65_536, 250_368), ("5.15.90", 65_536, 8192, 65_536),
            ("6.12.40", 65_536, 8192, 16_384),
        ] as [(String, UInt64, UInt64, UInt64)])
    func `after what it says was done it says nothing`(
        _ kernel: String, _ limit: UInt64, _ buckets: UInt64, _ wanted: UInt64
    ) throws {
        try host(kernel, limit: limit, buckets: buckets)
        let cure = try #require(examine()).cure
        #expect(number("sysctl -w net.netfilter.nf_conntrack_buckets=", in: cure) == wanted)
        #expect(number("90-conntrack.conf: net.netfilter.nf_conntrack_buckets = ", in: cure) == wanted)
        // A load with a hash size would raise the limit.
        #expect(!cure.contains("hashsize"))

        try host(kernel, limit: limit, buckets: wanted)
        #expect(examine() == nil)
    }

    @Test func `a higher limit that is configured has buckets enough then`() throws {
        try host("6.12.40", limit: 600_000, buckets: 65_536)
        try tree.write("net.netfilter.nf_conntrack_max = 700000\n", to: "etc/sysctl.d/90-conntrack.conf")
        #expect(try #require(examine()).summary.contains("175104 are recommended for the configured 700000. "))

        try host("6.12.40", limit: 700_000, buckets: 175_104)
        #expect(examine() == nil)
    }

    @Test func `before 4_8 it is given at load, and the limit is put back`() throws {
        try host("3.10.0-1160.el7.x86_64", limit: 524_288, buckets: 16_384)
        let cure = try #require(examine()).cure
        #expect(number("echo ", in: cure) == 131_072)
        #expect(number("options nf_conntrack hashsize=", in: cure) == 131_072)
        #expect(
            cure.contains("8 times that as limit until it is put back: in /etc/udev/rules.d/50-conntrack.rules: ACTION")
        )
        #expect(!cure.contains("nf_conntrack_buckets"))

        try host("3.10.0-1160.el7.x86_64", limit: 524_288, buckets: 131_072)
        try tree.write("options nf_conntrack hashsize=131072\n", to: "etc/modprobe.d/conntrack.conf")
        #expect(examine() == nil)
    }

    @Test(
        arguments: [
            (
                "6.1.10",
                "; this kernel's chains, 8 to 31 long, take about 130000 entries before 1 new connection in 1000 is refused;"
            ),
            (
                "6.12.40",
                "; this kernel's chains, 50 to 79 long, take about 1160000 entries before 1 new connection in 1000 is refused;"
            ),
            (
                "5.15.0-60-generic",
                "; this kernel's chains take about 1160000 entries before 1 new connection in 1000 is refused, if they may"
                    + " be 50 to 79 long, and about 130000 entries if 8 to 31: its version does not tell;"
            ), ("5.14.0-503.el9.x86_64", "a full table has 61 tuples in each; "),
        ])
    func `it says how many entries the chains take`(_ kernel: String, _ said: String) throws {
        try host(kernel, limit: 2_000_000, buckets: 65_536)
        let summary = try #require(examine()).summary
        #expect(summary.contains(said), "\(summary)")
        #expect(summary.contains("A full table takes "))
    }

    @Test func `Ubuntu's kernel tells what it was built from`() throws {
        try host("5.15.0-60-generic", limit: 2_000_000, buckets: 524_288)
        #expect(examine() == nil)
        try tree.write("Ubuntu 5.15.0-60.66-generic 5.15.78\n", to: "proc/version_signature")
        #expect(try #require(examine()).summary.contains("8 to 31 long"))
        try tree.write("Ubuntu 5.15.0-125.135-generic 5.15.167\n", to: "proc/version_signature")
        #expect(examine() == nil)
    }

    @Test(arguments: [("6.1.10", 2_000_384), ("6.12.40", 500_224)] as [(String, UInt64)])
    func `a table's memory is told with the hash it needs`(_ kernel: String, _ buckets: UInt64) throws {
        try host(kernel, limit: 65_536, buckets: 65_536)
        try tree.write("nf_conntrack 10 20 256 16 1 : tunables\n", to: "proc/slabinfo")
        let paths = HostPaths(procfs: tree.path(of: "proc"), sysfs: tree.path(of: "sys"), root: tree.path)
        let size = try #require(Doctor.examine(paths, size: 2_000_000).size)

        #expect(size.bytesPerEntry == 256)
        #expect(!size.isAssumed)
        #expect(size.buckets == buckets)
        #expect(size.bytes == 2_000_000 * 256 + buckets * 8)
        #expect(size.memory == 16_384_000 * 1024)
        #expect(Doctor.examine(paths).size == nil)
    }

    @Test func `buckets that are configured are changed where they are`() throws {
        try host("6.1.10", limit: 1_048_576, buckets: 65_536)
        try tree.write("net.netfilter.nf_conntrack_buckets = 65536\n", to: "etc/sysctl.d/10-hash.conf")
        #expect(try #require(examine()).cure.contains("in /etc/sysctl.d/10-hash.conf: "))
    }
}
