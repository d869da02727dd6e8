// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

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
            ([.earlyDrop: 11], ["10 NOTICE early_drop", "30 WARNING early_drop"]),
            ([.earlyDrop: 10], ["10 NOTICE early_drop"]), ([.earlyDrop: 1], []),
            ([.insertFailed: 5, .chainTooLong: 4], []),
            ([.insertFailed: 6, .chainTooLong: 4], ["60 WARNING insert_clash"]),
            ([.chainTooLong: 1], []), ([:], []),
        ] as [([Stat: UInt64], [String])])
    func `a statistic that rises fast enough fires after its hold`(_ stats: [Stat: UInt64], _ said: [String]) {
        #expect(firstSaid(stats) == said)
    }

    @Test(arguments: [("insert_clash", Stat.insertFailed), ("early_drop", Stat.earlyDrop)])
    func `it ends a minute after it stopped rising`(_ name: String, _ stat: Stat) {
        var run = JudgeRun()
        run.samples(0...60) { $0.statsNow = StatValues([stat: 100]) }
        #expect(run.said.last == "WARNING \(name)")
        _ = run.news()
        run.samples(61...118) { $0.statsNow = StatValues([stat: 0]) }
        #expect(run.said == [])
        run.samples(119...120) { $0.statsNow = StatValues([stat: 0]) }

        #expect(run.said == ["RESOLVED \(name)"])
        #expect(run.lastSummary.contains("\(stat.name) rose by 0 in the last "))
        #expect(run.lastSummary.hasSuffix(" (0.0/s)"))
    }

    @Test func `without statistics nothing ends and nothing begins`() {
        var run = JudgeRun()
        run.samples(0...60) { $0.statsNow = StatValues([.insertFailed: 100]) }
        run.samples(61...500)

        #expect(run.said == ["WARNING insert_clash"])
    }

    @Test(
        arguments: [
            (Stat.insertFailed, 107, ["60 WARNING insert_clash"]), (.earlyDrop, 300, ["30 WARNING early_drop"]),
        ]
            as [(Stat, UInt64, [String])])
    func `a quiet second now and then hides nothing`(_ stat: Stat, _ rate: UInt64, _ said: [String]) {
        var run = JudgeRun()
        for second in 0...200 {
            run.samples(second...second) { $0.statsNow = StatValues([stat: second % 5 == 4 ? 0 : rate]) }
        }
        let alerts = run.announcements.filter { $0.state != .notice }

        #expect(alerts.map { "\(Int($0.time.seconds - Moment.at(0).wall.seconds)) \($0.brief)" } == said)
    }

    @Test func `a mean is said with its time`() {
        var run = JudgeRun()
        run.samples(0...60) { $0.statsNow = StatValues([.insertFailed: 107]) }
        #expect(run.lastSummary.hasPrefix("insert_failed rose by 6420 in the last minute (107.0/s): "))
        run = JudgeRun()
        run.samples(0...30) { $0.statsNow = StatValues([.earlyDrop: 300]) }
        #expect(run.lastSummary.hasPrefix("early_drop rose by 9000 in the last 30s (300.0/s): "))
    }

    @Test(arguments: [(false, 0), (true, 0), (false, 1)] as [(Bool, UInt64)])
    func `the share of what was to be made is said where all of that is known`(_ isEstimated: Bool, _ lost: UInt64) {
        var run = JudgeRun()
        run.samples(0...60) {
            $0.statsNow = StatValues([.insertFailed: 62])
            $0.newRate = 38
            $0.newRateSpan = .seconds(60)
            $0.isNewRateEstimated = isEstimated
            $0.lostMinute.overrun = lost
        }
        let isKnown = !isEstimated && lost == 0

        #expect(run.lastSummary.contains("; that is 62.0% of all entries to be made; fix: ") == isKnown)
    }

    @Test func `a mean about the threshold fires once`() {
        var run = JudgeRun()
        // Of any minute 20 or 40 seconds have clashes: the mean is between 0.67 and 1.33.
        for second in 0...600 {
            run.samples(second...second) { $0.statsNow = StatValues([.insertFailed: second / 20 % 2 == 0 ? 2 : 0]) }
        }

        #expect(run.said == ["WARNING insert_clash"])
    }

    @Test(arguments: [(Stat.insertFailed, []), (.earlyDrop, ["NOTICE early_drop"])] as [(Stat, [String])])
    func `one burst is no state`(_ stat: Stat, _ said: [String]) {
        var run = JudgeRun()
        // In two seconds, so that they lie in two steps at some time.
        run.samples(0...300) {
            $0.statsNow = StatValues([stat: [.at(100), .at(101)].contains($0.moment) ? 20_000 : 0])
        }

        #expect(run.said == said)
    }

    @Test(arguments: [(Stat.insertFailed, "insert_clash"), (.earlyDrop, "early_drop")])
    func `bursts that come again and again are one`(_ stat: Stat, _ name: String) {
        var run = JudgeRun()
        for second in 0...300 {
            run.samples(second...second) { $0.statsNow = StatValues([stat: second % 12 == 0 ? 400 : 0]) }
        }

        #expect(run.said.filter { $0.hasPrefix("WARNING") } == ["WARNING \(name)"])
    }

    // MARK: The notice early_drop

    @Test func `evictions in one second are noticed, with their number`() {
        var run = JudgeRun()
        run.samples(0...10) { $0.statsNow = StatValues([.earlyDrop: 0]) }
        run.samples(11...11) {
            $0.statsNow = StatValues([.earlyDrop: 37_852])
            $0.buckets = 250
        }

        #expect(run.said == ["NOTICE early_drop"])
        #expect(
            run.lastSummary
                == "37852 live entries evicted in the last 11s: the table was full, and new connections took the place of"
                + " those not assured; fix: sysctl -w net.netfilter.nf_conntrack_max=2000"
                + " net.netfilter.nf_conntrack_buckets=500")
        #expect(run.announcements.last?.values == ["early_drop": 37_852])
    }

    @Test func `evictions are noticed once in ten minutes, with the sum of what was unsaid`() {
        var run = JudgeRun()
        run.samples(0...0) { $0.statsNow = StatValues([.earlyDrop: 0]) }
        for second in 1...700 {
            let burst: UInt64 = [100: 150, 300: 200, 500: 90, 650: 80][second] ?? 0
            run.samples(second...second) { $0.statsNow = StatValues([.earlyDrop: burst]) }
        }

        #expect(run.announcements.map(\.summary).count == 2)
        #expect(run.announcements.first?.summary.hasPrefix("150 live entries evicted in the last minute: ") == true)
        // 200 and 90; 80 in a minute are not worth a word of their own, but were since.
        #expect(run.lastSummary.hasPrefix("370 live entries evicted in the last 8 minutes: "), "\(run.lastSummary)")
    }

    @Test func `a few evictions are not noticed`() {
        var run = JudgeRun()
        run.samples(0...1000) { $0.statsNow = StatValues([.earlyDrop: 1]) }

        #expect(run.said == [])
    }

    @Test func `evictions are not noticed beside an alert that tells of them`() {
        var run = JudgeRun { $0.critHold = .seconds(10_000) }
        run.samples(0...0, entries: 1000) { $0.statsNow = StatValues([.drop: 0, .earlyDrop: 0]) }
        run.samples(1...1, entries: 1000) { $0.statsNow = StatValues([.drop: 5, .earlyDrop: 500]) }
        run.samples(2...300, entries: 800) { $0.statsNow = StatValues([.drop: 0, .earlyDrop: 0]) }

        #expect(run.said.filter { $0.hasSuffix("early_drop") } == [])
        #expect(run.announcements.first?.summary.contains("; 500 live entries evicted in the last 1s; next: ") == true)
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
        #expect(run.lastSummary == "after 1.0s: 50.0% used, emptying by 1.0/s")
    }

    @Test func `what has risen and stands still is not on its way to the limit`() {
        var run = JudgeRun()
        // From 0 to 600 in 100 s, and there it stays: after 10 s only the minute still says that it fills.
        var slope = FillSlope()
        for second in 0...400 {
            let entries = UInt64(min(600, second * 6))
            slope.add(entries, at: Moment.at(Double(second)).monotonic)
            run.samples(second...second, entries: entries) {
                $0.fillRate = slope.perSecond
                $0.fillRateRecent = slope.recentPerSecond
                #expect(second < 112 || $0.timeToFull == nil, "at \(second)")
            }
        }

        #expect(run.said == [])
    }

    @Test func `a rate that goes on is told also where it is uneven`() {
        var run = JudgeRun()
        var slope = FillSlope()
        for second in 0...95 {
            // Six entries a second, in steps of four seconds.
            let entries = UInt64(300 + second / 4 * 24)
            slope.add(entries, at: Moment.at(Double(second)).monotonic)
            run.samples(second...second, entries: min(entries, 740)) {
                $0.fillRate = slope.perSecond
                $0.fillRateRecent = slope.recentPerSecond
            }
        }

        #expect(run.said == ["WARNING fill_forecast"])
    }

    @Test(
        arguments: [
            (0.04, nil, "50.0% used, not filling"), (-0.04, nil, "50.0% used, not filling"),
            (0.05, nil, "50.0% used, filling by 0.1/s, full in 2h46m"),
        ] as [(Double, Double?, String)])
    func `what rounds to nothing is not said`(_ rate: Double, _ recent: Double?, _ calm: String) throws {
        let sample = Sample.at(0, entries: 500) { $0.fillRate = rate }
        let verdict = try #require(Rules.fillForecast.evaluate(sample, RuleContext(settings: RuleSettings())))

        #expect(verdict.calm == calm)
        #expect(verdict.crossed == nil)
    }

    @Test func `a forecast beyond a day is none`() {
        #expect(Sample.at(0, entries: 0, limit: 86_400) { $0.fillRate = 1 }.timeToFull == 86_400)
        #expect(Sample.at(0, entries: 0, limit: 86_401) { $0.fillRate = 1 }.timeToFull == nil)
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

    @Test func `the hash is all namespaces', so that its load is the least it can be`() {
        var run = JudgeRun()
        run.samples(0...0, entries: 900) { $0.buckets = 100 }

        #expect(
            run.lastSummary
                == "100 buckets for this namespace's 900 entries: at least 18.0 to search for each packet; fix: sysctl -w"
                + " net.netfilter.nf_conntrack_buckets=900")
    }

    @Test func `buckets that there are already are no cure`() {
        var run = JudgeRun()
        run.samples(0...0, entries: 10) {
            $0.buckets = 1000
            $0.statsNow = StatValues([.chainTooLong: 1])
        }

        #expect(run.said == ["WARNING hash_overloaded"])
        #expect(!run.lastSummary.contains("fix"))
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
