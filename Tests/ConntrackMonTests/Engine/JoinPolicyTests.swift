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

/// What happens, and what the policy must say to it.
private enum Fact {
    /// A look at the table that is due; the socket opens when it is to be joined, unless `opens` is false.
    case look(_ netlink: NetlinkModule, limit: Int32 = 0, changed: Bool = false, opens: Bool = true)
    /// A look because of a uevent: nothing is decided then.
    case uevent(limit: Int32)
    /// The budget wants to listen, or not to.
    case budget(_ move: EventBudget.Move, _ netlink: NetlinkModule)
    /// The socket fails.
    case failure
}

private struct Story: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var mayLoad: Bool
    var first: Int32
    var begin: (NetlinkModule, JoinPolicy.Action)
    /// Seconds after the start, what happens, and the answer.
    var steps: [(Double, Fact, JoinPolicy.Action)]

    init(
        _ name: String, mayLoad: Bool = false, first: Int32 = 0,
        _ begin: (NetlinkModule, JoinPolicy.Action), _ steps: [(Double, Fact, JoinPolicy.Action)]
    ) {
        (testDescription, self.mayLoad, self.first, self.begin, self.steps) = (name, mayLoad, first, begin, steps)
    }

    /// With 2 seconds to settle.
    static let all =
        [
            Story(
                "all is there from the start", (.live, .join), [(0.1, .look(.live), .wait), (9, .look(.live), .wait)]),
            Story("built in", (.builtIn, .join), [(0.1, .look(.builtIn), .wait), (9, .look(.builtIn), .wait)]),
            Story(
                "built in, and the first socket cannot be had", first: EACCES, (.builtIn, .join),
                [(0, .failure, .wait), (0.1, .look(.builtIn, limit: EACCES), .wait)]),
            Story(
                "nothing there, without leave, and all of it comes", first: ENOENT, (.absent, .unavailable),
                [
                    (0.1, .look(.absent, limit: ENOENT), .wait), (4, .look(.absent, limit: ENOENT), .wait),
                    (5, .look(.live, changed: true), .wait), (6.9, .look(.live), .wait), (7, .look(.live), .wait),
                    (7.9, .look(.live), .wait), (8, .look(.live), .join), (8.1, .look(.live), .wait),
                ]),
            Story(
                "nf_conntrack is there and nf_conntrack_netlink is not, without leave", (.absent, .unavailable),
                [
                    (0.1, .look(.absent), .wait), (60, .look(.absent), .wait), (61, .look(.live), .wait),
                    (61.5, .look(.live), .wait), (62, .look(.live), .join),
                ]),
            Story(
                "nothing there, with leave: loading it is no change to answer", mayLoad: true, first: ENOENT,
                (.absent, .join),
                [(0.1, .look(.live, changed: true), .wait), (2.1, .look(.live), .wait), (9, .look(.live), .wait)]),
            Story(
                "a restart with leave: joined again when it has settled", mayLoad: true, (.live, .join),
                [
                    (10, .look(.absent, changed: true), .wait), (11.9, .look(.absent), .wait),
                    (12, .look(.absent), .join), (12.1, .look(.absent), .wait), (60, .look(.absent), .wait),
                ]),
            Story(
                "a restart without leave: never", (.live, .join),
                [
                    (10, .look(.absent, changed: true), .wait), (12, .look(.absent), .wait),
                    (60, .look(.absent), .wait), (70, .look(.live), .wait),
                ]),
            Story(
                "a restart with leave that brings it back by itself", mayLoad: true, (.live, .join),
                [(10, .look(.live, changed: true), .wait), (12, .look(.live), .wait), (60, .look(.absent), .wait)]),
            Story(
                "joining again is due while the module goes again", mayLoad: true, (.live, .join),
                [
                    (10, .look(.absent, changed: true), .wait), (11.9, .uevent(limit: ENOENT), .wait),
                    (12, .look(.absent, limit: ENOENT), .wait), (60, .look(.absent, limit: ENOENT), .wait),
                    (61, .look(.absent, changed: true), .wait), (62.9, .look(.absent), .wait),
                    (63, .look(.absent), .join),
                ]),
            Story(
                "joining again is due while nf_conntrack_netlink comes or goes", mayLoad: true, (.live, .join),
                [
                    (10, .look(.absent, changed: true), .wait), (12, .look(.changing), .wait),
                    (12.1, .look(.absent), .wait), (14, .look(.absent), .join),
                ]),
            Story(
                "started while it is being unloaded, with leave", mayLoad: true, (.changing, .unavailable),
                [(0.1, .look(.absent), .wait), (1.9, .look(.absent), .wait), (2, .look(.absent), .join)]),
            Story(
                "started while it is being unloaded, without leave", (.changing, .unavailable),
                [
                    (0.1, .look(.absent), .wait), (2, .look(.absent), .wait), (5, .look(.live), .wait),
                    (6, .look(.live), .join),
                ]),
            Story(
                "nf_conntrack_netlink goes between the two looks", (.absent, .unavailable),
                [
                    (5, .look(.live), .wait), (6, .look(.absent), .wait), (7, .look(.live), .wait),
                    (8, .look(.changing), .wait), (8.1, .look(.live), .wait), (10, .look(.live), .wait),
                    (11, .look(.live), .join),
                ]),
            Story(
                "the table goes between the two looks", (.absent, .unavailable),
                [
                    (5, .look(.live), .wait), (5.5, .look(.live, limit: ENOENT), .wait), (6, .look(.live), .wait),
                    (8, .look(.live), .wait), (9, .look(.live), .join),
                ]),
            Story(
                "a namespace that ended, before it was joined", (.absent, .unavailable),
                [(5, .look(.live, limit: ENOENT), .wait), (60, .look(.live, limit: ENOENT), .wait)]),
            Story(
                "a namespace that ended, with leave", mayLoad: true, (.live, .join),
                [
                    (5, .look(.live, limit: ENOENT), .wait), (60, .look(.absent, limit: ENOENT), .wait),
                    (60, .budget(.leave, .live), .leave), (61, .budget(.join, .live), .hinder(.moduleAbsent)),
                ]),
            Story(
                "a joined socket that fails is opened again after two looks", (.live, .join),
                [
                    (10, .failure, .wait), (10.1, .look(.live), .wait), (11, .look(.live), .wait),
                    (11.1, .look(.live), .join),
                ]),
            Story(
                "a socket that fails after it was joined late", (.absent, .unavailable),
                [
                    (1, .look(.live), .wait), (2, .look(.live), .join), (60, .failure, .wait),
                    (60.1, .look(.live), .wait), (61.1, .look(.live), .join),
                ]),
            Story(
                "one that cannot be opened is tried each second", (.absent, .unavailable),
                [
                    (1, .look(.live), .wait), (2, .look(.live, opens: false), .join), (2.5, .look(.live), .wait),
                    (3, .look(.live, opens: false), .join), (4, .look(.absent), .wait), (5, .look(.live), .wait),
                    (6, .look(.live), .join),
                ]),
            Story(
                "the budget while all is there", (.live, .join),
                [
                    (1, .budget(.leave, .live), .leave), (2, .budget(.join, .live), .join),
                    (3, .budget(.join, .builtIn), .join),
                ]),
            Story(
                "the budget wants to listen while that is hindered", mayLoad: true, (.live, .join),
                [
                    (1, .budget(.join, .absent), .hinder(.netlinkAbsent)),
                    (1, .budget(.join, .changing), .hinder(.netlinkAbsent)),
                    (2, .look(.live, changed: true), .wait), (3.9, .budget(.join, .live), .hinder(.settling)),
                    (4, .budget(.join, .live), .join), (5, .uevent(limit: ENOENT), .wait),
                    (5, .budget(.join, .live), .hinder(.moduleAbsent)), (6, .uevent(limit: EACCES), .wait),
                    (9, .budget(.join, .live), .hinder(.limitUnreadable)),
                    (9, .budget(.leave, .absent), .leave),
                ]),
        ]
}

