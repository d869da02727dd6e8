// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// Alerts that fired when the last run ended, four minutes before this one.
@Suite struct RestoredAlertTests {
    private func kept(_ name: AlertName, _ level: Level = .warning, subject: String? = nil) -> KeptAlert {
        KeptAlert(
            name: name, subject: subject, level: level, since: Moment.at(-300).wall,
            what: "900 of 1000 entries (90.0%)",
            known: Moment.at(-240).wall)
    }

    private func run(_ alerts: KeptAlert..., change: (inout RuleSettings) -> Void = { _ in }) -> JudgeRun {
        var run = JudgeRun(change)
        run.restore(firing: alerts)
        return run
    }

    @Test func `one that goes on is not said again before its time`() {
        var run = run(kept(.usageHigh)) { $0.repeatEvery = .seconds(100) }
        #expect(run.judge.firing.map(\.name) == [.usageHigh])
        run.samples(1...99, entries: 800)
        #expect(run.said == [])
        run.samples(100...100, entries: 800)

        #expect(run.said == ["WARNING usage_high again"])
        #expect(run.judge.firing.first?.since.wall == Moment.at(-300).wall)
    }

    @Test func `before anything is seen of it, it says of when it is`() {
        let run = run(kept(.usageHigh, .critical))

        #expect(run.judge.firing.first?.summary == "last known at 05:43:02Z: 900 of 1000 entries (90.0%)")
    }

    @Test func `one that is over ends when it was clear for its clear hold`() {
        var run = run(kept(.usageHigh, .critical))
        run.samples(0...59, entries: 100)
        #expect(run.said == [])
        #expect(
            run.judge.firing.first?.summary
                == "last known at 05:43:02Z: 900 of 1000 entries (90.0%); now 100 of 1000 entries"
                + " (10.0%), over when clear for 60s")
        run.samples(60...60, entries: 100)

