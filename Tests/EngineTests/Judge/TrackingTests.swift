// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// New connections that stop, events that stop, and a module that is not there.
@Suite struct TrackingTests {
    private static let stopped = "NOTICE tracking_stopped"

    /// What happens on a host in one second, or what it has come to.
    private struct Second {
        /// Tracked connections that are new, and those of them that are TCP's.
        var new: UInt64 = 0
        var newTCP: UInt64 = 0
        /// Connections that TCP opens or accepts here, tracked or not.
        var opens: UInt64 = 0

        init() {}

        /// TCP connections to a server here.
        init(served count: UInt64) {
            (new, newTCP, opens) = (count, count, count)
        }

        /// TCP connections that are opened here, tracked by nobody.
        init(untracked count: UInt64) {
            opens = count
        }

        static func + (one: Self, other: Self) -> Self {
            var sum = one
            sum.new += other.new
            sum.newTCP += other.newTCP
            sum.opens += other.opens
            return sum
        }
    }

    /// A sample every `interval` seconds up to `end`, of a host that does this in each second.
    private func run(
        until end: Int, interval: Int = 1, _ host: (_ second: Int) -> Second,
        _ change: (_ second: Int, _ run: inout JudgeRun, _ sample: inout Sample) -> Void = { _, _, _ in }
    ) -> JudgeRun {
        var run = JudgeRun()
        var all = Second()
        var nextTraffic = 0
        for second in 0...end {
            if second > 0 { all = all + host(second) }
            guard second % interval == 0 else { continue }
            var sample = Sample.at(Double(second))
            sample.events = EventCounts(new: all.new)
            sample.newByProtocol = [6: all.newTCP]
            // Not read for each sample.
            if second >= nextTraffic {
                sample.traffic = Traffic(tcpOpens: all.opens)
                nextTraffic = second + 10
            }
            sample.isNetlinkThere = true
            change(second, &run, &sample)
            run.look(sample.table)
            run.sample(sample)
        }
        return run
    }

    /// Served connections that are tracked until `stop`, and go on untracked after it.
    private func stops(_ stop: Int, _ count: UInt64 = 1) -> (Int) -> Second {
        { $0 <= stop ? Second(served: count) : Second(untracked: count) }
    }

    // MARK: tracking_stopped

    @Test(
        arguments: [
            ("three minutes", 180, 1, true), ("less than three minutes", 179, 1, false), ("two", 120, 1, false),
            ("an hour", 3600, 5, true), ("none at all", 180, 0, false),
        ] as [(String, Int, UInt64, Bool)])
    func `steady new connections that are not tracked any more for a minute are a notice`(
        _ what: String, _ seconds: Int, _ new: UInt64, _ isSaid: Bool
    ) {
        let run = run(until: seconds + 70, stops(seconds, new))

        #expect(run.said == (isSaid ? [Self.stopped] : []), "\(what)")
    }

    @Test(arguments: 180...240, [1, 2, 7, 20]) func `it is said whenever it begins`(_ stop: Int, _ interval: Int) {
        let run = run(until: stop + 100, interval: interval, stops(stop, 3))

        #expect(run.said == [Self.stopped])
    }

