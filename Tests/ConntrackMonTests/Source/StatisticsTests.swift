// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// The text of /proc/net/stat/nf_conntrack.
@Suite struct StatisticsTests {
    /// Kernel 6.12, two CPUs.
    static let modern = """
        entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error  \
        expect_new expect_create expect_delete search_restart
        0000019c  00000001 00000002 00000000 00000003 00000004 00000000 00000005 00000006 00000007 00000008 00000009 0000000a  \
        0000000b 0000000c 0000000d 0000000e
        0000019c  00000000 ffffffff 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000  \
        00000000 00000000 00000000 00000000

        """

    /// Kernel 2.6.32 (EL6): no clash resolution, chain length or search_restart yet, and names that are gone since.
    static let el6 = """
        entries  searched found new invalid ignore delete delete_list insert insert_failed drop early_drop icmp_error  \
        expect_new expect_create expect_delete
        00000010  00000021 00000022 00000023 00000024 00000025 00000026 00000027 00000028 00000029 0000002a 0000002b 0000002c  \
        0000002d 0000002e 0000002f

        """

    @Test func `every column of a kernel 6 is read, CPU by CPU`() throws {
        let cpus = try #require(parseStatistics(Self.modern))

        #expect(cpus.count == 2)
        #expect(
            cpus.first
                == StatValues([
                    .clashResolve: 1, .found: 2, .invalid: 3, .chainTooLong: 5, .insert: 6, .insertFailed: 7, .drop: 8,
                    .earlyDrop: 9, .error: 10, .expectNew: 11, .expectCreate: 12, .expectDelete: 13, .searchRestart: 14,
                ]))
        #expect(cpus.last?[.found] == 0xffff_ffff)
    }

    @Test func `a kernel 2.6.32 has fewer columns, and those it lacks are unknown`() throws {
        let cpus = try #require(parseStatistics(Self.el6))

        #expect(
            cpus == [
                StatValues([
                    .found: 0x22, .invalid: 0x24, .insert: 0x28, .insertFailed: 0x29, .drop: 0x2a, .earlyDrop: 0x2b,
                    .error: 0x2c, .expectNew: 0x2d, .expectCreate: 0x2e, .expectDelete: 0x2f,
                ])
            ])
    }

    @Test func `columns are found by name wherever they stand`() {
        #expect(
            parseStatistics("entries drop chain_toolong\n00000001 00000002 00000003\n")
                == [StatValues([.drop: 2, .chainTooLong: 3])])
        #expect(
            parseStatistics("entries searched delete_list\n00000001 00000002 00000003\n") == [StatValues()])
    }

    @Test(arguments: [
        "", "\n", "entries drop\n", "drop entries\n00000001 00000002\n", "entries drop\n00000001\n",
        "entries drop\n00000001 00000002 00000003\n", "entries drop\n00000001 0000000g\n",
        "entries drop\n00000001 100000000\n", "entries drop\n00000001 -1\n", "entries drop\n0 0\n00000001\n",
    ])
    func `what is no such table is refused as a whole`(_ text: String) {
        #expect(parseStatistics(text) == nil)
    }
}

/// Totals out of counters that wrap and begin anew.
@Suite struct StatStitcherTests {
    private static func drops(_ values: UInt64...) -> [StatValues] {
        values.map { StatValues([.drop: $0]) }
    }

    @Test func `before the first reading nothing is known`() {
        #expect(StatStitcher().total == nil)
    }

    @Test func `the first reading counts from what the kernel has`() {
        var stitcher = StatStitcher()
        stitcher.take(Self.drops(5, 7), restarted: false)

        #expect(stitcher.total == StatValues([.drop: 12]))
        #expect(stitcher.perCPU == Self.drops(5, 7))
    }

    @Test func `a counter that wraps at 2^32 goes on`() {
        var stitcher = StatStitcher()
        stitcher.take(Self.drops(0xffff_fffe), restarted: false)
        stitcher.take(Self.drops(3), restarted: false)

        #expect(stitcher.total?[.drop] == 0x1_0000_0003)
    }

    @Test(arguments: [0, 2, 10, 4_000_000_000] as [UInt64])
    func `after a reload the total goes on from where it was, whatever the new counter shows`(_ restarted: UInt64) {
        var stitcher = StatStitcher()
        stitcher.take(Self.drops(10), restarted: false)
        stitcher.take(Self.drops(restarted), restarted: true)

        #expect(stitcher.total?[.drop] == 10 + restarted)
    }

    @Test func `a CPU that appears adds what it has`() {
        var stitcher = StatStitcher()
        stitcher.take(Self.drops(1), restarted: false)
        stitcher.take(Self.drops(2, 40), restarted: false)

        #expect(stitcher.perCPU == Self.drops(2, 40))
        #expect(stitcher.total?[.drop] == 42)
    }

    @Test func `a CPU missing from one reading keeps its total`() {
        var stitcher = StatStitcher()
        stitcher.take(Self.drops(1, 40), restarted: false)
        stitcher.take(Self.drops(2), restarted: false)

        #expect(stitcher.perCPU == Self.drops(2, 40))
    }

    @Test func `a statistic this kernel lacks stays unknown`() {
        var stitcher = StatStitcher()
        stitcher.take(Self.drops(1), restarted: false)

        #expect(stitcher.total?[.searchRestart] == nil)
    }
}
