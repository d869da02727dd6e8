// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// Rates while only part of the time is listened.
@Suite struct EventEstimateTests {
    /// A second a step: so many entries in the table, and so much of `duty` to come.
    private struct Run {
        var estimate = EventEstimate()
        var duty = EventDuty(settledAt: Moment.at(0).monotonic)
        var second = 0.0

        /// A second in which `made` entries came, known or estimated, and the groups were left for `away` seconds.
        mutating func step(
            made: Double, away: Double = 0, entries: UInt64? = 1000, gap: Duration? = nil,
            tableEntries: UInt64? = nil, kinds: EventGroups = [.new, .destroy],
            _ change: (inout EventDuty) -> Void = { _ in }
        ) -> Sample {
            for tenth in 1...10 {
                if let entries { estimate.add(entries: entries, at: Moment.at(second + Double(tenth) / 10).monotonic) }
            }
            second += 1
            duty.made += made
            duty.span += 1
            duty.away += away
            duty.ratio = 1 - away
            duty.settledAt = Moment.at(second).monotonic
            change(&duty)
            var sample = Sample.at(second, entries: tableEntries)
            sample.gap = gap
            sample.kinds = kinds
            estimate.close(&sample, duty)
            return sample
        }
    }

    @Test func `listened all the time, nothing is estimated`() {
        var run = Run()
        let samples = (0..<70).map { _ in run.step(made: 500) }

        #expect(samples.allSatisfy { !$0.isPartial && $0.newEstimate == nil && $0.destroyEstimate == nil })
        #expect(samples.allSatisfy { !$0.isNewRateEstimated })
    }

    @Test func `the new rate is scaled; the destroy rate is it less what the table gained`() throws {
        var run = Run()
        _ = run.step(made: 500)
        for second in 1...4 { _ = run.step(made: 40_000, away: 0.95, entries: 1000 + 600 * UInt64(second)) }
        var sample = Sample.at(0)
        for second in 5...7 {
            // Within a second too: 60 each tenth.
            for tenth in 1...10 {
                run.estimate.add(
                    entries: 3400 + 600 * UInt64(second - 5) + 60 * UInt64(tenth),
                    at: Moment.at(run.second + Double(tenth) / 10).monotonic)
            }
            sample = run.step(made: 41_000, away: 0.95, entries: nil)
        }

        #expect(sample.isPartial)
        #expect(sample.newEstimate == 41_000)
        #expect(abs(try #require(sample.destroyEstimate) - 40_400) < 1)
        #expect(sample.newPerSecond == 41_000)
        #expect(sample.isNewRateEstimated)
    }

    @Test func `the rate of the last minute counts each second alike, however much of it was listened`() throws {
        var run = Run()
        _ = run.step(made: 0)
        for _ in 0..<30 { _ = run.step(made: 1000) }
        var sample = Sample.at(0)
        for _ in 0..<30 { sample = run.step(made: 400_000, away: 0.95) }

        #expect(sample.newRate == 200_500)
        #expect(sample.isNewRateEstimated)
        for _ in 0..<61 { sample = run.step(made: 1000) }
        #expect(!sample.isNewRateEstimated)
    }

    @Test func `what the table gained did come, whatever the windows heard`() throws {
        var run = Run()
        _ = run.step(made: 0, entries: 0, tableEntries: 1000)
        var sample = Sample.at(0)
        for second in 1...5 {
            for tenth in 1...10 {
                run.estimate.add(
                    entries: UInt64(second * 1000 + tenth * 100),
                    at: Moment.at(run.second + Double(tenth) / 10).monotonic)
            }
            sample = run.step(made: 40, away: 0.95, entries: nil, tableEntries: UInt64(second * 1000 + 1000))
        }

        #expect(abs(try #require(sample.newEstimate) - 1000) < 1)
        #expect(try #require(sample.destroyEstimate) < 1)
        #expect(abs(try #require(sample.newRate) - 1000) < 250)
    }

    @Test(arguments: [[], .destroy, .new] as [EventGroups])
    func `only of kinds that are heard`(_ kinds: EventGroups) {
        var run = Run()
        _ = run.step(made: 0)
        _ = run.step(made: 40_000, away: 0.9, kinds: kinds)
        let sample = run.step(made: 40_000, away: 0.9, kinds: kinds)

        #expect(sample.isPartial)
        #expect((sample.newEstimate != nil) == (kinds == .new))
        #expect(sample.destroyEstimate == nil)
        #expect((sample.newRate != nil) == (kinds == .new))
    }

    @Test func `a table that falls faster than new ones come gives no negative rate`() {
        var run = Run()
        _ = run.step(made: 0)
        for second in 0..<5 { _ = run.step(made: 10, away: 0.5, entries: 5000 - 1000 * UInt64(second)) }

        #expect((run.step(made: 10, away: 0.5, entries: 0).destroyEstimate ?? -1) >= 0)
    }

    enum Doubt: CaseIterable {
        case hindered, gap, old
    }

    @Test(arguments: Doubt.allCases)
    func `what is not known is no estimate, and not the count of a part`(_ doubt: Doubt) {
        var run = Run()
        _ = run.step(made: 0)
        _ = run.step(made: 40_000, away: 0.9)
        let sample = run.step(made: 40_000, away: 0.9, gap: doubt == .gap ? .seconds(9) : nil) {
            if doubt == .hindered { $0.hindrance = .settling }
            if doubt == .old { $0.settledAt = Moment.at(-20).monotonic }
        }

        #expect(sample.isPartial)
        #expect(sample.newPerSecond == nil)
        #expect(sample.destroyPerSecond == nil)
    }

    @Test func `an interval without a window keeps the estimate of the one before`() {
        var run = Run()
        _ = run.step(made: 0)
        _ = run.step(made: 40_000, away: 0.9)
        let sample = run.step(made: 0, away: 1) { $0.span -= 1 }

        #expect(sample.newEstimate == 40_000)
    }

    @Test func `after a reload the table's change is not known until a second has passed`() {
        var run = Run()
        _ = run.step(made: 0)
        _ = run.step(made: 40_000, away: 0.9)
        run.estimate.reset()
        let sample = run.step(made: 40_000, away: 0.9, entries: nil)

        #expect(sample.newEstimate == 40_000)
        #expect(sample.destroyEstimate == nil)
    }

    @Test func `the cost of listening is that of a whole minute, or not known`() {
        var run = Run()
        let loads = (0...61).map { _ in run.step(made: 0) { $0.spent += 0.25 }.eventLoadMinute }

        #expect(loads[..<60].allSatisfy { $0 == nil })
        #expect(loads[60...].allSatisfy { $0 == 0.25 })
    }

    @Test func `not listening at all there is no duty`() {
        var estimate = EventEstimate()
        var sample = Sample.at(0)
        estimate.close(&sample, nil)

        #expect(sample.duty == nil)
        #expect(!sample.isPartial)
    }
}
