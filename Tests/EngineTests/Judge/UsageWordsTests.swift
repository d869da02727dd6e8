// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// What usage_high says beside its figures: the trend, the threshold, evictions, and what a survey found.
@Suite struct UsageWordsTests {
    /// A table of half-open connections, looked into at `seconds`.
    private func survey(at seconds: Double) -> Survey {
        var survey = Survey(moment: .at(seconds), took: .seconds(1))
        survey.entries = 800
        survey.synReceived = 600
        return survey
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
        #expect(text.contains("; 37852 live entries evicted in the last 4s; next: "), "\(text)")
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
