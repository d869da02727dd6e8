// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// New connections that stop, events that stop, and a module that is not there.
@Suite struct TrackingTests {
    private static let stopped = "NOTICE tracking_stopped"

    /// A sample a second, `new` new entries in each, until one minute after the last of `seconds`.
    private func steady(
        _ seconds: Int, new: UInt64 = 1,
        _ change: (_ second: Int, _ run: inout JudgeRun, _ sample: inout Sample) -> Void
    ) -> JudgeRun {
        var run = JudgeRun()
        var total: UInt64 = 0
        for second in 0...seconds + 60 {
            if second <= seconds { total += new }
            var sample = Sample.at(Double(second))
            sample.events = EventCounts(new: total)
            sample.isNetlinkThere = true
            change(second, &run, &sample)
            run.look(sample.table)
            run.sample(sample)
        }
        return run
    }

    @Test(
        arguments: [
            ("three minutes", 180, 1, true), ("less than three minutes", 179, 1, false), ("two", 120, 1, false),
            ("an hour", 3600, 5, true), ("none at all", 180, 0, false),
        ] as [(String, Int, UInt64, Bool)])
    func `steady new connections that stop for a minute are a notice`(
        _ what: String, _ seconds: Int, _ new: UInt64, _ isSaid: Bool
    ) {
        #expect(steady(seconds, new: new) { _, _, _ in }.said == (isSaid ? [Self.stopped] : []), "\(what)")
    }

    @Test func `it is said once`() {
        var run = steady(180) { _, _, _ in }
        for second in 241...2000 {
            run.sample(
                .at(Double(second)) {
                    $0.events = EventCounts(new: 181)
                    $0.isNetlinkThere = true
                })
        }

        #expect(run.said == [Self.stopped])
    }

    enum Disturbance: CaseIterable {
        case loss, gap, absence, noEvents, nobodySends, reload
    }

    @Test(arguments: Disturbance.allCases)
    func `what keeps events from coming starts the watch anew`(_ disturbance: Disturbance) {
        let run = steady(180) { second, run, sample in
            guard second == 150 else { return }
            switch disturbance {
            case .loss: sample.lostNow.overrun = 1
            case .gap: sample.gap = .seconds(6)
            case .absence: sample.table = .gone(at: 150)
            case .noEvents: sample.events = nil
            case .nobodySends: sample.isNetlinkThere = false
            case .reload: run.look(149.5, unloaded: true)
            }
        }

        #expect(!run.said.contains(Self.stopped))
    }

    @Test(arguments: [(60, false), (121, true)])
    func `what was not listened to is not taken for none, and a part of it is enough to be steady`(
        _ calmFor: Int, _ isSaid: Bool
    ) {
        // Listened part of the time until the connections stop and 5 s on, as the budget does.
        var run = JudgeRun()
        for second in 0...180 + calmFor {
            var sample = Sample.at(Double(second))
            sample.events = EventCounts(new: UInt64(min(second, 180)) * 5)
            sample.isNetlinkThere = true
            sample.isPartial = second <= 185
            run.sample(sample)
        }

        #expect(run.said == (isSaid ? [Self.stopped] : []))
    }

    @Test func `few new connections are not missed for none while only part of the time is listened`() {
        // Connections go on all the time, most of them unheard from the third minute on: the load is other events.
        var run = JudgeRun()
        for second in 0...2000 {
            var sample = Sample.at(Double(second))
            sample.events = EventCounts(new: UInt64(min(second, 180)) * 2)
            sample.isNetlinkThere = true
            sample.isPartial = second > 180
            run.sample(sample)
        }

        #expect(run.said == [])
    }

    // MARK: events_silent

    private func netlink(_ run: inout JudgeRun, _ seconds: ClosedRange<Int>, isThere: Bool?) {
        run.samples(seconds) { $0.isNetlinkThere = isThere }
    }

    @Test func `events whose sender is gone are an alert after 5 s, until it is back`() {
        var run = JudgeRun()
        netlink(&run, 0...3, isThere: true)
        netlink(&run, 4...8, isThere: false)
        #expect(run.said == [])
        netlink(&run, 9...20, isThere: false)
        #expect(run.news() == ["WARNING events_silent"])
        netlink(&run, 21...21, isThere: true)

        #expect(run.said == ["RESOLVED events_silent"])
    }

    @Test func `a sender that is back in time, or not listened to, is none`() {
        var run = JudgeRun()
        netlink(&run, 0...4, isThere: false)
        netlink(&run, 5...5, isThere: true)
        netlink(&run, 6...10, isThere: false)
        netlink(&run, 11...11, isThere: true)
        netlink(&run, 12...60, isThere: nil)

        #expect(run.said == [])
    }

    @Test func `beside an unload, which explains it, it waits`() {
        var run = JudgeRun()
        netlink(&run, 0...0, isThere: true)
        run.look(.gone(at: 1, unloaded: true))
        run.look(.gone(at: 6))
        run.samples(7...20, entries: nil, limit: nil) {
            $0.table.absent = true
            $0.isNetlinkThere = nil
        }
        #expect(run.news() == ["CRITICAL module_unloaded"])
        netlink(&run, 21...25, isThere: false)
        #expect(run.news() == ["NOTICE module_reloaded", "RESOLVED module_unloaded"])
        netlink(&run, 26...26, isThere: false)

        #expect(run.said == ["WARNING events_silent"])
    }

    // MARK: --absent

    private func absent(_ meaning: AbsentMeaning?) -> JudgeRun {
        var run = JudgeRun { $0.absent = meaning }
        for second in 0...9 {
            run.look(.gone(at: Double(second)))
            var sample = Sample.at(Double(second))
            sample.table = .gone(at: Double(second))
            run.sample(sample)
        }
        return run
    }

    @Test(
        arguments: [(nil, ["NOTICE module_absent"], []), (.ok, [], [])]
            + [
                (.warning, ["WARNING module_absent"], ["RESOLVED module_absent"]),
                (.critical, ["CRITICAL module_absent"], ["RESOLVED module_absent"]),
            ] as [(AbsentMeaning?, [String], [String])])
    func `a module that was never there means what it was told to mean`(
        _ meaning: AbsentMeaning?, _ said: [String], _ ended: [String]
    ) {
        var run = absent(meaning)
        #expect(run.news() == said)
        run.samples(10...12)

        #expect(run.news() == ended)
        run.look(.gone(at: 13, unloaded: true))
        run.look(.gone(at: 18))
        #expect(run.said == ["CRITICAL module_unloaded"])
    }
}
