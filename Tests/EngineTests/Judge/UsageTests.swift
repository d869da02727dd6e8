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
}
