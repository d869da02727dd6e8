// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// Degradations, notices, gaps, and that the same samples give the same alerts.
@Suite struct JudgeTests {
    private func degraded(_ parts: String...) -> (inout Sample) -> Void {
        { sample in sample.degraded = parts.map { Degradation(part: $0, reason: "broken", remains: "the rest") } }
    }

    @Test func `each part that fails has its own alert, at once, and its own end`() {
        var run = JudgeRun()
        run.samples(0...3, degraded("textfile", "events"))
        #expect(run.news() == ["WARNING monitor_degraded(textfile)", "WARNING monitor_degraded(events)"])
        run.samples(4...4, degraded("events"))
        #expect(run.lastSummary == "after 4.0s: textfile works again")
        #expect(run.news() == ["RESOLVED monitor_degraded(textfile)"])
        run.samples(5...5)
        #expect(run.news() == ["RESOLVED monitor_degraded(events)"])
        run.samples(6...6, degraded("textfile"))

        #expect(run.said == ["WARNING monitor_degraded(textfile)"])
        #expect(run.lastSummary == "textfile: broken; the rest")
        #expect(run.judge.firing.map(\.subject) == ["textfile"])
    }

    @Test func `what fires is listed worst first, then by name`() {
        var run = JudgeRun()
        run.samples(0...0, entries: 1000) {
            $0.statsNow = StatValues([.drop: 1, .chainTooLong: 1])
            $0.buckets = 10
            degraded("b", "a")(&$0)
        }

        #expect(
            run.judge.firing.map { "\($0.name.rawValue) \($0.subject ?? "-")" } == [
                "table_full -", "hash_overloaded -", "monitor_degraded a", "monitor_degraded b",
            ])
    }

    // MARK: nothing_tracked

    @Test func `a table that stays empty is explained once`() {
        var run = JudgeRun()
        run.samples(0...1, entries: 0)
        #expect(run.said == [])
        run.samples(2...1000, entries: 0)

        #expect(run.said == ["NOTICE nothing_tracked"])
    }

    @Test func `a table that has had an entry needs no explanation`() {
        var run = JudgeRun()
        run.samples(0...0, entries: 1)
        run.samples(1...100, entries: 0)

        #expect(run.said == [])
    }

    @Test(arguments: [EventCounts(new: 1), EventCounts(destroy: 1)])
    func `a table that is empty at each look, and whose events come, needs none either`(_ events: EventCounts) {
        var run = JudgeRun()
        run.samples(0...1, entries: 0) { $0.events = EventCounts() }
        run.samples(2...2, entries: 0) { $0.events = events }
        run.samples(3...100, entries: 0) { $0.events = events }

        #expect(run.said == [])
    }

    @Test func `an empty table whose events are all lost needs none`() {
        var run = JudgeRun()
        run.samples(0...9, entries: 0) {
            $0.events = EventCounts()
            $0.lost.overrun = 5
        }

        #expect(run.said == [])
    }

    // MARK: Gaps

    @Test func `a gap is said, with its length`() {
        var run = JudgeRun()
        run.samples(0...0) { $0.gap = .seconds(125) }

        #expect(run.said == ["NOTICE sampling_gap"])
        #expect(run.lastSummary.hasPrefix("no sample for 125.0s"))
        #expect(run.announcements.first?.values == ["seconds": 125])
    }

    @Test func `a gap that begins without a look is said once, and the next one again`() {
        var run = JudgeRun()
        for second in 6...8 {
            run.samples(second...second) {
                $0.gap = .seconds(second)
                $0.age = .seconds(second)
            }
        }
        run.samples(9...9) { $0.gap = .seconds(9) }
        run.samples(10...10)
        #expect(run.lastSummary.hasPrefix("no sample for 6.0s (the thread that looks at the table is held up)"))
        #expect(run.news() == ["NOTICE sampling_gap"])
        run.samples(30...30) { $0.gap = .seconds(20) }

        #expect(run.said == ["NOTICE sampling_gap"])
    }

    @Test func `a look that is late moves no hold and ends nothing`() {
        var run = JudgeRun()
        run.samples(0...20, entries: 800)
        for second in 21...24 {
            run.sample(
                .at(Double(second)) {
                    $0.table = .at(20, entries: 100, limit: 1000)
                    $0.age = .seconds(second - 20)
                })
        }
        run.samples(25...29, entries: 800)
        #expect(run.said == [])
        run.samples(30...30, entries: 800)

        #expect(run.said == ["WARNING usage_high"])
    }

    @Test func `no hold runs across a gap`() {
        var run = JudgeRun()
        run.samples(0...20, entries: 800)
        run.samples(1000...1000, entries: 800) { $0.gap = .seconds(980) }
        run.samples(1001...1030, entries: 800)
        #expect(run.said == ["NOTICE sampling_gap"])
        run.samples(1031...1031, entries: 800)

        #expect(run.said == ["NOTICE sampling_gap", "WARNING usage_high"])
    }

    @Test func `what fires goes on across a gap, and its end waits the whole time`() {
        var run = JudgeRun { $0.repeatEvery = .zero }
        run.samples(0...30, entries: 800)
        run.samples(31...31, entries: 100)
        run.samples(1000...1000, entries: 100) { $0.gap = .seconds(969) }
        run.samples(1001...1060, entries: 100)
        #expect(run.said == ["WARNING usage_high", "NOTICE sampling_gap"])
        run.samples(1061...1061, entries: 100)

        #expect(run.said.last == "RESOLVED usage_high")
    }

    // MARK: Time

    /// A day in the life of a host: pressure, a reload that loses the limit, repair, losses.
    private func story(_ change: (inout Sample) -> Void = { _ in }) -> [Announcement] {
        var run = JudgeRun()
        run.samples(0...40, entries: 800, change)
        run.samples(41...50, entries: 950) {
            $0.statsNow = StatValues([.drop: 5])
            change(&$0)
        }
        var back = Sample.at(51, entries: 3, limit: 500)
        change(&back)
        back.table.unloaded = true
        back.table.moment = back.moment
        run.look(back.table)
        run.samples(52...60, entries: 3, limit: 500, change)
        run.samples(61...200, entries: 100) {
            $0.degraded = [Degradation(part: "events", reason: "gone")]
            change(&$0)
        }
        return run.announcements
    }

    @Test func `the same samples give the same announcements`() {
        let first = story()

        #expect(first.count >= 8)
        #expect(first == story())
    }

    @Test func `a wall clock that goes back changes nothing but what is printed`() {
        let back = story { sample in
            let second = sample.moment.monotonic - Moment.at(0).monotonic
            if second > .seconds(35) {
                sample.moment.wall.nanoseconds -= 3_600_000_000_000
                sample.table.moment.wall.nanoseconds -= 3_600_000_000_000
            }
        }
        let straight = story()

        #expect(back.map(\.brief) == straight.map(\.brief))
        #expect(back.map(\.summary) == straight.map(\.summary))
        #expect(back.last?.time != straight.last?.time)
    }
}
