// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// The rules with holds of their own.
@Suite struct RuleTests {
    /// Shows the same statistics a second, and says when the first line came.
    private func firstSaid(_ stats: [Stat: UInt64], for seconds: Int = 120) -> [String] {
        var run = JudgeRun()
        run.samples(0...seconds) { $0.statsNow = StatValues(stats) }
        return run.announcements.map { announcement in
            let second = (announcement.time.nanoseconds - Moment.at(0).wall.nanoseconds) / 1_000_000_000
            return "\(second) \(announcement.brief)"
        }
    }

    @Test(
        arguments: [
            ([.insertFailed: 2], ["60 WARNING insert_clash"]), ([.insertFailed: 1], []),
            ([.earlyDrop: 11], ["30 WARNING early_drop"]), ([.earlyDrop: 10], []),
            ([.chainTooLong: 1], []), ([:], []),
        ] as [([Stat: UInt64], [String])])
    func `a statistic that rises fast enough fires after its hold`(_ stats: [Stat: UInt64], _ said: [String]) {
        #expect(firstSaid(stats) == said)
    }

    @Test(arguments: [("insert_clash", Stat.insertFailed), ("early_drop", Stat.earlyDrop)])
    func `it ends a minute after it stopped rising`(_ name: String, _ stat: Stat) {
        var run = JudgeRun()
        run.samples(0...60) { $0.statsNow = StatValues([stat: 100]) }
        run.samples(61...120) { $0.statsNow = StatValues([stat: 0]) }
        #expect(run.said == ["WARNING \(name)"])
        run.samples(121...121) { $0.statsNow = StatValues([stat: 0]) }

        #expect(run.said == ["WARNING \(name)", "RESOLVED \(name)"])
        #expect(run.lastSummary.hasSuffix("rises by 0.0/s"))
    }

    @Test func `without statistics nothing ends and nothing begins`() {
        var run = JudgeRun()
        run.samples(0...60) { $0.statsNow = StatValues([.earlyDrop: 100]) }
        run.samples(61...500)

        #expect(run.said == ["WARNING early_drop"])
    }

    // MARK: fill_forecast

    @Test(
        arguments: [
            ("full in 10 minutes", 500, 0.84, true), ("full later", 500, 0.83, false),
            ("less than half used", 499, 50, false),
            ("emptying", 700, -5, false), ("standing still", 700, 0, false),
        ] as [(String, UInt64, Double, Bool)])
    func `the forecast looks 10 minutes ahead`(_ what: String, _ entries: UInt64, _ rate: Double, _ fires: Bool) {
        var run = JudgeRun()
        run.samples(0...29, entries: entries) { $0.fillRate = rate }
        #expect(run.said == [], "\(what)")
        run.samples(30...30, entries: entries) { $0.fillRate = rate }

        #expect(run.said == (fires ? ["WARNING fill_forecast"] : []), "\(what)")
    }

    @Test func `the forecast ends when the table would be full in twice that time`() {
        var run = JudgeRun()
        run.samples(0...30, entries: 500) { $0.fillRate = 1 }
        run.samples(31...200, entries: 500) { $0.fillRate = 0.42 }
        #expect(run.said == ["WARNING fill_forecast"])
        run.samples(201...201, entries: 500) { $0.fillRate = 0.41 }

        #expect(run.said == ["WARNING fill_forecast", "RESOLVED fill_forecast"])
    }

    @Test func `a table that no longer fills is full never`() {
        var run = JudgeRun()
        run.samples(0...30, entries: 500) { $0.fillRate = 1 }
        run.samples(31...31, entries: 500) { $0.fillRate = -1 }

        #expect(run.said == ["WARNING fill_forecast", "RESOLVED fill_forecast"])
        #expect(run.lastSummary == "after 1.0s: not filling: 50.0% used, by -1.0/s")
    }

    @Test func `forecast 0 is off`() {
        var run = JudgeRun { $0.forecast = .zero }
        run.samples(0...100, entries: 600) { $0.fillRate = 100 }

        #expect(run.said == [])
    }

    // MARK: hash_overloaded

    @Test(
        arguments: [
            (400, 100, 0, false), (401, 100, 0, true), (10, 100, 1, true), (401, nil, 5, false), (401, 0, 0, false),
        ] as [(UInt64, UInt64?, UInt64, Bool)])
    func `chains of more than 8, or too long for the kernel, are an overload`(
        _ entries: UInt64, _ buckets: UInt64?, _ tooLong: UInt64, _ fires: Bool
    ) {
        var run = JudgeRun()
        run.samples(0...0, entries: entries) {
            $0.buckets = buckets
            $0.statsNow = StatValues([.chainTooLong: tooLong])
        }

        #expect(run.said == (fires ? ["WARNING hash_overloaded"] : []))
    }

    // MARK: events_lost

    @Test(
        arguments: [(99, ["NOTICE events_lost"]), (100, ["NOTICE events_lost"]), (101, ["WARNING events_lost"])]
            as [(UInt64, [String])])
    func `a loss of more than 1 % in a minute warns, a smaller one is noticed`(_ lost: UInt64, _ said: [String]) {
        var run = JudgeRun()
        run.samples(0...0) {
            $0.eventsMinute = 10_000 - lost
            $0.lostNow.overrun = lost
            $0.lostMinute.overrun = lost
        }

        #expect(run.said == said)
        #expect(run.lastSummary.hasPrefix("\(lost) events (\(lost) overrun) lost"))
    }

    @Test func `a small loss is noticed once a minute, with the sum of what was unsaid`() {
        var run = JudgeRun()
        run.samples(0...59) {
            $0.eventsMinute = 1_000_000
            $0.lostNow.dropped = 1
            $0.lostMinute.dropped = 60
        }
        #expect(run.announcements.map(\.summary) == ["1 events (1 dropped) lost"])
        run.samples(60...60) {
            $0.eventsMinute = 1_000_000
            $0.lostNow = LostEvents(overrun: 2, truncated: 3, malformed: 4)
            $0.lostMinute.dropped = 60
        }

        #expect(run.said == ["NOTICE events_lost", "NOTICE events_lost"])
        #expect(run.lastSummary == "68 events (2 overrun, 3 truncated, 4 malformed, 59 dropped) lost")
    }

    @Test func `what the alert has said is not noticed afterwards`() {
        var run = JudgeRun()
        run.samples(0...0) {
            $0.eventsMinute = 100
            $0.lostNow.overrun = 50
            $0.lostMinute.overrun = 50
        }
        run.samples(1...59) {
            $0.eventsMinute = 100
            $0.lostMinute.overrun = 50
        }
        run.samples(60...200) { $0.eventsMinute = 100 }

        #expect(run.said == ["WARNING events_lost", "RESOLVED events_lost"])
    }

    @Test func `a loss that the kernel cannot count is a lower bound`() {
        #expect(Rules.lossText(LostEvents(overrun: 1), exact: false) == "at least 1 events (1 overrun)")
    }

    @Test func `without events nothing is lost`() {
        var run = JudgeRun()
        run.samples(0...100) { $0.eventsMinute = nil }

        #expect(run.said == [])
    }
}