    @Test func `it is said with what speaks for it, and once`() {
        let run = run(until: 2000, stops(200, 12))

        #expect(run.said == [Self.stopped])
        #expect(
            run.lastSummary == "no new connection was tracked for a minute (2160 in the three minutes before), while"
                + " traffic goes on (720 TCP connections were opened or accepted here meanwhile): the rules that have"
                + " connections tracked are gone (nft flush ruleset, iptables -F)")
    }

    @Test func `each time it stops is said`() {
        let run = run(until: 1200) { $0 <= 200 || (500...900).contains($0) ? Second(served: 4) : Second(untracked: 4) }

        #expect(run.said == [Self.stopped, Self.stopped])
    }

    @Test func `connections over loopback are opened and accepted, and tracked once`() {
        let run = run(until: 300) { second in
            var now = Second(served: second <= 200 ? 5 : 0)
            now.opens = 10
            return now
        }

        #expect(run.said == [Self.stopped])
    }

    /// What an ordinary host does on an ordinary night.
    private enum Ordinary: CaseIterable {
        case batchEnds, quiet, trafficStops, loopbackUntracked, busyLoopbackUntracked, forwardedEnds, resolverEnds
        case onlyIPv4Tracked, otherTrafficBegins, tunnelGoesOn

        func host(_ second: Int) -> Second {
            let isBefore = second <= 300
            var forwarded = Second()
            (forwarded.new, forwarded.newTCP) = isBefore ? (20, 20) : (0, 0)
            var resolved = Second()
            resolved.new = isBefore ? 50 : 0
            switch self {
            case .batchEnds, .trafficStops, .tunnelGoesOn: return Second(served: isBefore ? 20 : 0)
            case .quiet: return second % 30 == 0 ? Second(served: 1) : Second()
            // A rule keeps loopback from being tracked, and a health check goes over it.
            case .loopbackUntracked: return forwarded + Second(untracked: 2)
            case .busyLoopbackUntracked: return forwarded + Second(untracked: 100)
            case .forwardedEnds: return forwarded + (second % 15 == 0 ? Second(served: 1) : Second())
            case .resolverEnds: return resolved + Second(untracked: 1)
            case .onlyIPv4Tracked: return Second(served: isBefore ? 4 : 0) + Second(untracked: 4)
            case .otherTrafficBegins:
                return Second(served: isBefore ? 4 : 0) + Second(untracked: second > 500 ? 4 : 0)
            }
        }
    }

    @Test(arguments: Ordinary.allCases) private func `nothing is said of`(_ what: Ordinary) {
        #expect(run(until: 1500, what.host).said == [])
    }

    @Test func `while the table grows, connections are tracked, whatever is heard of them`() {
        // Somebody switched the events off.
        let run = run(until: 600, stops(300, 5)) { second, _, sample in
            sample.table.entries = second % 20 == 0 ? 100 : 101
        }

        #expect(run.said == [])
    }

    enum Disturbance: CaseIterable {
        case loss, gap, absence, noEvents, nobodySends, reload, notListenedTo, unheard, switchedOff
    }

    @Test(arguments: Disturbance.allCases)
    func `what keeps events from coming starts the watch anew`(_ disturbance: Disturbance) {
        let run = run(until: 250, stops(180)) { second, run, sample in
            guard second == 150 else { return }
            switch disturbance {
            case .loss: sample.lostNow.overrun = 1
            case .gap: sample.gap = .seconds(6)
            case .absence: sample.table = .gone(at: 150)
            case .noEvents: sample.events = nil
            case .nobodySends: sample.isNetlinkThere = false
            case .reload: run.look(149.5, unloaded: true)
            case .notListenedTo: sample.kinds = [.destroy]
            case .unheard: sample.silence = .unheard(entries: 1000)
            case .switchedOff: sample.silence = .setting
            }
        }

        #expect(!run.said.contains(Self.stopped))
    }

    @Test func `where the traffic cannot be read, nothing is said`() {
        #expect(run(until: 600, stops(300, 5)) { _, _, sample in sample.traffic = nil }.said == [])
    }

    @Test(arguments: [(60, false), (80, true)])
    func `what was not listened to is not taken for none, and a part of it is enough to be steady`(
        _ calmFor: Int, _ isSaid: Bool
    ) {
        // Listened part of the time until the connections stop and 5 s on, as the budget does.
        let run = run(until: 200 + calmFor, stops(200, 5)) { second, _, sample in sample.isPartial = second <= 205 }

        #expect(run.said == (isSaid ? [Self.stopped] : []))
    }

    @Test func `few new connections are not missed for none while only part of the time is listened`() {
        // Connections go on all the time, most of them unheard from the third minute on: the load is other events.
        let run = run(until: 2000, stops(180, 2)) { second, _, sample in sample.isPartial = second > 180 }

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
