// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// usage_high and table_full, with the default thresholds: 75 % for 30 s, 90 % for 5 s, clear 5 % below for 60 s.
@Suite struct UsageTests {
    @Test func `usage over the first threshold for its hold warns`() {
        var run = JudgeRun()
        run.samples(0...29, entries: 750)
        #expect(run.said == [])
        run.samples(30...30, entries: 750)

        #expect(run.said == ["WARNING usage_high"])
        #expect(run.lastSummary.hasPrefix("750 of 1000 entries (75.0%, threshold 75.0%);"))
    }

    @Test func `a peak shorter than the hold says nothing`() {
        var run = JudgeRun()
        for start in stride(from: 0, to: 300, by: 30) {
            run.samples(start...start + 28, entries: 800)
            run.samples(start + 29...start + 29, entries: 749)
        }

        #expect(run.said == [])
    }

    @Test func `it escalates, comes down, and ends, a line for each`() {
        var run = JudgeRun()
        run.samples(0...30, entries: 800)
        #expect(run.news() == ["WARNING usage_high"])
        run.samples(31...36, entries: 900)
        #expect(run.news() == ["CRITICAL usage_high"])
        run.samples(37...96, entries: 800)
        #expect(run.news() == [])
        run.samples(97...97, entries: 800)
        #expect(run.news() == ["WARNING usage_high"])
        run.samples(98...157, entries: 100)
        #expect(run.news() == [])
        run.samples(158...158, entries: 100)

        #expect(run.said == ["RESOLVED usage_high"])
        #expect(run.lastSummary == "after 128.0s: 100 of 1000 entries (10.0%)")
        #expect(run.judge.firing == [])
    }

    @Test func `a jump over both thresholds is critical after the shorter hold`() {
        var run = JudgeRun()
        run.samples(0...100, entries: 940)

        #expect(run.said == ["CRITICAL usage_high"])
        #expect(run.announcements.first?.time == Moment.at(5).wall)
        #expect(run.lastSummary.contains("threshold 90.0%"))
    }

    @Test func `it does not end within the margin`() {
        var run = JudgeRun()
        run.samples(0...30, entries: 750)
        _ = run.news()
        run.samples(31...500, entries: 701)
        #expect(run.said == [])
        run.samples(501...561, entries: 699)

        #expect(run.said == ["RESOLVED usage_high"])
    }

    @Test func `what swings about the threshold fires once`() {
        var run = JudgeRun()
        run.samples(0...30, entries: 760)
        for second in 31...300 { run.samples(second...second, entries: second % 2 == 0 ? 745 : 755) }

        #expect(run.said == ["WARNING usage_high"])
    }

    @Test func `a limit of 0 never fires, however many entries there are`() {
        var run = JudgeRun()
        run.samples(0...100, entries: 100_000_000, limit: 0)

        #expect(run.said == [])
    }

    @Test func `an alert ends when the limit becomes unlimited`() {
        var run = JudgeRun()
        run.samples(0...30, entries: 800)
        run.samples(31...91, entries: 800, limit: 0)

        #expect(run.said.filter { $0.hasSuffix("usage_high") } == ["WARNING usage_high", "RESOLVED usage_high"])
    }

    @Test func `while nothing is known what fires goes on`() {
        var run = JudgeRun()
        run.samples(0...30, entries: 800)
        run.samples(31...500, entries: nil)
        #expect(run.said == ["WARNING usage_high"])
        run.samples(501...561, entries: 100)

        #expect(run.said == ["WARNING usage_high", "RESOLVED usage_high"])
    }

    @Test func `while nothing is known no hold runs`() {
        var run = JudgeRun()
        run.samples(0...20, entries: 800)
        run.samples(21...21, entries: nil)
        run.samples(22...51, entries: 800)
        #expect(run.said == [])
        run.samples(52...52, entries: 800)

        #expect(run.said == ["WARNING usage_high"])
    }

