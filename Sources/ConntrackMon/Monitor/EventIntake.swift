// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import ConntrackEngine
internal import ConntrackHost
internal import ConntrackModel
internal import ConntrackRing
internal import ConntrackSystem
internal import Glibc

/// The event socket in the reader's hands: joins and leaves as JoinPolicy and EventBudget say, takes the events off it into
/// the ring, and counts them and what was lost.
struct EventIntake: ~Copyable {
    private let plan: ReaderPlan
    private let channel: Channel
    private var socket: EventSocket?
    private var policy: JoinPolicy
    private var budget: EventBudget
    private var overrunPending = false
    /// Messages came since the kernel's counters were last read.
    private var mayCount = false
    private var uncountedSamples = 0

    /// At most so many samples go by without a look at the counters: messages that are too long come without being taken.
    private static let samplesUncounted = 10

    /// After the first look at the table.
    init(_ plan: ReaderPlan, channel: Channel, first: JoinPolicy.Look) {
        self.plan = plan
        self.channel = channel
        policy = JoinPolicy(plan.terms, first: first)
        budget = EventBudget(plan.budget, seed: .random(in: 0...UInt64.max), at: first.time)
    }

    /// How events are taken off the socket; nil without one.
    private(set) var method: EventMethod?
    /// How they are listened to.
    var duty: EventDuty { budget.duty }
    /// When the budget is to be asked again.
    var budgetChangesAt: MonotonicTime? { budget.changesAt }
    /// Readable when the kernel's ring fills; -1 without one.
    private(set) var descriptor: Int32 = -1

    /// Has `descriptor` turn readable only at the next time.
    mutating func silence() {
        socket?.silence()
    }

    // MARK: Joining and leaving

    /// Joins the groups at the start, if that may be.
    mutating func begin(at now: MonotonicTime, _ unsaid: inout Unsaid) {
        guard !plan.groups.isEmpty else { return }
        carryOut(policy.begin(at: now, netlink: ConntrackModule.netlink(sysfs: plan.sysfs)), &unsaid)
    }

    /// A look at the table, due or not.
    mutating func see(_ look: JoinPolicy.Look) {
        policy.see(look)
    }

    /// Joins where it is time to; to be called after each look that was due.
    mutating func follow(at now: MonotonicTime, _ unsaid: inout Unsaid) {
        guard !plan.groups.isEmpty else { return }
        let sysfs = plan.sysfs
        carryOut(policy.step(at: now) { ConntrackModule.netlink(sysfs: sysfs) }, &unsaid)
    }

    /// Leaves the groups while the budget is spent, and joins them again when their time has come. True when it did either.
    mutating func keepBudget(_ unsaid: inout Unsaid) -> Bool {
        guard socket != nil else { return false }
        let now = MonotonicTime.now()
        guard let move = budget.step(at: now) else { return false }
        let sysfs = plan.sysfs
        let action = policy.answer(move, at: now) { ConntrackModule.netlink(sysfs: sysfs) }
        carryOut(action, &unsaid)
        unsaid.tell(budget.duty)
        return action == .leave || action == .join
    }

    private mutating func carryOut(_ action: JoinPolicy.Action, _ unsaid: inout Unsaid) {
        do throws(EventObstacle) {
            switch action {
            case .wait:
                break
            case .join where socket == nil:
                open(&unsaid)
            case .join:
                try socket?.join(plan.groups)
                budget.joined(at: .now())
            case .leave:
                try socket?.leave(plan.groups)
                budget.left(at: .now())
                _ = drain(until: MonotonicTime(nanoseconds: .max), &unsaid)
            case .unavailable:
                unsaid.tell(.unavailable(EventObstacle(.netlinkAbsent), expected: !plan.eventsRequired))
            case .hinder(let why):
                budget.hinder(why)
            }
        } catch {
            fail(error, &unsaid)
        }
    }

    private mutating func open(_ unsaid: inout Unsaid) {
        do throws(EventObstacle) {
            let socket = try EventSocket(
                groups: plan.groups, receiveBuffer: plan.receiveBuffer, source: plan.source)
            unsaid.tell(.listening(socket.method))
            (method, descriptor) = (socket.method, socket.descriptor)
            self.socket = consume socket
            policy.joined()
            budget.joined(at: .now())
        } catch {
            unsaid.tell(.unavailable(error, expected: error.code == EPERM && !plan.eventsRequired))
        }
    }

    private mutating func fail(_ obstacle: EventObstacle, _ unsaid: inout Unsaid) {
        unsaid.tell(.failed(obstacle))
        socket = nil
        (method, descriptor) = (nil, -1)
        policy.failed()
        budget.left(at: .now())
    }

    // MARK: Taking

    /// Empties the socket; how many messages there were. `deadline` keeps a flood from delaying the next look at the table.
    mutating func drain(until deadline: MonotonicTime, _ unsaid: inout Unsaid) -> Int {
        guard socket != nil else { return 0 }
        let channel = channel
        var tally = cnf_tally()
        var taken = 0
        var now = MonotonicTime.now()
        loop: repeat {
            var pumped = EventSocket.Pumped()
            channel.ring.fill { slots in
                pumped = socket?.pump(into: slots, at: now, tally: &tally) ?? pumped
                return pumped.filled
            }
            switch pumped.code {
            case 0 where pumped.datagrams == 0:
                break loop
            case 0:
                taken += pumped.datagrams
            case ENOBUFS:
                overrunPending = true
            default:
                fail(EventObstacle(.receive, pumped.code), &unsaid)
                break loop
            }
            now = .now()
        } while now < deadline
        unsaid.counts.add(tally)
        let lost = EventCounts(tally.truncated).total + tally.malformed + tally.dropped
        budget.count(messages: tally.events + lost, entered: tally.by_kind.0, at: now)
        if taken > 0 {
            mayCount = true
            channel.ringWhenFilling()
        }
        return taken
    }

    /// Counts what the kernel lost as well. On an idle host a system call also costs its cache misses, so that the kernel's
    /// counters are not read when nothing came, unless `always`.
    mutating func drainAndCount(until deadline: MonotonicTime, always: Bool = false, _ unsaid: inout Unsaid) {
        uncountedSamples += 1
        let mustCount = always || mayCount || overrunPending || uncountedSamples >= EventIntake.samplesUncounted
        _ = drain(until: deadline, &unsaid)
        guard mustCount else { return }
        uncountedSamples = 0
        mayCount = false
        var lost: UInt64 = 0
        if let ring = socket?.takeRingLosses() {
            unsaid.counts.overrun += ring.overrun
            unsaid.counts.truncated += ring.truncated
            lost += ring.overrun.total + ring.truncated.total
        }
        if let overruns = socket?.takeOverruns() {
            unsaid.counts.overrunUntyped += overruns
            lost += overruns
        } else if overrunPending {
            unsaid.counts.overrunUntyped += 1
            unsaid.counts.becameInexact = true
        }
        overrunPending = false
        budget.count(messages: lost, entered: 0, at: .now())
    }
}

extension PendingCounts {
    /// What a pump counted.
    fileprivate mutating func add(_ tally: cnf_tally) {
        received += EventCounts(tally.by_kind)
        truncated += EventCounts(tally.truncated)
        malformed += tally.malformed
        dropped += tally.dropped
    }
}
