// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// What a firing alert says while it is not the case, and what it says as it comes down.
@Suite struct ClearingTests {
    private func firing(_ run: JudgeRun, _ name: AlertName = .usageHigh) -> FiringAlert? {
        run.judge.firing.first { $0.name == name }
    }

    // MARK: The past

    @Test func `an alert in its clear hold says what was, until when, and what is`() throws {
        var run = JudgeRun()
        run.samples(0...30, entries: 800)
        #expect(firing(run)?.clearingSince == nil)
        run.samples(31...40, entries: 100)
        let alert = try #require(firing(run))

        #expect(
            alert.summary == "was until 05:47:33Z: 800 of 1000 entries (80.0%, threshold 75.0%);"
                + " now 100 of 1000 entries (10.0%), over when clear for 60s")
        #expect(alert.explanation.headline == alert.summary)
        #expect(alert.clearingSince == .at(31))
        #expect(alert.since == .at(30))
    }

    @Test func `its figures are those of the last look that had it, and of the last one`() throws {
        var run = JudgeRun()
        run.samples(0...30, entries: 800)
        run.samples(31...31, entries: 820)
        run.samples(32...32, entries: 300)
        run.samples(33...33, entries: 200)

        #expect(try #require(firing(run)).summary.contains("820 of 1000 entries (82.0%, threshold 75.0%); now 200 of"))
    }

    @Test func `a full table that is empty is not said to refuse anything now`() throws {
        var run = JudgeRun()
        run.samples(0...0, entries: 1000) { $0.statsNow = StatValues([.drop: 7]) }
        run.samples(1...2, entries: 14) { $0.statsNow = StatValues([.drop: 0]) }

        #expect(
            try #require(firing(run, .tableFull)).summary
                == "was until 05:47:03Z: 1000 of 1000 entries (100.0%): new connections are refused, the kernel dropped 7"
                + " packets in 1.0s; now 14 of 1000 entries (1.40%), over when clear for 60s")
    }

    @Test func `when it is the case again it says so in the present`() throws {
        var run = JudgeRun()
        run.samples(0...30, entries: 800)
        run.samples(31...40, entries: 100)
        run.samples(41...41, entries: 810)
        let alert = try #require(firing(run))

        #expect(alert.summary.hasPrefix("810 of 1000 entries (81.0%, threshold 75.0%);"))
        #expect(alert.clearingSince == nil)
    }

    @Test func `within the margin it has figures of now`() throws {
        var run = JudgeRun()
        run.samples(0...30, entries: 800)
        run.samples(31...40, entries: 720)
        let alert = try #require(firing(run))

        #expect(alert.summary.hasPrefix("720 of 1000 entries (72.0%, threshold 75.0%"))
        #expect(alert.clearingSince == nil)
    }

    @Test func `a higher level that is over stands beside the lower one that is the case`() throws {
        var run = JudgeRun()
        run.samples(0...40, entries: 940)
        run.samples(41...50, entries: 800)
        let alert = try #require(firing(run))

        #expect(alert.level == .critical)
        #expect(alert.summary.hasPrefix("800 of 1000 entries (80.0%, threshold 75.0%); critical until 05:47:43Z; "))
        #expect(alert.clearingSince == .at(41))
    }

    @Test func `what is not known now is told as of when it was`() throws {
        var run = JudgeRun()
        run.samples(0...30, entries: 800)
        run.samples(31...40, entries: nil)
        #expect(
            try #require(firing(run)).summary.hasPrefix(
                "last known at 05:47:32Z: 800 of 1000 entries (80.0%, threshold"))
        run.samples(41...45, entries: 100)
        run.samples(46...50, entries: nil)
        let alert = try #require(firing(run))

        #expect(
            alert.summary
                == "was until 05:47:43Z: 800 of 1000 entries (80.0%, threshold 75.0%); last known at 05:47:47Z:"
                + " 100 of 1000 entries (10.0%), over when clear for 60s")
    }

    @Test func `it is not said again while it waits for its clear hold, but when it is the case again`() {
        var run = JudgeRun { $0.repeatEvery = .seconds(40) }
        run.samples(0...60, entries: 800)
        run.samples(61...115, entries: 100)
        #expect(run.news() == ["WARNING usage_high"])
        run.samples(116...116, entries: 830)

        #expect(run.said == ["WARNING usage_high again"])
        #expect(run.lastSummary.hasPrefix("830 of 1000 entries"))
    }

    @Test func `nor does what becomes known of it break in on that`() {
        var run = JudgeRun()
        run.samples(0...30, entries: 800)
        var survey = Survey(moment: .at(31))
        survey.entries = 800
        run.samples(31...91, entries: 100) { $0.survey = survey }

        #expect(run.said == ["WARNING usage_high", "RESOLVED usage_high"])
    }

    @Test func `every alert with a clear hold does so`() throws {
        var run = JudgeRun()
        run.samples(0...0) {
            $0.buckets = 10
            $0.eventsMinute = 100
            $0.lostMinute.overrun = 50
        }
        #expect(run.judge.firing.map(\.name) == [.hashOverloaded, .eventsLost])
        #expect(run.judge.firing.allSatisfy { $0.clearingSince == nil })
        run.samples(1...5) {
            $0.buckets = 1000
            $0.eventsMinute = 100
        }
        let alerts = run.judge.firing

        #expect(alerts.map(\.clearingSince) == [.at(1), .at(1)])
        for alert in alerts {
            #expect(alert.summary.hasPrefix("was until 05:47:03Z: "))
            #expect(alert.summary.contains("; now "))
            #expect(alert.summary.hasSuffix(", over when clear for 60s"))
        }
    }

    // MARK: Coming down

    @Test func `down from critical into the margin of the warning nothing is said, and nothing is until it ends`() {
        var run = JudgeRun()
        run.samples(0...40, entries: 940)
        #expect(run.news() == ["CRITICAL usage_high"])
        run.samples(41...150, entries: 720)
        #expect(run.said == [])
        #expect(run.judge.firing.map(\.level) == [.warning])
        #expect(run.judge.firing.first?.since == .at(5))
        run.samples(151...210, entries: 100)
        #expect(run.said == [])
        run.samples(211...211, entries: 100)

        #expect(run.said == ["RESOLVED usage_high"])
        #expect(run.announcements.last?.level == .critical)
        #expect(run.lastSummary == "after 206.0s: 100 of 1000 entries (10.0%)")
    }

    @Test func `down from critical to nothing there is one end and no warning`() {
        var run = JudgeRun()
        run.samples(0...40, entries: 940)
        run.samples(41...45, entries: 720)
        run.samples(46...46, entries: 20)
        run.samples(47...200, entries: 20)

        #expect(run.said == ["CRITICAL usage_high", "RESOLVED usage_high"])
        #expect(run.judge.firing == [])
    }

    @Test func `down from critical to a warning that is the case it is said, with figures of now`() {
        var run = JudgeRun()
        run.samples(0...40, entries: 940)
        run.samples(41...101, entries: 760)

        #expect(run.said == ["CRITICAL usage_high", "WARNING usage_high"])
        #expect(run.lastSummary.hasPrefix("760 of 1000 entries (76.0%, threshold 75.0%);"))
        run.samples(102...200, entries: 20)
        #expect(run.said.last == "RESOLVED usage_high")
        #expect(run.announcements.last?.level == .warning)
    }

    @Test func `a warning that came unsaid is not said when it swings, and critical is said anew`() {
        var run = JudgeRun()
        run.samples(0...40, entries: 940)
        run.samples(41...110, entries: 720)
        for second in 111...200 { run.samples(second...second, entries: second % 2 == 0 ? 740 : 760) }
        #expect(run.said == ["CRITICAL usage_high"])
        run.samples(201...206, entries: 920)

        #expect(run.said == ["CRITICAL usage_high", "CRITICAL usage_high"])
        #expect(run.announcements.map(\.state) == [.firing, .firing])
    }

    @Test func `what swings about the critical threshold is said once`() {
        var run = JudgeRun()
        run.samples(0...10, entries: 940)
        for second in 11...400 { run.samples(second...second, entries: [940, 880, 840, 800][second % 4]) }

        #expect(run.said == ["CRITICAL usage_high"])
    }

    // MARK: Causes

    @Test func `a child that is the case no more when its cause ends was never said, and has no end`() {
        var run = JudgeRun()
        run.samples(0...0, entries: 1000) { $0.statsNow = StatValues([.drop: 1]) }
        run.samples(1...25, entries: 940) { $0.statsNow = StatValues([.drop: 0, .earlyDrop: 500]) }
        run.samples(26...200, entries: 100) { $0.statsNow = StatValues([.drop: 0, .earlyDrop: 0]) }

        #expect(run.said == ["CRITICAL table_full", "RESOLVED table_full"])
    }

    @Test func `a child that is still the case when its cause ends is said with figures of now`() {
        var run = JudgeRun()
        run.samples(0...0, entries: 1000) { $0.statsNow = StatValues([.drop: 1]) }
        run.samples(1...50, entries: 940) { $0.statsNow = StatValues([.drop: 0]) }
        run.samples(51...62, entries: 910) { $0.statsNow = StatValues([.drop: 0]) }

        #expect(run.said == ["CRITICAL table_full", "RESOLVED table_full", "CRITICAL usage_high"])
        #expect(run.lastSummary.hasPrefix("910 of 1000 entries (91.0%, threshold 90.0%);"))
        #expect(run.judge.firing.first?.since == .at(62))
    }
}