    @Test func `what is known of the trend is said`() {
        var run = JudgeRun { $0.warnHold = .zero }
        run.samples(0...0, entries: 800) {
            $0.newRate = 4100
            $0.newRateSpan = .seconds(60)
            $0.fillRate = 2
        }

        #expect(
            run.lastSummary.hasPrefix(
                "800 of 1000 entries (80.0%, threshold 75.0%), full in 100.0s; in the last minute new 4100/s, filling by"
                    + " 2.0/s; next: "))
    }

    @Test(
        arguments: [
            (61, "in the last minute"), (50, "in the last minute"), (49.4, "in the last 49s"), (0.3, "in the last 1s"),
        ]
            as [(Double, String)])
    func `one time is named for all that is counted`(_ span: Double, _ words: String) {
        var run = JudgeRun { $0.warnHold = .zero }
        run.samples(0...0, entries: 800) {
            $0.newRate = 4.5
            $0.newRateSpan = .milliseconds(Int(span * 1000))
            $0.talkers = Reports.talkers
            $0.fillRate = -2
        }

        #expect(
            run.lastSummary.contains("; \(words) new 4.5/s, 83.2% of new seen from 203.0.113.9, at least 80.1% to "),
            "\(run.lastSummary)")
        #expect(!run.lastSummary.contains("58.2s"))
    }

    @Test(
        arguments: [
            (740, .warning, "74.0%, threshold 75.0%, ends below 70.0%"), (750, .warning, "75.0%, threshold 75.0%"),
            (880, .critical, "88.0%, threshold 90.0%, ends below 85.0%"), (880, .warning, "88.0%, threshold 75.0%"),
            (880, nil, "88.0%, threshold 75.0%"), (900, .warning, "90.0%, threshold 90.0%"),
            (900, .critical, "90.0%, threshold 90.0%"), (849, .critical, "84.9%, threshold 75.0%"),
            (740, nil, "74.0%, threshold 75.0%, ends below 70.0%"), (699, .warning, "69.9%, threshold 75.0%"),
        ] as [(UInt64, Level?, String)])
    func `below its threshold the level that holds on is named, and where it ends`(
        _ entries: UInt64, _ firing: Level?, _ words: String
    ) throws {
        var context = RuleContext(settings: RuleSettings())
        context.firing = firing
        let verdict = try #require(Rules.usageHigh.evaluate(.at(0, entries: entries), context))

        #expect(verdict.explanation.what == "\(entries) of 1000 entries (\(words))")
    }

    // MARK: table_full

    @Test func `drops beside a full table are table_full at once`() {
        var run = JudgeRun()
        run.samples(0...0, entries: 950) { $0.statsNow = StatValues([.drop: 3, .insertFailed: 1]) }

        #expect(run.said == ["CRITICAL table_full"])
        #expect(
            run.lastSummary
                == "950 of 1000 entries (95.0%): new connections are refused, the kernel dropped 2 packets in 1.0s;"
                + " next: conntrack-mon top --by state,protocol;"
                + " fix: sysctl -w net.netfilter.nf_conntrack_max=2000, and nf_conntrack_buckets to match")
    }

    @Test(
        arguments: [
            ("not full", 949, [.drop: 100]), ("only clashes", 1000, [.drop: 5, .insertFailed: 5]),
            ("more clashes than drops", 1000, [.drop: 5, .insertFailed: 9]), ("nothing dropped", 1000, [.drop: 0]),
            ("nothing known of drops", 1000, [:]),
        ] as [(String, UInt64, [Stat: UInt64])])
    func `no table_full when`(_ what: String, _ entries: UInt64, _ stats: [Stat: UInt64]) {
        var run = JudgeRun { $0.critHold = .seconds(1000) }
        run.samples(0...3, entries: entries) { $0.statsNow = StatValues(stats) }

        #expect(run.said == [], "\(what)")
    }

    @Test func `a table that was full within the second counts as full`() {
        var run = JudgeRun()
        run.samples(0...0, entries: 500) {
            $0.entriesPeakSecond = 1000
            $0.statsNow = StatValues([.drop: 1])
        }

        #expect(run.said == ["CRITICAL table_full"])
    }

    @Test func `the kernel's own words about this namespace suffice`() {
        var run = JudgeRun()
        run.samples(0...0) { $0.tableFullLines.ours = 1 }

        #expect(run.said == ["CRITICAL table_full"])
        #expect(run.lastSummary.contains("the kernel log says \"table full, dropping packet\""))
    }

    @Test(arguments: [(949, false), (950, true)] as [(UInt64, Bool)])
    func `a line of the kernel that names no namespace needs a full table`(_ entries: UInt64, _ fires: Bool) {
        var run = JudgeRun()
        run.samples(0...0, entries: entries) { $0.tableFullLines.unnamed = 1 }

        #expect(run.said == (fires ? ["CRITICAL table_full"] : []))
    }

    @Test func `it ends after a minute without`() {
        var run = JudgeRun()
        run.samples(0...0, entries: 1000) { $0.statsNow = StatValues([.drop: 1]) }
        run.samples(1...60, entries: 600) { $0.statsNow = StatValues([.drop: 0]) }
        #expect(run.said == ["CRITICAL table_full"])
        run.samples(61...61, entries: 600) { $0.statsNow = StatValues([.drop: 0]) }

        #expect(run.said == ["CRITICAL table_full", "RESOLVED table_full"])
    }

    // MARK: Causes

    @Test func `a child does not begin beside its cause, and begins when that has ended`() {
        var run = JudgeRun()
        run.samples(0...0, entries: 1000) { $0.statsNow = StatValues([.drop: 1]) }
        run.samples(1...60, entries: 940) { $0.statsNow = StatValues([.drop: 0, .earlyDrop: 500]) }
        #expect(run.said == ["CRITICAL table_full"])
        run.samples(61...62, entries: 940) { $0.statsNow = StatValues([.drop: 0, .earlyDrop: 500]) }

        #expect(
            Set(run.said) == [
                "CRITICAL table_full", "RESOLVED table_full", "CRITICAL usage_high", "WARNING early_drop",
            ])
        #expect(run.said.count == 4)
    }

    @Test func `a child that fires already is not said again beside its cause`() {
        var run = JudgeRun { $0.repeatEvery = .seconds(10) }
        run.samples(0...30, entries: 800)
        _ = run.news()
        run.samples(31...45, entries: 800) { $0.tableFullLines.ours = 1 }

        #expect(run.said == ["CRITICAL table_full", "CRITICAL table_full again"])
    }

    // MARK: Repeating

    @Test func `what fires is said again as often as told`() {
        var run = JudgeRun { $0.repeatEvery = .seconds(60) }
        run.samples(0...149, entries: 800)
        #expect(run.said == ["WARNING usage_high", "WARNING usage_high again"])
        run.samples(150...150, entries: 800)

        #expect(run.said == ["WARNING usage_high", "WARNING usage_high again", "WARNING usage_high again"])
    }

    @Test func `with repeat 0 it is said once`() {
        var run = JudgeRun { $0.repeatEvery = .zero }
        run.samples(0...10_000, entries: 800)

        #expect(run.said == ["WARNING usage_high"])
    }

    /// A table of half-open connections, looked into at `seconds`.
    private func survey(at seconds: Double) -> Survey {
        var survey = Survey(moment: .at(seconds), took: .seconds(1))
        survey.entries = 800
        survey.synReceived = 600
        return survey
    }

    @Test func `what fills the table is said as soon as it is known, once`() {
        var run = JudgeRun { $0.repeatEvery = .zero }
        run.samples(0...30, entries: 800)
        #expect(run.news() == ["WARNING usage_high"])
        run.samples(31...40, entries: 800) { $0.survey = survey(at: 30.5) }

        #expect(run.said == ["WARNING usage_high again"])
        #expect(run.lastSummary.contains("threshold 75.0%); why: SYN_RECV 75.0% (half-open"))
        #expect(run.lastSummary.contains("; next: conntrack -L -p tcp --state SYN_RECV; fix: sysctl -w "))
        #expect(run.announcements.first?.values["syn_recv_ratio"] == 0.75)
    }

    @Test func `a survey without an alert is not said`() {
        var run = JudgeRun()
        run.samples(0...10) { $0.survey = survey(at: 0) }

        #expect(run.said == [])
    }

    @Test func `a survey that is older than a minute says its age`() {
        var run = JudgeRun()
        run.samples(0...160, entries: 800) { $0.survey = survey(at: 30.5) }
        run.samples(161...166, entries: 950) { $0.survey = survey(at: 30.5) }

        #expect(run.said == ["WARNING usage_high", "CRITICAL usage_high"])
        #expect(run.lastSummary.contains("--state SYN_RECV (135.5s ago)"))
    }

    @Test func `from 95 percent on it says that the kernel evicts`() {
        var run = JudgeRun()
        run.samples(0...5, entries: 949)
        #expect(!run.lastSummary.contains("evict"))
        run = JudgeRun()
        run.samples(0...5, entries: 950)

        #expect(run.lastSummary.contains("; the kernel has begun to evict entries that are closing or not assured"))
    }

    @Test func `how many were evicted is said instead, wherever the table is by now`() {
        var run = JudgeRun { $0.repeatEvery = .zero }
        run.samples(0...0, entries: 960) { $0.statsNow = StatValues([.earlyDrop: 0]) }
        run.samples(1...5, entries: 940) { $0.statsNow = StatValues([.earlyDrop: $0.moment == .at(1) ? 37_852 : 0]) }

        let text = run.summary(of: "usage_high")
        #expect(text.contains("; 37852 live entries evicted in the last 5s; next: "), "\(text)")
        #expect(!text.contains("has begun to evict"))
    }

    @Test func `nothing stands out is not said beside somebody who does`() {
        var survey = survey(at: 0)
        survey.synReceived = 0
        func said(_ talkers: Talkers?) -> String {
            var run = JudgeRun { $0.warnHold = .zero }
            run.samples(0...0, entries: 800) {
                $0.survey = survey
                $0.talkers = talkers
            }
            return run.lastSummary
        }

        #expect(
            said(nil).contains(
                "; why: nothing stands out among 800 entries; next: conntrack-mon top --by state,protocol;"))
        #expect(!said(Reports.talkers).contains("nothing stands out"))
        #expect(said(Reports.talkers).contains("; next: conntrack-mon top --by destination,port; fix: "))
    }

    @Test func `the next command tells apart what is not told apart yet`() {
        func next(_ change: (inout TalkerWindow) -> Void) -> String? {
            var talkers = Reports.talkers
            change(&talkers.minute)
            var run = JudgeRun { $0.warnHold = .zero }
            run.samples(0...0, entries: 800) { $0.talkers = talkers }
            return run.announcements.last?.explanation.next
        }

        #expect(next { _ in } == "conntrack-mon top --by destination,port")
        #expect(next { $0.destinations.top = [] } == "conntrack-mon top --by source")
        #expect(next { ($0.destinations.top, $0.sources.top) = ([], []) } == "conntrack-mon top --by state,protocol")
    }

    @Test func `a survey of a hash that was resized says so`() {
        var run = JudgeRun { $0.warnHold = .zero }
        run.samples(0...0, entries: 800) {
            $0.survey = survey(at: 0)
            $0.survey?.isInterrupted = true
        }

        #expect(
            run.lastSummary.contains(
                "; the hash was resized meanwhile: some entries may be missing or counted twice; next: "))
    }
}