        #expect(run.said == ["RESOLVED usage_high"])
        #expect(run.announcements.last?.level == .critical)
        #expect(run.lastSummary == "after at most 360.0s: 100 of 1000 entries (10.0%)")
        #expect(run.judge.firing == [])
    }

    @Test func `one that goes on and ends later lasted since it was first said`() {
        var run = run(kept(.usageHigh))
        run.samples(0...10, entries: 800)
        run.samples(11...71, entries: 100)

        #expect(run.said == ["RESOLVED usage_high"])
        #expect(run.lastSummary == "after 371.0s: 100 of 1000 entries (10.0%)")
    }

    @Test func `one that gets worse is said`() {
        var run = run(kept(.usageHigh))
        run.samples(0...5, entries: 950)

        #expect(run.said == ["CRITICAL usage_high"])
    }

    @Test func `one that came down to a warning that is the case is said`() {
        var run = run(kept(.usageHigh, .critical))
        run.samples(0...60, entries: 800)

        #expect(run.said == ["WARNING usage_high"])
    }

    @Test func `one that cannot be judged now ends, when all that comes late has come`() {
        var run = run(kept(.eventsLost), kept(.usageHigh))
        run.samples(0...89, entries: 800)
        #expect(run.said == [])
        run.samples(90...200, entries: 800)

        #expect(run.said == ["RESOLVED events_lost"])
        #expect(run.lastSummary == "after at most 390.0s: not watched any more")
        #expect(run.judge.firing.map(\.name) == [.usageHigh])
    }

    @Test func `without a table nothing of it is over`() {
        var run = run(kept(.usageHigh), kept(.moduleUnloaded, .critical))
        for second in 0...200 {
            run.look(.gone(at: Double(second)))
            run.sample(.at(Double(second), entries: nil, limit: nil) { $0.table = .gone(at: Double(second)) })
        }

        #expect(run.said == [])
        #expect(run.judge.firing.map(\.name) == [.moduleUnloaded, .usageHigh])
    }

    @Test func `a module that is still gone was not never there, and its return is the end`() {
        var run = run(kept(.moduleUnloaded, .critical))
        run.look(.gone(at: 0))
        run.look(.gone(at: 10))
        #expect(run.said == [])
        #expect(
            run.judge.firing.first?.summary.hasPrefix("nf_conntrack has been gone since before this start:") == true)
        run.look(11)

        #expect(run.said == ["RESOLVED module_unloaded"])
        #expect(run.lastSummary == "after 311.0s: nf_conntrack is loaded again, it was gone for 11.0s")
    }

    @Test func `a module that is there again ends it at the first look`() {
        var run = run(kept(.moduleUnloaded, .critical))
        run.look(0)

        #expect(run.said == ["RESOLVED module_unloaded"])
        #expect(run.lastSummary == "after at most 300.0s: nf_conntrack is loaded again")
        #expect(run.judge.reloads == 0)
    }

    @Test func `a part that has not failed since the start is not said to work`() {
        var run = run(kept(.monitorDegraded, subject: "hook"))
        run.samples(0...9)
        #expect(run.said == [])
        run.samples(10...10)

        #expect(run.said == ["RESOLVED monitor_degraded(hook)"])
        #expect(run.lastSummary == "after at most 310.0s: hook has not failed since this start")
    }

    @Test func `a part that fails again goes on failing`() {
        var run = run(kept(.monitorDegraded, subject: "textfile"))
        run.samples(0...2)
        let fails: (inout Sample) -> Void = { $0.degraded = [Degradation(part: "textfile", reason: "No space left")] }
        run.samples(3...20, fails)
        #expect(run.said == [])
        run.samples(21...21)

        #expect(run.said == ["RESOLVED monitor_degraded(textfile)"])
        #expect(run.lastSummary == "after 321.0s: textfile works again")
    }

    @Test func `an absent module that nobody asks for any more is not said to be there`() {
        var run = run(kept(.moduleAbsent))
        for second in 0...90 {
            run.look(.gone(at: Double(second)))
            run.sample(.at(Double(second), entries: nil, limit: nil) { $0.table = .gone(at: Double(second)) })
        }

        #expect(run.said == ["NOTICE module_absent", "RESOLVED module_absent"])
        #expect(run.lastSummary == "after at most 390.0s: not watched any more")
    }

    @Test func `a wall clock that went back makes no time of less than nothing`() {
        var run = JudgeRun()
        var alert = kept(.usageHigh)
        alert.since = Moment.at(5000).wall
        run.restore(firing: [alert])
        run.samples(0...60)

        #expect(run.lastSummary == "after at most 0.0s: 100 of 1000 entries (10.0%)")
    }

    @Test func `what makes no sense is not taken`() {
        let run = run(
            kept(.tableFull, .warning), kept(.usageHigh, subject: "x"), kept(.monitorDegraded), kept(.limitDropped))

        #expect(run.judge.firing == [])
    }

    @Test func `what fires is kept as it is, and a fallen limit by its own watch`() {
        var run = JudgeRun()
        run.samples(0...5, entries: 950)
        run.samples(6...6, entries: 951, limit: 999)
        #expect(run.judge.firing.map(\.name) == [.usageHigh, .limitDropped])

        #expect(
            run.judge.keptAlerts == [
                KeptAlert(
                    name: .usageHigh, level: .critical, since: Moment.at(5).wall,
                    what: "951 of 999 entries (95.2%, threshold 90.0%)", known: Moment.at(6).wall)
            ])
    }

    @Test func `what was the case is kept with its time, also while it is over`() {
        var run = JudgeRun()
        run.samples(0...30, entries: 800)
        run.samples(31...40, entries: 20)
        #expect(run.judge.keptAlerts.map(\.known) == [Moment.at(30).wall])
        #expect(run.judge.keptAlerts.map(\.what) == ["800 of 1000 entries (80.0%, threshold 75.0%)"])
    }

    @Test func `a second restart keeps the time it was first said`() {
        var run = run(kept(.usageHigh))
        run.samples(-2...0, entries: 20)
        #expect(run.judge.keptAlerts == [kept(.usageHigh)])
        run.samples(0...1, entries: 800)

        #expect(run.judge.keptAlerts.map(\.since) == [Moment.at(-300).wall])
    }
}
