// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// The highest count of a window that slides.
@Suite struct SlidingPeakTests {
    private func time(_ seconds: Double) -> MonotonicTime { Moment.at(seconds).monotonic }

    @Test func `without a value there is no peak`() {
        var peak = SlidingPeak(step: .seconds(1), steps: 3)
        #expect(peak.highest(at: time(0)) == nil)
    }

    @Test func `a peak stays for the window and leaves in whole steps`() {
        var peak = SlidingPeak(step: .seconds(1), steps: 3)
        for (seconds, value) in [(0.0, 90), (0.5, 100), (1.0, 20), (2.0, 30)] as [(Double, UInt64)] {
            peak.add(value, at: time(seconds))
        }
        let highest = [2.9, 3.0, 4.0, 5.0].map { peak.highest(at: time($0)) }

        #expect(highest == [100, 30, 30, nil])
    }

    @Test func `a pause longer than the window leaves nothing of it`() {
        var peak = SlidingPeak(step: .seconds(1), steps: 3)
        peak.add(100, at: time(0))
        peak.add(1, at: time(1000))

        #expect(peak.highest(at: time(1000)) == 1)
    }

    @Test func `a value from before the newest does not bring the window back`() {
        var peak = SlidingPeak(step: .seconds(1), steps: 3)
        peak.add(5, at: time(10))
        #expect(peak.highest(at: time(9)) == 5)
        #expect(peak.highest(at: time(12)) == 5)
    }
}

/// The line through a minute of counts.
@Suite struct SlopeTests {
    private func slope(from start: Double = 0, to end: Double, by rate: Double) -> Slope {
        var slope = Slope(window: .seconds(60))
        for second in stride(from: start, through: end, by: 1) {
            slope.add(UInt64(10_000 + rate * second), at: Moment.at(second).monotonic)
        }
        return slope
    }

    @Test(arguments: [100, 0, -100, 1])
    func `a straight line's slope is exact`(_ rate: Double) throws {
        let perSecond = try #require(slope(to: 60, by: rate).perSecond)
        #expect(abs(perSecond - rate) < 1e-9)
    }

    @Test func `a table that stands still has a slope of exactly 0, whenever it was looked at`() {
        var slope = Slope(window: .seconds(60))
        for second in 0...60 { slope.add(777_777, at: Moment.at(Double(second) * 1.003_7 + 0.000_123).monotonic) }

        #expect(slope.perSecond == 0)
    }

    @Test func `nothing is said before the whole window is known`() {
        #expect(slope(to: 0, by: 10).perSecond == nil)
        #expect(slope(to: 59, by: 10).perSecond == nil)
    }

    @Test func `only the window counts`() throws {
        var slope = slope(to: 100, by: 50)
        for second in 101...161 { slope.add(15_000, at: Moment.at(Double(second)).monotonic) }

        #expect(try abs(#require(slope.perSecond)) < 1e-9)
    }

    @Test func `one step within the window is spread over it, not taken for a trend`() throws {
        var slope = Slope(window: .seconds(60))
        for second in 0...60 { slope.add(second < 60 ? 0 : 600, at: Moment.at(Double(second)).monotonic) }

        #expect(try #require(slope.perSecond) < 1)
    }

    @Test func `after a reset the window begins anew`() {
        var slope = slope(to: 100, by: 10)
        slope.reset()
        slope.add(1, at: Moment.at(101).monotonic)

        #expect(slope.perSecond == nil)
    }
}

/// Growth of the statistics over a minute.
@Suite struct StatHistoryTests {
    private func sample(_ seconds: Double, drops: UInt64?, gap: Duration? = nil) -> Sample {
        .at(seconds) {
            $0.gap = gap
            $0.stats = drops.map { StatValues([.drop: $0]) }
        }
    }

    @Test func `a mean is of the minute, or of what is known of it`() {
        var history = StatHistory()
        var seen: [Int: StatGrowth] = [:]
        for second in 0...200 {
            var sample = sample(Double(second), drops: 1000 + UInt64(second) * 2)
            history.look(back: &sample, isNew: true)
            seen[second] = sample.statsMinute
            if second == 100 {
                #expect(sample.statsHalfMinute == StatGrowth(StatValues([.drop: 60]), in: .seconds(30)))
            }
        }

        #expect(seen[0] == nil)
        #expect(seen[7] == StatGrowth(StatValues([.drop: 14]), in: .seconds(7)))
        #expect(seen[200] == StatGrowth(StatValues([.drop: 120]), in: .seconds(60)))
        #expect(seen[200]?.perSecond(.drop) == 2)
        #expect(seen[200]?.perSecond(.found) == nil)
    }

    @Test func `short intervals keep the minute, and few points`() throws {
        var history = StatHistory()
        for tick in 0...1400 {
            var sample = sample(Double(tick) / 20, drops: UInt64(tick))
            history.look(back: &sample, isNew: true)
            guard tick == 1400 else { continue }
            let growth = try #require(sample.statsMinute)
            #expect(growth.span >= .seconds(60) && growth.span <= .milliseconds(60_500))
            #expect(growth.perSecond(.drop) == 20)
        }
    }

    @Test(arguments: [1, 10, 30, 60])
    func `what goes on is told from one burst, as far as the intervals are short`(_ interval: Int) throws {
        var (steady, burst) = (StatHistory(), StatHistory())
        for second in stride(from: 0, through: 240, by: interval) {
            var (first, second) = (
                sample(Double(second), drops: UInt64(second)), sample(Double(second), drops: second < 200 ? 0 : 1000)
            )
            steady.look(back: &first, isNew: true)
            burst.look(back: &second, isNew: true)
            guard first.moment == .at(240) else { continue }
            #expect(try #require(first.statsMinute).goesOn(.drop))
            // Of two halves of a minute one is half of it.
            #expect(try #require(second.statsMinute).goesOn(.drop) == (interval >= 30))
        }
    }

    @Test func `nothing is told across a gap, and of an interval without a reading`() {
        var history = StatHistory()
        var first = sample(0, drops: 5)
        history.look(back: &first, isNew: true)
        var stale = sample(1, drops: 5)
        history.look(back: &stale, isNew: false)
        #expect(stale.statsMinute == nil)
        var gap = sample(20, drops: 500, gap: .seconds(19))
        history.look(back: &gap, isNew: true)
        #expect(gap.statsMinute == nil)
        var after = sample(21, drops: 501)
        history.look(back: &after, isNew: true)

        #expect(after.statsMinute == StatGrowth(StatValues([.drop: 1]), in: .seconds(1)))
    }
}

/// The minute's slope beside that of ten seconds.
@Suite struct FillSlopeTests {
    @Test func `what has risen and stands still is told by the last ten seconds`() throws {
        var slope = FillSlope()
        for second in 0...70 { slope.add(UInt64(min(second, 60) * 10), at: Moment.at(Double(second)).monotonic) }

        #expect(try #require(slope.perSecond) > 5)
        #expect(slope.recentPerSecond == 0)
        slope.reset()
        #expect(slope.perSecond == nil)
        #expect(slope.recentPerSecond == nil)
    }
}
