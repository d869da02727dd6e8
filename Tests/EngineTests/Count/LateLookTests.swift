// SPDX-License-Identifier: GPL-3.0-or-later

import CRecord
import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// Intervals that end without a look, as a collector closes them.
@Suite struct LateLookTests {
    private func drops(_ count: UInt64) -> StatisticsReading {
        StatisticsReading(perCPU: [StatValues([.drop: count])])
    }

    @Test func `without a look an interval has its age and no rate, and all it counted belongs to the next`() throws {
        var feed = Feed()
        feed.table(0)
        _ = try feed.close(0) { $0.statistics = drops(1) }
        feed.event(CNF_NEW, count: 40)
        let late = try feed.close(20) { $0.statistics = drops(500) }
        #expect(late.gap == .seconds(20))
        #expect(late.age == .seconds(20))
        #expect(late.statsNow == nil)
        #expect(late.eventsNow == nil)
        #expect(late.fillRate == nil)
        #expect(late.events?.new == 40)
        feed.event(CNF_NEW, count: 2)
        feed.table(21)
        let gap = try feed.close(21) { $0.statistics = drops(503) }
        #expect(gap.gap == .seconds(21))
        #expect(gap.age == nil)
        #expect(gap.eventsNow?.new == 42)
        #expect(gap.perSecond(gap.eventsNow?.new) == nil)
        #expect(gap.newRate == nil)
        feed.event(CNF_NEW, count: 3)
        feed.table(22)
        let after = try feed.close(22) { $0.statistics = drops(506) }

        #expect(after.gap == nil)
        #expect(after.perSecond(after.statsNow?[.drop]) == 3)
        #expect(after.newRate == 3)
    }

    @Test func `a look that is a little late is no gap, and the next interval reaches back to the look before`() throws
    {
        var feed = Feed()
        feed.table(0)
        _ = try feed.close(0) { $0.statistics = drops(0) }
        let late = try feed.close(1) { $0.statistics = drops(10) }
        #expect(late.gap == nil)
        #expect(late.age == .seconds(1))
        #expect(late.perSecond(10) == nil)
        feed.event(CNF_NEW, count: 40)
        feed.table(2)
        let next = try feed.close(2) { $0.statistics = drops(20) }

        #expect(next.age == nil)
        #expect(next.elapsed == .seconds(2))
        #expect(next.perSecond(next.statsNow?[.drop]) == 10)
        #expect(next.perSecond(next.eventsNow?.new) == 20)
    }

    @Test func `the age is known for as long as no look comes`() throws {
        var feed = Feed()
        feed.table(0)
        let ages = try (6...8).map { try feed.close(Double($0)).age }

        #expect(ages == [.seconds(6), .seconds(7), .seconds(8)])
    }
}
