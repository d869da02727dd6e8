// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// Limits written while the module stays loaded.
@Suite struct LimitTests {
    @Test func `a limit written lower is said at once, with the fix`() {
        var run = JudgeRun()
        run.look(0, limit: 1_048_576)
        run.look(0.1, limit: 65_536)

        #expect(run.said == ["CRITICAL limit_dropped"])
        #expect(
            run.lastSummary
                == "nf_conntrack_max 1048576 -> 65536 (written while the module stayed loaded); the highest count is not"
                + " known for 10 minutes yet; fix: sysctl -w net.netfilter.nf_conntrack_max=1048576")
        #expect(run.judge.drops == [.sysctlWrite: 1])
        #expect(run.announcements.first?.time == Moment.at(0.1).wall)
        #expect(
            run.announcements.first?.values == ["limit_before": 1_048_576, "limit": 65_536, "baseline": 1_048_576])
    }

    @Test func `an unchanged limit says nothing`() {
        var run = JudgeRun()
        for second in 0...100 { run.look(Double(second)) }

        #expect(run.said == [])
        #expect(!run.judge.isSettling)
    }

    @Test func `put back, it ends`() {
        var run = JudgeRun()
        run.look(0, limit: 1000)
        run.look(1, limit: 500)
        run.look(11, limit: 1000)

        #expect(run.said == ["CRITICAL limit_dropped", "RESOLVED limit_dropped"])
        #expect(run.lastSummary == "after 10.0s: nf_conntrack_max is 1000")
    }

    @Test func `raised in part, it goes on`() {
        var run = JudgeRun()
        run.look(0, limit: 1000)
        run.look(1, limit: 500)
        run.look(2, limit: 999)
        #expect(run.said == ["CRITICAL limit_dropped"])
        run.look(3, limit: 1000)

        #expect(run.said == ["CRITICAL limit_dropped", "RESOLVED limit_dropped"])
        #expect(run.judge.drops == [.sysctlWrite: 1])
    }

    @Test func `a raised limit becomes the normal one`() {
        var run = JudgeRun()
        run.look(0, limit: 1000)
        run.look(1, limit: 2000)
        #expect(run.news() == ["NOTICE limit_changed"])
        #expect(run.judge.baseline?.limit == 2000)
        #expect(run.judge.baseline?.source == .accepted)
        run.look(61, limit: 1000)

        #expect(run.said == ["CRITICAL limit_dropped"])
    }

    @Test(
        arguments: [
            (1000, 0, "NOTICE limit_changed"), (0, 1000, "CRITICAL limit_dropped"),
            (0, 2_147_483_647, "CRITICAL limit_dropped"),
        ] as [(UInt64, UInt64, String)])
    func `0 is unlimited and ranks above every number`(_ before: UInt64, _ after: UInt64, _ said: String) {
        var run = JudgeRun()
        run.look(0, limit: before)
        run.look(1, limit: after)

        #expect(run.said == [said])
        #expect(run.lastSummary.contains(before == 0 ? "unlimited (0) -> \(after)" : "\(before) -> unlimited (0)"))
    }

    @Test(
        arguments: [
            (1, 2, true), (2, 1, false), (2, 2, false), (0, 1, false), (1, 0, true), (0, 0, false), (.max, 0, true),
        ] as [(UInt64, UInt64, Bool)])
    func `limits are ordered with 0 on top`(_ limit: UInt64, _ other: UInt64, _ isLess: Bool) {
        #expect(ConntrackModel.isLess(limit, other) == isLess)
    }

    // MARK: --expect-max

    @Test func `below the expected limit at the start is a fall`() {
        var run = JudgeRun { $0.expectMax = 1000 }
        run.look(0, limit: 500)

        #expect(run.said == ["CRITICAL limit_dropped"])
        #expect(run.lastSummary.hasPrefix("nf_conntrack_max is 500 (below --expect-max 1000 since before"))
        #expect(run.judge.drops == [.unknown: 1])
        #expect(run.judge.baseline?.source == .flag)
    }

    @Test func `down to the expected limit is a change and no fall`() {
        var run = JudgeRun { $0.expectMax = 500 }
        run.look(0, limit: 1000)
        run.look(1, limit: 500)
        #expect(run.news() == ["NOTICE limit_changed"])
        run.look(2, limit: 499)

        #expect(run.said == ["CRITICAL limit_dropped"])
    }

    @Test func `what is below the expected limit is never accepted`() {
        var run = JudgeRun {
            $0.expectMax = 1000
            $0.repeatEvery = .zero
        }
        run.look(0, entries: 1, limit: 500)
        run.accept()
        run.look(1, entries: 1, limit: 500)
        run.look(100_000, entries: 1, limit: 500)

        #expect(run.said == ["CRITICAL limit_dropped"])
        #expect(run.judge.baseline?.limit == 1000)
    }

    // MARK: Adopting

    private func lowered(entries: UInt64, _ change: (inout RuleSettings) -> Void = { _ in }) -> JudgeRun {
        var run = JudgeRun {
            $0.repeatEvery = .zero
            change(&$0)
        }
        run.look(0, entries: entries, limit: 1000)
        run.look(1, entries: entries, limit: 500)
        run.look(900.9, entries: entries, limit: 500)
        return run
    }

    @Test func `a limit lowered by hand is adopted after 15 minutes`() {
        var run = lowered(entries: 374)
        #expect(run.said == ["CRITICAL limit_dropped"])
        run.look(901, entries: 374, limit: 500)

        #expect(run.said == ["CRITICAL limit_dropped", "RESOLVED limit_dropped"])
        #expect(run.lastSummary == "after 15m00s: 500 is accepted as the normal limit now (--adopt 15m00s)")
        #expect(run.judge.baseline?.limit == 500)
    }

    @Test func `a limit that did not suffice is not adopted`() {
        var run = lowered(entries: 375)
        run.look(902, entries: 1, limit: 500)
        run.look(100_000, entries: 1, limit: 500)

        #expect(run.said == ["CRITICAL limit_dropped"])
        #expect(run.judge.baseline?.limit == 1000)
    }

    @Test func `with adopt 0 none is adopted`() {
        var run = lowered(entries: 1) { $0.adopt = .zero }
        run.look(100_000, entries: 1, limit: 500)

        #expect(run.said == ["CRITICAL limit_dropped"])
    }

    @Test func `SIGHUP accepts what is live`() {
        var run = JudgeRun()
        run.look(0, limit: 1000)
        run.look(1, limit: 500)
        run.accept()
        run.look(2, limit: 500)

        #expect(run.said == ["CRITICAL limit_dropped", "RESOLVED limit_dropped"])
        #expect(run.lastSummary == "after 1.0s: 500 is accepted as the normal limit now")
        #expect(run.judge.baseline?.limit == 500)
    }

    // MARK: Level

    @Test(
        arguments: [
            (374, 600, "WARNING"), (375, 600, "CRITICAL"), (1, 599, "CRITICAL"), (nil, 600, "CRITICAL"),
        ] as [(UInt64?, Int, String)])
    func `critical is what the last 24 hours would not have fitted, or what is not known for 10 minutes`(
        _ peak: UInt64?, _ knownFor: Int, _ level: String
    ) {
        var run = JudgeRun()
        run.samples(0...0, limit: 1000) {
            $0.entriesPeakDay = peak
            $0.peakKnownFor = .seconds(knownFor)
        }
        run.look(1, limit: 500)

        #expect(run.said == ["\(level) limit_dropped"])
    }

    @Test func `the highest count is told as a share of the new limit`() {
        var run = JudgeRun()
        run.samples(0...0, limit: 1_048_576) {
            $0.entriesPeakDay = 412_003
            $0.peakKnownFor = .seconds(86_400)
        }
        run.look(1, limit: 65_536)

        #expect(run.lastSummary.contains("24h peak 412003 is 629% of the new limit;"))
    }

    @Test(arguments: ["blue", "root"])
    func `in a namespace of its own, whatever it is called, the fix names the host's`(_ name: String) {
        let identity = Identity(host: "gw12", netns: name, isInitialNamespace: false)
        var judge = Judge(settings: RuleSettings(), identity: identity)
        _ = judge.observe(.at(0, limit: 1000))
        let said = judge.observe(.at(1, limit: 500))

        #expect(said.first?.summary.contains("fix, in the host's namespace: sysctl -w") == true)
    }

    @Test func `a limit that cannot be read for a while says nothing and forgets nothing`() {
        var run = JudgeRun()
        run.look(0, limit: 1000)
        run.look(1, limit: nil)
        run.look(2, limit: 500)

        #expect(run.said == ["CRITICAL limit_dropped"])
    }
}
