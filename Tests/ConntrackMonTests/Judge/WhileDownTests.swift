// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// What happened while the monitor was not running, as a state file tells it.
@Suite struct WhileDownTests {
    private static let dropped = "CRITICAL limit_dropped"

    @Test(
        arguments: [
            (1000, 1000, [], 1000), (1000, 1001, ["NOTICE limit_changed"], 1001),
            (1000, 999, [dropped], 1000), (1000, 0, ["NOTICE limit_changed"], 0), (0, 1000, [dropped], 0),
            (0, 0, [], 0),
        ] as [(UInt64, UInt64, [String], UInt64)])
    func `the first look is compared with what was accepted`(
        _ accepted: UInt64, _ live: UInt64, _ said: [String], _ baseline: UInt64
    ) {
        var run = JudgeRun()
        run.restore(accepted: accepted)
        run.look(0, entries: 1, limit: live)

        #expect(run.said == said)
        #expect(run.judge.baseline?.limit == baseline)
        #expect(run.judge.drops == (said == [Self.dropped] ? [.whileDown: 1] : [:]))
    }

    @Test func `its line says that nobody watched, and its baseline is the state file's`() {
        var run = JudgeRun()
        run.restore(accepted: 1000)
        run.look(0, limit: 500)

        #expect(run.lastSummary.hasPrefix("nf_conntrack_max 1000 -> 500 (while not watching (4m12s): written); "))
        #expect(run.judge.baseline?.source == .state)
    }

    @Test func `what fell while nobody watched is a fall even where it is configured`() {
        var run = JudgeRun()
        run.configure(500)
        run.restore(accepted: 1000, isReload: true)
        run.look(0, limit: 500)

        #expect(run.said == [Self.dropped])
    }

    @Test func `a module that is not there at the first look is compared when it comes`() {
        var run = JudgeRun()
        run.restore(accepted: 1000)
        run.look(.gone(at: 0))
        #expect(run.judge.keep?.limit.accepted == 1000)
        run.look(5, limit: 500)

        #expect(run.said == ["NOTICE module_absent", Self.dropped])
    }

    // MARK: Reboots

    private func rebooted(_ change: (inout JudgeRun) -> Void = { _ in }) -> JudgeRun {
        var run = JudgeRun { $0.bootGrace = .seconds(86_400 + 60) }
        run.restore(accepted: 1000, cause: .reboot, isReload: true)
        run.look(0, limit: 500)
        change(&run)
        return run
    }

    @Test func `after a reboot the limit has until --boot-grace to be applied`() {
        var run = rebooted()
        run.look(59.9, limit: 500)
        #expect(run.said == [])
        #expect(run.judge.settlesAt == Moment.at(60).monotonic)
        run.look(60, limit: 500)

        #expect(run.said == [Self.dropped])
        #expect(run.lastSummary.hasPrefix("nf_conntrack_max 1000 -> 500 (while not watching (4m12s): rebooted); "))
        #expect(run.judge.drops == [.reboot: 1])
    }

    @Test func `applied in time it is told with both values`() {
        var run = rebooted()
        run.look(30, limit: 1000)
        run.look(60, limit: 1000)

        #expect(run.said == ["NOTICE limit_restored"])
        #expect(run.lastSummary == "nf_conntrack_max came back as 500 from the reboot and was put back to 1000")
        #expect(run.judge.drops == [:])
    }

    @Test func `long after boot a reboot is judged at once`() {
        var run = JudgeRun()
        run.restore(accepted: 1000, cause: .reboot, isReload: true)
        run.look(0, limit: 500)

        #expect(run.said == [Self.dropped])
        #expect(run.judge.drops == [.reboot: 1])
    }

    // MARK: A fall that had not ended

    private let fall = LimitWatch.Fall(
        from: 1000, to: 500, cause: .sysctlWrite, since: MonotonicTime(nanoseconds: 0), story: "written; known before")

    @Test func `a fall goes on with its own story and is not counted again`() {
        var run = JudgeRun()
        run.restore(accepted: 1000, fall: fall)
        run.look(0, limit: 500)

        #expect(run.said == [Self.dropped])
        #expect(run.lastSummary.hasPrefix("nf_conntrack_max 1000 -> 500 (written; known before); "))
        #expect(run.judge.drops == [:])
        #expect(run.judge.keep?.limit.fall?.story == fall.story)
    }

    @Test func `raised in part meanwhile it is the same fall`() {
        var run = JudgeRun()
        run.restore(accepted: 1000, fall: fall)
        run.look(0, limit: 800)

        #expect(run.lastSummary.hasPrefix("nf_conntrack_max 1000 -> 800 (written; known before); "))
        #expect(run.judge.drops == [:])
    }

    @Test func `lower than it was it is another one`() {
        var run = JudgeRun()
        run.restore(accepted: 1000, fall: fall)
        run.look(0, limit: 400)

        #expect(run.lastSummary.contains("1000 -> 400 (while not watching"))
        #expect(run.judge.drops == [.whileDown: 1])
    }

    @Test func `the peak of the state file decides its level from the first look on`() {
        var run = JudgeRun()
        run.restore(accepted: 1_048_576, cause: .whileDown, isReload: true, peak: 500)
        run.look(0, limit: 65_536)

        #expect(run.said == ["WARNING limit_dropped"])
        #expect(run.lastSummary.contains("24h peak 500 is 1% of the new limit"))
        #expect(run.lastSummary.hasSuffix("prevent: conntrack-mon doctor"))
    }

    @Test func `put back meanwhile it is resolved, for whoever still waits for that`() {
        var run = JudgeRun()
        run.restore(accepted: 1000, fall: fall)
        run.look(0, limit: 1000)

        run.look(1, limit: 1000)

        #expect(run.said == ["RESOLVED limit_dropped"])
        #expect(run.lastSummary.hasSuffix(": nf_conntrack_max is 1000"))
        #expect(run.judge.keep?.limit.fall == nil)
    }

    @Test func `its time to be adopted begins anew`() {
        var run = JudgeRun { $0.repeatEvery = .zero }
        run.restore(accepted: 1000, fall: fall)
        run.look(0, entries: 1, limit: 500)
        run.look(899, entries: 1, limit: 500)
        #expect(run.said == [Self.dropped])
        run.look(900, entries: 1, limit: 500)

        #expect(run.said == [Self.dropped, "RESOLVED limit_dropped"])
    }

    // MARK: --expect-max

    @Test func `an expected limit that is new says so, and not that somebody wrote`() {
        var run = JudgeRun { $0.expectMax = 1000 }
        run.restore(accepted: 500)
        run.look(0, limit: 500)

        #expect(run.said == [Self.dropped])
        #expect(run.lastSummary.hasPrefix("nf_conntrack_max is 500 (below --expect-max 1000 since before"))
        #expect(run.judge.drops == [.unknown: 1])
    }

    @Test func `a limit that fell to what is expected is a change`() {
        var run = JudgeRun { $0.expectMax = 500 }
        run.restore(accepted: 1000)
        run.look(0, limit: 500)

        #expect(run.said == ["NOTICE limit_changed"])
        #expect(run.judge.keep?.limit.accepted == 500)
    }

    @Test func `a configuration that was set aside on purpose stays so`() {
        var run = JudgeRun()
        run.configure(1000)
        run.restore(accepted: 500, waived: 1000)
        run.samples(0...3, limit: 500)

        #expect(run.said == [])
        #expect(run.judge.keep?.limit.waived == 1000)
    }
}
