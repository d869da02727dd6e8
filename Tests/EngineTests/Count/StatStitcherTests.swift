// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

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