@Suite struct JoinPolicyTests {
    private static let settle = Duration.seconds(2)

    private func time(_ seconds: Double) -> MonotonicTime { Moment.at(seconds).monotonic }

    /// Lets it happen; the policy's answer.
    private func answer(_ policy: inout JoinPolicy, _ fact: Fact, at now: MonotonicTime) -> JoinPolicy.Action {
        switch fact {
        case .look(let netlink, let limit, let isChanged, let opens):
            policy.see(JoinPolicy.Look(time: now, limitErrno: limit, isModuleChanged: isChanged))
            let action = policy.step(at: now) { netlink }
            if action == .join, opens { policy.joined() }
            return action
        case .uevent(let limit):
            policy.see(JoinPolicy.Look(time: now, limitErrno: limit, isModuleChanged: true))
        case .budget(let move, let netlink):
            return policy.answer(move, at: now) { netlink }
        case .failure:
            policy.failed()
        }
        return .wait
    }

    @Test(arguments: Story.all)
    private func `joins and stays out as it should`(_ story: Story) {
        let terms = JoinPolicy.Terms(mayLoad: story.mayLoad, settle: Self.settle)
        var policy = JoinPolicy(terms, first: JoinPolicy.Look(time: time(0), limitErrno: story.first))
        let begin = policy.begin(at: time(0), netlink: story.begin.0)
        #expect(begin == story.begin.1)
        if begin == .join { policy.joined() }
        for (seconds, fact, expected) in story.steps {
            #expect(answer(&policy, fact, at: time(seconds)) == expected, "\(seconds) s, \(fact)")
        }
    }

