// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel

/// Decides when to listen for events, so that what listening costs the host stays within a budget. Pure: time and counts
/// are passed in.
///
/// The kernel builds and sends a message for each event as soon as anybody has joined its group, and whoever makes the
/// entry pays for it. Only leaving the group gives that back. So above the budget the groups are left for part of each
/// second: a time away and then a window of listening, twice a second on average.
///
/// What is spent is booked against the budget, and an overdraft is paid back by shorter windows. Half a second's worth
/// may be spent at once: a short burst changes nothing, and a long one is noticed the sooner the larger it is.
///
/// New entries of the time away are estimated by the window after it, and three things keep that from leaning to one side:
/// - A time away is drawn, from nothing to twice its mean, or traffic that comes each second would be met always, or
///   never. It counts for its mean plus as much as it was drawn too short: a moment late in it is seldom reached, and a
///   window that comes early stands for those too (the estimate of Horvitz and Thompson, with the draw's hazard).
/// - How long a window lasts is set before it begins. If its own count decided that, bursts would end it.
/// - One that costs half as much again as was allotted does end early, but not in its first tenth of a second, and only
///   that is used for the estimate.
package struct EventBudget: Sendable {
    /// What is allowed, and what a message costs.
    package struct Limits: Equatable, Sendable {
        /// Share of one core; 1 = no bound, the groups are never left.
        package var share: Double
        /// What whoever makes an entry pays for one message.
        package var cost: Duration

        /// No bound, unless one is given.
        package init(share: Double = 1, cost: Duration = .nanoseconds(2500)) {
            self.share = share
            self.cost = cost
        }
    }

    /// What is to be done about the groups.
    package enum Move: Equatable, Sendable {
        case leave, join
    }

    private enum Phase {
        /// Every event is counted.
        case always
        case window(since: MonotonicTime, until: MonotonicTime)
        case away(until: MonotonicTime)
    }

    /// A window with the time away before it; while every event is counted, a tenth of a second.
    private struct Cycle {
        var away = 0.0
        var listened = 0.0
        var messages: UInt64 = 0
        var entered: UInt64 = 0
        /// How much more than its length the time away counts for.
        var correction = 0.0
        /// The time away is estimated.
        var isSettled = false
    }

    /// Seconds a cycle lasts, on average.
    static let period = 0.5
    static let shortestWindow = 0.01
    private static let probe = 0.1
    /// While not even the shortest window can be paid, it is put off, but not for longer than this.
    static let longestAway = 10.0
    /// Seconds of budget that may be spent at once.
    static let allowance = 0.5
    private static let excess = 1.5
    /// Calm is below this part of the budget...
    private static let calm = 0.8
    /// ...for so many seconds; twice as many when it was over again within a minute, up to the most.
    private static let shortestCalm = 5.0
    private static let longestCalm = 320.0

    private let share: Double
    private let cost: Double
    private var phase = Phase.always
    private var cycle = Cycle()
    private var isMember = false
    /// Up to where times and the balance are reckoned.
    private var reckoned: MonotonicTime
    /// CPU seconds that may be spent; negative when overdrawn.
    private var balance: Double
    /// CPU seconds that the window may cost.
    private var allotted = 0.0
    /// Messages a second to plan windows by: follows a rise at once, and a fall by half each cycle.
    private var plannedRate = 0.0
    /// Seconds of the last cycles, each counting half as much as the one after it.
    private var recent = (listened: 1.0, away: 0.0)
    private var calmSince: MonotonicTime?
    private var calmNeeded = EventBudget.shortestCalm
    private var calmedAt: MonotonicTime?
    private var random: UInt64
    /// What became of it.
    private(set) package var duty: EventDuty

    /// Nothing was listened to before `now`. `seed` draws the times away.
    package init(_ limits: Limits, seed: UInt64, at now: MonotonicTime) {
        share = limits.share
        cost = limits.cost.inSeconds
        balance = limits.share * EventBudget.allowance
        reckoned = now
        random = seed
        duty = EventDuty(settledAt: now)
        duty.budget = share
        duty.cost = cost
    }

    // MARK: What happened

    /// The groups are joined, for the first time or again.
    package mutating func joined(at now: MonotonicTime) {
        reckon(to: now)
        isMember = true
        duty.hindrance = nil
        // Joining takes its time where many messages are under way.
        if case .window(let since, let end) = phase { phase = .window(since: now, until: now + (end - since)) }
    }

    /// The groups are left, or the socket is gone.
    package mutating func left(at now: MonotonicTime) {
        reckon(to: now)
        isMember = false
    }

    /// The groups must not be joined now, and why.
    package mutating func hinder(_ why: EventHindrance) {
        duty.hindrance = why
    }

    /// So many messages of all joined groups came since the last call, lost ones included; `entered` of them new entries.
    package mutating func count(messages: UInt64, entered: UInt64, at now: MonotonicTime) {
        guard messages > 0 else { return }
        cycle.messages += messages
        cycle.entered += entered
        duty.made += Double(entered)
        duty.spent += Double(messages) * cost
        // Before the refill is capped: it was spent while that went on.
        balance -= Double(messages) * cost
        reckon(to: now)
        balance = max(balance, -EventBudget.longestAway * share)
    }

    private mutating func reckon(to now: MonotonicTime) {
        let time = (now - reckoned).inSeconds
        reckoned = max(reckoned, now)
        if isMember {
            cycle.listened += time
            duty.span += time
        } else if duty.isOverBudget {
            cycle.away += time
            duty.away += time
        }
        // The shortest window must be within reach.
        let most = max(EventBudget.allowance * share, 2 * shortestCost)
        balance = min(balance + share * time, most)
    }

    // MARK: What to do

    /// What to do now. To be asked after each drain, and at `changesAt`.
    package mutating func step(at now: MonotonicTime) -> Move? {
        reckon(to: now)
        switch phase {
        case .always:
            if balance < 0, share < 1 {
                exceed(at: now)
            } else if cycle.listened >= EventBudget.probe {
                close(at: now)
            }
        case .window(let since, let end):
            if isMember { settle(since, until: end, at: now) }
            let isCostly = cycle.isSettled && Double(cycle.messages) * cost > EventBudget.excess * allotted
            if now >= end || isCostly { endWindow(since, at: now) }
        case .away(let end):
            if now >= end { beginWindow(at: now) }
        }
        let isWanted = if case .away = phase { false } else { true }
        return isWanted == isMember ? nil : isWanted ? .join : .leave
    }

    /// When to ask again, if no message comes before.
    package var changesAt: MonotonicTime? {
        switch phase {
        case .always: nil
        case .away(let end): end
        case .window(let since, let end):
            isMember && !cycle.isSettled ? min(end, since + .seconds(EventBudget.probe)) : end
        }
    }

    /// The budget is overdrawn: from here on only part of the time is listened.
    private mutating func exceed(at now: MonotonicTime) {
        // The burst may have just begun, or the cycle have.
        let present = Double(cycle.messages) / max(cycle.listened, EventBudget.shortestWindow)
        duty.messageRate = max(duty.messageRate, present)
        plannedRate = duty.messageRate
        duty.isOverBudget = true
        duty.ratio = min(1, share / max(share, duty.load))
        recent = (0, 0)
        let isAgain = calmedAt.map { now - $0 < .seconds(60) } ?? false
        calmNeeded = isAgain ? min(2 * calmNeeded, EventBudget.longestCalm) : EventBudget.shortestCalm
        calmSince = nil
        cycle = Cycle()
        goAway(for: EventBudget.period * (1 - duty.ratio), at: now)
    }

    /// For `mean` seconds on average. While not even the shortest window could be paid after that, for longer: then too
    /// the last part is drawn, or the end would depend on what was heard before.
    private mutating func goAway(for mean: Double, at now: MonotonicTime) {
        let unpaid = 2 * (shortestCost - share * EventBudget.period) - balance
        let wait = min(max(0, unpaid / share), EventBudget.longestAway)
        let mean = wait > 0 ? max(mean - wait, EventBudget.period / 2) : mean
        let drawn = 2 * mean * draw()
        cycle.correction = 2 * (mean - drawn)
        phase = .away(until: now + .seconds(wait + drawn))
    }

    private var shortestCost: Double { plannedRate * cost * EventBudget.shortestWindow }

    private mutating func endWindow(_ since: MonotonicTime, at now: MonotonicTime) {
        let isWhole = isMember && cycle.away == 0
        // Otherwise it was not joined, and the time away goes on.
        if cycle.isSettled { close(at: now) }
        if isWhole, isCalm(at: now) {
            phase = .always
            duty.isOverBudget = false
            calmedAt = now
            return
        }
        let rest = EventBudget.period - (now - since).inSeconds
        if rest > 0 { goAway(for: rest, at: now) } else { beginWindow(at: now) }
    }

    /// Plans a window such that an overdraft is half paid back at its cycle's end.
    private mutating func beginWindow(at now: MonotonicTime) {
        allotted = max(share * EventBudget.period + balance / 2, shortestCost)
        var window = allotted / max(plannedRate * cost, allotted / EventBudget.period)
        if EventBudget.period - window < EventBudget.shortestWindow { window = EventBudget.period }
        phase = .window(since: now, until: now + .seconds(window))
    }

    /// The window's first part is over: it tells what came in the time away before it.
    private mutating func settle(_ since: MonotonicTime, until end: MonotonicTime, at now: MonotonicTime) {
        if !cycle.isSettled {
            guard cycle.listened > 0, now >= min(end, since + .seconds(EventBudget.probe)) else { return }
            let missed = cycle.away > 0 ? max(0, cycle.away + cycle.correction) : 0
            duty.made += missed * Double(cycle.entered) / cycle.listened
            duty.span += missed
            cycle.isSettled = true
        }
        duty.settledAt = now
    }

    private mutating func close(at now: MonotonicTime) {
        duty.messageRate = Double(cycle.messages) / cycle.listened
        duty.settledAt = now
        plannedRate = max(duty.messageRate, (plannedRate + duty.messageRate) / 2)
        if cycle.away > 0 {
            recent = (recent.listened / 2 + cycle.listened, recent.away / 2 + cycle.away)
        } else {
            recent = (1, 0)
        }
        duty.ratio = recent.listened / (recent.listened + recent.away)
        cycle = Cycle()
    }

    private mutating func isCalm(at now: MonotonicTime) -> Bool {
        guard duty.load < EventBudget.calm * share else {
            calmSince = nil
            return false
        }
        let since = calmSince ?? now
        calmSince = since
        return (now - since).inSeconds >= calmNeeded
    }

    /// 0 up to 1 (SplitMix64).
    private mutating func draw() -> Double {
        random &+= 0x9e37_79b9_7f4a_7c15
        var bits = random
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return Double((bits ^ (bits >> 31)) >> 11) / 9_007_199_254_740_992
    }
}
