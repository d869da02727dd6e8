// SPDX-License-Identifier: GPL-3.0-or-later

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// A host, its traffic, and a reader that keeps the budget: time passes only here.
struct BudgetSimulation {
    /// What happened in one tick.
    struct Tick {
        var seconds: Double
        var isMember: Bool
        var heard: Double
        var isOverBudget: Bool
    }

    /// Events a second, so many seconds after the start.
    typealias Traffic = (Double) -> Double

    private(set) var budget: EventBudget
    /// One entry a tick of 2 ms.
    private(set) var ticks: [Tick] = []
    /// How many there were, heard or not, by kind.
    private(set) var messages = 0.0
    private(set) var entered = 0.0
    private(set) var heard: UInt64 = 0
    private(set) var moves = 0
    /// How often it wanted to be asked again at once: a reader would spin.
    private(set) var spins = 0

    private let traffic: Traffic
    private let entering: Double
    private var noise: UInt64
    private var isMember = false
    private var passed = 0
    private var owed = (messages: 0.0, entered: 0.0)

    private static let tick = 0.002

    /// `entering`: which part of the messages tells of new entries.
    init(
        share: Double, cost: Duration = .nanoseconds(2500), seed: UInt64 = 1, entering: Double = 0.5,
        _ traffic: @escaping Traffic
    ) {
        budget = EventBudget(EventBudget.Limits(share: share, cost: cost), seed: seed, at: Moment.at(0).monotonic)
        budget.joined(at: Moment.at(0).monotonic)
        isMember = true
        self.traffic = traffic
        self.entering = entering
        noise = seed &* 7919
    }

    var seconds: Double { Double(passed) * BudgetSimulation.tick }
    private var now: MonotonicTime { Moment.at(seconds).monotonic }

    /// What was heard, as a share of one core, over the last `span` seconds.
    func load(over span: Double) -> Double {
        let first = max(0, ticks.count - Int(span / BudgetSimulation.tick))
        let sum = ticks[first...].reduce(0) { $0 + $1.heard }
        return sum * budget.duty.cost / (Double(ticks.count - first) * BudgetSimulation.tick)
    }

    /// Share of the time listened, over the last `span` seconds.
    func listened(over span: Double) -> Double {
        let first = max(0, ticks.count - Int(span / BudgetSimulation.tick))
        return Double(ticks[first...].count { $0.isMember }) / Double(ticks.count - first)
    }

    /// `seconds` go by. `mayJoin` false: somebody unloads modules.
    mutating func run(_ seconds: Double, mayJoin: Bool = true) {
        for _ in 0..<Int((seconds / BudgetSimulation.tick).rounded()) {
            advance()
            switch budget.step(at: now) {
            case .leave:
                isMember = false
                moves += 1
                budget.left(at: now)
            case .join where mayJoin:
                isMember = true
                moves += 1
                budget.joined(at: now)
            case .join:
                budget.hinder(.netlinkAbsent)
            case nil:
                break
            }
            if let next = budget.changesAt, next <= now { spins += 1 }
        }
    }

    private mutating func advance() {
        // About as uneven as independent arrivals are.
        let expected = traffic(seconds) * BudgetSimulation.tick
        let count = max(0, expected + (draw() + draw() + draw() - 1.5) * 2 * expected.squareRoot())
        passed += 1
        messages += count
        entered += count * entering
        if isMember {
            owed.messages += count
            owed.entered += count * entering
            let whole = (messages: UInt64(owed.messages), entered: UInt64(owed.entered))
            owed.messages -= Double(whole.messages)
            owed.entered -= Double(whole.entered)
            heard += whole.messages
            budget.count(messages: whole.messages, entered: whole.entered, at: now)
        }
        ticks.append(
            Tick(
                seconds: seconds, isMember: isMember, heard: isMember ? count : 0,
                isOverBudget: budget.duty.isOverBudget))
    }

    private mutating func draw() -> Double {
        noise = noise &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(noise >> 11) / 9_007_199_254_740_992
    }
}
