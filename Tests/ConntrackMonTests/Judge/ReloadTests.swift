// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// The module goes and comes back: settle 2 s, unload-hold 5 s.
@Suite struct ReloadTests {
    private let reload = ["NOTICE module_reloaded", "CRITICAL limit_dropped"]

    @Test func `a reload is said at once, its lower limit after it had time to be put back`() {
        var run = JudgeRun()
        run.look(0, entries: 412_003, limit: 1_048_576)
        run.look(.gone(at: 1, unloaded: true))
        run.look(2.5, entries: 2, limit: 65_536)
        #expect(run.said == ["NOTICE module_reloaded"])
        #expect(run.judge.isSettling)
        #expect(
            run.lastSummary
                == "nf_conntrack was unloaded and loaded again (was gone for 1.5s); 412003 tracked connections forgotten;"
                + " nf_conntrack_max 1048576 -> 65536, judged in 2.0s")
        run.look(4.4, entries: 2, limit: 65_536)
        #expect(run.said == ["NOTICE module_reloaded"])
        run.look(4.5, entries: 2, limit: 65_536)

        #expect(run.said == reload)
        #expect(run.lastSummary.contains("1048576 -> 65536 (module reloaded 2.0s ago, 412003 tracked"))
        #expect(run.judge.drops == [.moduleReload: 1])
        #expect(run.judge.reloads == 1)
        #expect(!run.judge.isSettling)
    }

    @Test func `all that belongs to one reload shares its incident`() {
        var run = JudgeRun()
        run.look(0)
        run.look(.gone(at: 1, unloaded: true))
        run.look(2, limit: 500)
        run.look(5, limit: 500)
        let incidents = run.announcements.map(\.incident)

        #expect(incidents == ["reload-2026-11-24T05:47:04.310Z", "reload-2026-11-24T05:47:04.310Z"])
    }

    @Test func `a reload between two looks is a reload, whatever the limit is now`() {
        var run = JudgeRun()
        run.look(0, limit: 1000)
        run.look(1, limit: 1000, unloaded: true)
        run.look(4, limit: 1000)

        #expect(run.said == ["NOTICE module_reloaded"])
        #expect(run.lastSummary.contains("(between two looks)"))
    }

    @Test func `a limit put back while it settles is a notice and no alert`() {
        var run = JudgeRun()
        run.look(0, limit: 1000)
        run.look(1, limit: 500, unloaded: true)
        run.look(2, limit: 1000)
        run.look(3, limit: 1000)

        #expect(run.said == ["NOTICE module_reloaded", "NOTICE limit_restored"])
        #expect(run.announcements.last?.values == ["limit_lowest": 500, "limit": 1000])
        #expect(run.judge.drops == [:])
    }

    @Test func `a limit that comes back higher becomes the normal one`() {
        var run = JudgeRun()
        run.look(0, limit: 1000)
        run.look(1, limit: 2000, unloaded: true)
        run.look(3, limit: 2000)

        #expect(run.said == ["NOTICE module_reloaded"])
        #expect(run.judge.baseline?.limit == 2000)
    }

    @Test func `two reloads in a row are judged once, against the limit before the first`() {
        var run = JudgeRun()
        run.look(0, limit: 1000)
        run.look(1, limit: 500, unloaded: true)
        run.look(2, limit: 500, unloaded: true)
        run.look(3.9, limit: 500)
        run.look(4, limit: 500)

        #expect(run.said == reload)
        #expect(run.lastSummary.hasPrefix("nf_conntrack_max 1000 -> 500 (module reloaded 2 times, last 2.0s ago"))
        #expect(run.judge.reloads == 2)
    }

    @Test func `a limit lost in a reload is never adopted`() {
        var run = JudgeRun { $0.repeatEvery = .zero }
        run.look(0, entries: 1, limit: 1000)
        run.look(1, entries: 1, limit: 500, unloaded: true)
        run.look(3, entries: 1, limit: 500)
        run.look(100_000, entries: 1, limit: 500)

        #expect(run.said == reload)
    }

    @Test func `repaired after a reload it ends`() {
        var run = JudgeRun()
        run.look(0, limit: 1000)
        run.look(1, limit: 500, unloaded: true)
        run.look(3, limit: 500)
        run.look(60, limit: 1000)

        #expect(run.said == reload + ["RESOLVED limit_dropped"])
    }

    @Test func `with settle 0 a reload is judged at once`() {
        var run = JudgeRun { $0.settle = .zero }
        run.look(0, limit: 1000)
        run.look(1, limit: 500, unloaded: true)

        #expect(run.said == reload)
    }

    @Test func `the expected limit is what a reload is judged by`() {
        var run = JudgeRun { $0.expectMax = 400 }
        run.look(0, limit: 1000)
        run.look(1, limit: 500, unloaded: true)
        run.look(3, limit: 500)
        #expect(run.news() == ["NOTICE module_reloaded"])
        run.look(4, limit: 300, unloaded: true)
        run.look(6, limit: 300)

        #expect(run.said == reload)
    }

    // MARK: Torn looks

    @Test func `an unload proved by a look that does not know the limit is remembered`() {
        var run = JudgeRun()
        run.look(0, limit: 1000)
        run.look(1, limit: nil, unloaded: true)
        run.look(1.1, limit: 500)

        #expect(run.said == ["NOTICE module_reloaded"])
        run.look(3.1, limit: 500)
        #expect(run.said == reload)
    }

    @Test func `a module that goes between the reads of one look is one reload`() {
        var run = JudgeRun()
        run.look(0, limit: 1000)
        var torn = TableLook.at(1, entries: nil, limit: 1000, unloaded: true)
        torn.entriesFault = ENOENT
        run.look(torn)
        run.look(.gone(at: 1.1, unloaded: true))
        #expect(run.said == [])
        run.look(2, limit: 1000)

        #expect(run.said == ["NOTICE module_reloaded"])
        #expect(run.judge.reloads == 1)
    }

    // MARK: Gone

    @Test func `gone for the hold is an alert, and back is its end`() {
        var run = JudgeRun()
        run.look(0)
        run.look(.gone(at: 1, unloaded: true))
        run.look(.gone(at: 5.9))
        #expect(run.said == [])
        run.look(.gone(at: 6))
        #expect(run.news() == ["CRITICAL module_unloaded"])
        run.look(.gone(at: 100))
        run.look(101)

        #expect(run.said == ["NOTICE module_reloaded", "RESOLVED module_unloaded"])
        #expect(run.lastSummary == "after 95.0s: nf_conntrack is loaded again, it was gone for 100.0s")
    }

    @Test func `the hold runs between looks as well`() {
        var run = JudgeRun()
        run.look(0)
        run.look(.gone(at: 1, unloaded: true))
        var sample = Sample.at(6)
        sample.table = .gone(at: 5.5)
        run.sample(sample)

        #expect(run.said == ["CRITICAL module_unloaded"])
    }

    @Test func `never there is a notice, once, and no alert`() {
        var run = JudgeRun()
        for second in 0...100 { run.look(.gone(at: Double(second))) }

        #expect(run.said == ["NOTICE module_absent"])
    }

    @Test func `a module that was never there and comes is the first look`() {
        var run = JudgeRun()
        run.look(.gone(at: 0))
        run.look(1, limit: 500)
        run.look(9, limit: 500)

        #expect(run.said == ["NOTICE module_absent"])
        #expect(run.judge.baseline?.limit == 500)
        #expect(run.judge.reloads == 0)
    }

    @Test func `usage is not judged beside the unload that explains it`() {
        var run = JudgeRun()
        run.look(0)
        run.look(.gone(at: 1, unloaded: true))
        run.look(.gone(at: 6))
        run.samples(7...40, entries: 10, limit: 1000)

        #expect(run.said == ["CRITICAL module_unloaded", "NOTICE module_reloaded", "RESOLVED module_unloaded"])
    }
}
