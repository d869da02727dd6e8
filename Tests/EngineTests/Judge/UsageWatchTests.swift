// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// usage_high by looks, between samples that are far apart.
@Suite struct UsageWatchTests {
    /// One that has judged its first sample, of a table that is far from full.
    private func started(_ change: (inout RuleSettings) -> Void = { _ in }) -> JudgeRun {
        var run = JudgeRun(change)
        run.samples(0...0)
        return run
    }

    /// Looks every 100 ms over `seconds`.
    private func looks(_ run: inout JudgeRun, _ seconds: ClosedRange<Double>, entries: UInt64?, limit: UInt64? = 1000) {
        var tenth = (seconds.lowerBound * 10).rounded()
        while tenth <= seconds.upperBound * 10 {
            run.look(tenth / 10, entries: entries, limit: limit)
            tenth += 1
        }
    }

    @Test func `a hold begins and ends between samples`() {
        var run = started()
        looks(&run, 0.1...3, entries: 100)
        looks(&run, 3.1...8, entries: 999)
        #expect(run.said == [])
        looks(&run, 8.1...8.1, entries: 998)

        #expect(run.said == ["CRITICAL usage_high"])
        #expect(run.announcements.first?.time == Moment.at(8.1).wall)
        #expect(run.lastSummary.hasPrefix("998 of 1000 entries (99.8%, threshold 90.0%);"))
    }

    @Test func `one look below starts it again`() {
        var run = started()
        for start in stride(from: 0.0, to: 60, by: 4) {
            looks(&run, start...start + 3.8, entries: 999)
            run.look(start + 3.9, entries: 100)
        }

        #expect(run.said == [])
    }

    @Test func `the clear hold is of looks too`() {
        var run = started()
        looks(&run, 0...5, entries: 999)
        looks(&run, 5.1...65, entries: 100)
        #expect(run.said == ["CRITICAL usage_high"])
        looks(&run, 65.1...65.1, entries: 90)

        #expect(run.said == ["CRITICAL usage_high", "RESOLVED usage_high"])
        #expect(run.lastSummary == "after 60.1s: 90 of 1000 entries (9.00%)")
    }

    @Test func `a sample after it says nothing twice`() {
        var run = started()
        looks(&run, 0...5, entries: 999)
        run.samples(6...60, entries: 999)

        #expect(run.said == ["CRITICAL usage_high"])
    }

    @Test(arguments: [(1.0, true), (2.0, true), (2.1, false), (20, false)])
    func `the trend of the last sample is told while it is of this moment`(_ age: Double, _ told: Bool) {
        var run = JudgeRun { $0.critHold = .zero }
        run.samples(0...0) {
            $0.newRate = 4100
            $0.newRateSpan = .seconds(60)
            $0.fillRate = 2
        }
        run.look(age / 2)
        run.look(age, entries: 950)

        #expect(run.said == ["CRITICAL usage_high"])
        #expect(run.lastSummary.contains(", full in 25.0s") == told)
        #expect(run.lastSummary.contains("4100/s") == told)
        #expect(run.lastSummary.contains("/s") == told)
    }

    @Test func `no hold runs across a gap between looks`() {
        var run = started()
        run.look(0, entries: 999)
        run.look(4.9, entries: 999)
        run.look(10, entries: 999)
        run.look(14.9, entries: 999)
        #expect(run.said == [])
        run.look(15, entries: 999)
        #expect(run.said == ["CRITICAL usage_high"])
        run.look(16, entries: 100)
        run.look(80, entries: 100)
        for second in 81...139 { run.look(Double(second), entries: 100) }
        #expect(run.said == ["CRITICAL usage_high"])
        run.look(140, entries: 100)

        #expect(run.said == ["CRITICAL usage_high", "RESOLVED usage_high"])
    }

    @Test func `while the table cannot be read no hold runs`() {
        var run = started()
        looks(&run, 0...4.8, entries: 999)
        run.look(4.9, entries: nil)
        looks(&run, 5...9.9, entries: 999)
        #expect(run.said == [])
        run.look(10, entries: 999)

        #expect(run.said == ["CRITICAL usage_high"])
    }

    @Test func `a limit that falls is a change of usage`() {
        var run = started { $0.expectMax = 500 }
        looks(&run, 0...1, entries: 480)
        looks(&run, 1.1...6.1, entries: 480, limit: 500)

        #expect(run.said.filter { $0.hasSuffix("usage_high") } == ["CRITICAL usage_high"])
    }

    @Test func `what its cause kept back is said at the look after the cause ended`() {
        var run = JudgeRun()
        run.samples(0...0, entries: 1000) { $0.statsNow = StatValues([.drop: 1]) }
        looks(&run, 0.1...20, entries: 940)
        run.sample(.at(20, entries: 940) { $0.statsNow = StatValues([.drop: 0]) })
        looks(&run, 20.1...80, entries: 940)
        #expect(run.said == ["CRITICAL table_full"])
        run.sample(.at(80, entries: 940) { $0.statsNow = StatValues([.drop: 0]) })
        run.look(80.1, entries: 940)

        #expect(run.said == ["CRITICAL table_full", "RESOLVED table_full", "CRITICAL usage_high"])
    }

    @Test func `it has the rule's levels for every usage`() {
        var settings = RuleSettings()
        (settings.warn, settings.crit, settings.clearMargin) = (0.7, 0.9, 0.05)
        for entries in UInt64(0)...1100 {
            for limit in [0, 1000, 999] as [UInt64] {
                let verdict = Rules.usageHigh.evaluate(
                    .at(0, entries: entries, limit: limit), RuleContext(settings: settings))
                var watch = UsageWatch(settings: settings)
                watch.tell(verdict?.levels, due: nil)
                #expect(watch.observe(.at(0, entries: entries, limit: limit), isWhole: true) == .none, "\(entries)")
            }
        }
    }
}