    @Test(arguments: [false, true])
    func `whatever happens, nothing is loaded without leave, nor in answer to a change`(_ mayLoad: Bool) {
        for seed in 0..<400 {
            var world = World(mayLoad: mayLoad, settle: Self.settle, seed: UInt64(seed))
            for _ in 0..<300 { world.step() }
            world.calmDown()
        }
    }
}

/// A host on which anything happens at any time, and what must hold of each answer.
private struct World {
    private var random: Repeatable
    private let mayLoad: Bool
    private let settle: Duration
    private var policy: JoinPolicy
    private var now = Moment.at(0).monotonic
    private var limit: Int32 = 0
    private var netlink = NetlinkModule.absent
    private var changedAt: MonotonicTime?
    private var isOpen = false
    /// Opening a socket succeeds from now on.
    private var isCalm = false
    /// Since when each due look has found everything there.
    private var thereSince: MonotonicTime?

    init(mayLoad: Bool, settle: Duration, seed: UInt64) {
        var random = Repeatable(seed)
        (self.mayLoad, self.settle) = (mayLoad, settle)
        limit = [0, ENOENT].randomElement(using: &random) ?? 0
        netlink = NetlinkModule.allCases.randomElement(using: &random) ?? .absent
        self.random = random
        policy = JoinPolicy(
            JoinPolicy.Terms(mayLoad: mayLoad, settle: settle), first: JoinPolicy.Look(time: now, limitErrno: limit))
        let begin = policy.begin(at: now, netlink: netlink)
        #expect((begin == .join) == (netlink.isThere || mayLoad && netlink == .absent))
        if begin == .join { opened() }
    }

    mutating func step() {
        now = now + .milliseconds(1 + below(600))
        switch below(12) {
        case 0: look(limit: [0, 0, ENOENT, EACCES][below(4)], isChanged: below(3) == 0)
        case 1: look(limit: limit, isChanged: true)
        case 2: netlink = NetlinkModule.allCases[below(4)]
        case 3 where isOpen:
            policy.failed()
            isOpen = false
            thereSince = nil
        case 4 where isOpen: budget()
        default: dueLook()
        }
    }

    /// Once all is there and stays so, the groups are joined.
    mutating func calmDown() {
        isCalm = true
        netlink = .live
        look(limit: 0, isChanged: false)
        for _ in 0..<50 {
            now = now + .milliseconds(100)
            dueLook()
        }
        #expect(isOpen)
        #expect(policy.answer(.join, at: now) { netlink } == .join)
    }

    private mutating func look(limit: Int32, isChanged: Bool) {
        if isChanged || limit != self.limit {
            changedAt = now
            thereSince = nil
        }
        self.limit = limit
        policy.see(JoinPolicy.Look(time: now, limitErrno: limit, isModuleChanged: isChanged))
    }

    private mutating func dueLook() {
        look(limit: limit, isChanged: false)
        let action = policy.step(at: now) { netlink }
        let isThere = netlink.isThere && limit == 0
        if !isThere { thereSince = nil } else if thereSince == nil { thereSince = now }
        switch action {
        case .wait: break
        case .join:
            expectHarmless(isDue: true)
            // Without leave an open socket has no business with the groups.
            #expect(!isOpen || mayLoad && netlink == .absent)
            if !isOpen, netlink.isThere, let thereSince { #expect(now - thereSince >= .seconds(1)) }
            if isCalm || below(4) > 0 { opened() }
        default: Issue.record("\(action) at a look")
        }
    }

    private mutating func budget() {
        let move: EventBudget.Move = below(2) == 0 ? .leave : .join
        switch (move, policy.answer(move, at: now) { netlink }) {
        case (.leave, .leave), (.join, .hinder): break
        case (.join, .join): expectHarmless(isDue: false)
        case (_, let action): Issue.record("\(action) to \(move)")
        }
    }

    /// What must hold whenever the groups are joined: there is a table, nothing changed lately, and nothing is loaded, but
    /// with leave, and never while it comes or goes.
    private func expectHarmless(isDue: Bool) {
        #expect(limit == 0)
        if let changedAt { #expect(now - changedAt >= settle) }
        #expect(netlink.isThere || isDue && mayLoad && netlink == .absent)
    }

    private mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }

    private mutating func opened() {
        policy.joined()
        isOpen = true
    }
}
