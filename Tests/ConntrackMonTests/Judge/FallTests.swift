// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// One fall after another: what is said and counted once.
@Suite struct FallTests {
    private let reload = ["NOTICE module_reloaded", "CRITICAL limit_dropped"]

    @Test func `a reload of a limit that had fallen before and falls no further is no new fall`() {
        var run = JudgeRun()
        run.look(0, limit: 1000)
        run.look(1, limit: 500, unloaded: true)
        run.look(3, limit: 500)
        #expect(run.news() == reload)
        run.look(100, limit: 500, unloaded: true)
        run.look(102, limit: 500)

        #expect(run.said == ["NOTICE module_reloaded"])
        #expect(run.judge.drops == [.moduleReload: 1])
    }

    @Test func `a limit lowered by hand that a reload lowers further is lost in the reload, and never adopted`() {
        var run = JudgeRun { $0.repeatEvery = .zero }
        run.look(0, entries: 1, limit: 1000)
        run.look(1, entries: 1, limit: 800)
        run.look(900, entries: 1, limit: 500, unloaded: true)
        // Fifteen minutes after the write, while the reload settles.
        run.look(901, entries: 1, limit: 500)
        run.look(902, entries: 1, limit: 500)
        run.look(100_000, entries: 1, limit: 500)

        #expect(run.said == ["CRITICAL limit_dropped", "NOTICE module_reloaded"])
        #expect(run.judge.drops == [.sysctlWrite: 1, .moduleReload: 1])
        #expect(run.judge.baseline?.limit == 1000)
    }

    @Test func `a value written a moment ago is not adopted for one that was written long before`() {
        var run = JudgeRun { $0.repeatEvery = .zero }
        run.look(0, entries: 1, limit: 1000)
        run.look(1, entries: 1, limit: 800)
        run.look(900, entries: 1, limit: 10)
        run.look(901, entries: 1, limit: 10)
        #expect(run.said == ["CRITICAL limit_dropped"])
        run.look(1800, entries: 1, limit: 10)

        #expect(run.said == ["CRITICAL limit_dropped", "RESOLVED limit_dropped"])
    }

    @Test func `several reloads while one settles are one notice and one alert`() {
        var run = JudgeRun()
        run.look(0, limit: 1000)
        run.look(1, limit: 500, unloaded: true)
        run.look(2, limit: 400, unloaded: true)
        run.look(3, limit: 500, unloaded: true)
        run.look(5, limit: 500)

        #expect(run.said == reload)
        #expect(run.lastSummary.hasPrefix("nf_conntrack_max 1000 -> 500 (module reloaded 3 times, last 2.0s ago"))
        #expect(run.judge.reloads == 3)
        #expect(run.judge.drops == [.moduleReload: 1])
    }

    @Test func `several reloads that leave the limit as it was are told together`() {
        var run = JudgeRun()
        run.look(0, limit: 1000)
        for second in [1.0, 2, 3] { run.look(second, limit: 1000, unloaded: true) }
        run.look(5, limit: 1000)

        #expect(run.said == ["NOTICE module_reloaded", "NOTICE module_reloaded"])
        #expect(run.lastSummary == "nf_conntrack was reloaded 3 times in all, limit as before")
    }

    @Test func `put back in part while it settles, it has fallen from where it was`() {
        var run = JudgeRun()
        run.look(0, limit: 1000)
        run.look(1, limit: 500, unloaded: true)
        run.look(2, limit: 900)
        run.look(3, limit: 900)

        #expect(run.said == reload)
        #expect(run.lastSummary.hasPrefix("nf_conntrack_max 1000 -> 900 "))
    }

    @Test(arguments: [(0, 65_536, true), (65_536, 0, false), (0, 0, false)] as [(UInt64, UInt64, Bool)])
    func `unlimited is lost in a reload like a number`(_ before: UInt64, _ after: UInt64, _ fell: Bool) {
        var run = JudgeRun()
        run.look(0, limit: before)
        run.look(1, limit: after, unloaded: true)
        run.look(3, limit: after)

        #expect(run.said == (fell ? reload : ["NOTICE module_reloaded"]))
        #expect(run.judge.baseline?.limit == (fell ? before : after))
    }

    @Test func `restored to unlimited while it settles is told with both values`() {
        var run = JudgeRun()
        run.look(0, limit: 0)
        run.look(1, limit: 65_536, unloaded: true)
        run.look(2, limit: 0)
        run.look(3, limit: 0)

        #expect(run.said == ["NOTICE module_reloaded", "NOTICE limit_restored"])
        #expect(
            run.lastSummary == "nf_conntrack_max came back as 65536 from the reload and was put back to unlimited (0)")
    }

    @Test func `only a reload is prevented by the doctor`() {
        var run = JudgeRun()
        run.look(0, limit: 1000)
        run.look(1, limit: 900)
        #expect(!run.lastSummary.contains("doctor"))
        run.look(2, limit: 500, unloaded: true)
        run.samples(4...4, limit: 500)
        var other = JudgeRun()
        other.look(0, limit: 1000)
        other.look(1, limit: 500, unloaded: true)
        other.look(3, limit: 500)

        #expect(other.lastSummary.hasSuffix("nf_conntrack_max=1000; prevent: conntrack-mon doctor"))
    }

    @Test func `what the expected limit allows is the normal one after a reload too`() {
        var run = JudgeRun { $0.expectMax = 400 }
        run.look(0, limit: 1000)
        run.look(1, limit: 500, unloaded: true)
        run.look(3, limit: 500)

        #expect(run.said == ["NOTICE module_reloaded"])
        #expect(run.judge.keep?.limit.accepted == 500)
    }

    @Test func `nobody waits for a reload to settle while the module is gone again`() {
        var run = JudgeRun()
        run.look(0, limit: 1000)
        run.look(1, limit: 500, unloaded: true)
        #expect(run.judge.settlesAt == Moment.at(3).monotonic)
        run.look(.gone(at: 2, unloaded: true))
        #expect(run.judge.settlesAt == nil)
        #expect(run.judge.isSettling)
        run.look(4, limit: 500)

        #expect(run.judge.settlesAt == Moment.at(6).monotonic)
    }
}
