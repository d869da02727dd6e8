// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// Traffic by the second, with a name for what a failing test shows of it.
struct NamedTraffic: CustomTestStringConvertible, Sendable {
    var testDescription: String
    /// How far the mean of some estimates may be from the truth.
    var tolerance: Double
    var at: @Sendable (Double) -> Double

    init(_ name: String, tolerance: Double = 0.1, _ at: @escaping @Sendable (Double) -> Double) {
        testDescription = name
        self.tolerance = tolerance
        self.at = at
    }

    /// Each far above 5 % of a core (20,000 messages a second) on average.
    static let heavy = [
        NamedTraffic("constant", tolerance: 0.003) { _ in 200_000 },
        NamedTraffic("just above the budget", tolerance: 0.003) { _ in 25_000 },
        NamedTraffic("more than a core makes", tolerance: 0.003) { _ in 3_000_000 },
        NamedTraffic("a burst of 50 ms each second", tolerance: 0.25) {
            $0.truncatingRemainder(dividingBy: 1) < 0.05 ? 1_000_000 : 1000
        },
        NamedTraffic("half a second on, half off") { $0.truncatingRemainder(dividingBy: 1) < 0.5 ? 200_000 : 0 },
        NamedTraffic("bursts of 20 ms, ten a second") {
            $0.truncatingRemainder(dividingBy: 0.1) < 0.02 ? 500_000 : 0
        },
        NamedTraffic("three seconds on, four off") { $0.truncatingRemainder(dividingBy: 7) < 3 ? 300_000 : 500 },
        NamedTraffic("a ramp", tolerance: 0.03) { $0 * 2000 },
    ]
}

/// The policy of --event-budget on simulated traffic.
@Suite struct EventBudgetTests {
    @Test(arguments: NamedTraffic.heavy)
    func `without a bound the groups are never left, and nothing is estimated`(_ traffic: NamedTraffic) {
        var host = BudgetSimulation(share: 1, traffic.at)
        host.run(100)

        #expect(host.moves == 0)
        #expect(host.budget.duty.ratio == 1)
        #expect(host.budget.duty.away == 0)
        #expect(!host.budget.duty.isOverBudget)
        #expect(host.budget.changesAt == nil)
        #expect(abs(host.budget.duty.made - host.entered) < 2)
    }

    @Test(arguments: NamedTraffic.heavy, [0.01, 0.05, 0.2])
    func `what is heard costs no more than the budget, and half a second's worth at once`(
        _ traffic: NamedTraffic, _ share: Double
    ) {
        var host = BudgetSimulation(share: share, traffic.at)
        host.run(200)
        let heard = Double(host.heard) * 2.5e-6

        #expect(abs(host.budget.duty.spent - heard) < 1e-6)
        #expect(heard <= share * (200 + EventBudget.allowance) * 1.02, "\(heard / 200) of \(share)")
        // Nor is it so timid that the estimate would suffer for nothing.
        let most = min(share, host.messages * 2.5e-6 / 200)
        #expect(heard >= 0.5 * most * 200, "\(heard / 200) of \(most)")
    }

    @Test(arguments: NamedTraffic.heavy)
    func `new entries are estimated without leaning to one side`(_ traffic: NamedTraffic) {
        // One run is as good as its windows; the mean of many must be right.
        let ratios = (1...12).map { seed in
            var host = BudgetSimulation(share: 0.05, seed: UInt64(seed), traffic.at)
            host.run(100)
            return host.budget.duty.made / host.budget.duty.span / (host.entered / 100)
        }
        let mean = ratios.reduce(0, +) / Double(ratios.count)

        #expect(abs(mean - 1) < traffic.tolerance, "mean \(mean), from \(ratios.min() ?? 0) to \(ratios.max() ?? 0)")
    }

    @Test(arguments: [(40_000.0, 0.51), (200_000, 0.1), (400_000, 0.026), (1_000_000, 0.0102)])
    func `a burst is noticed when it has cost half a second of the budget`(_ rate: Double, _ seconds: Double) {
        var host = BudgetSimulation(share: 0.05) { $0 < 10 ? 100 : rate }
        host.run(20)
        let began = host.ticks.first { $0.isOverBudget }?.seconds ?? .infinity

        #expect(began - 10 <= seconds + 0.05 * seconds + 0.004, "\(began - 10)")
    }

    @Test func `a short burst changes nothing`() {
        var host = BudgetSimulation(share: 0.05) { $0.truncatingRemainder(dividingBy: 5) < 0.02 ? 400_000 : 5000 }
        host.run(60)

        #expect(host.moves == 0)
        #expect(host.budget.duty.ratio == 1)
    }

    @Test(arguments: [(50_000.0, 0.4), (200_000, 0.1), (2_000_000, 0.01)])
    func `of constant traffic it listens to the part that the budget pays`(_ rate: Double, _ duty: Double) {
        var host = BudgetSimulation(share: 0.05) { _ in rate }
        host.run(120)

        #expect(abs(host.listened(over: 60) / duty - 1) < 0.1, "\(host.listened(over: 60))")
        #expect(abs(host.budget.duty.messageRate / rate - 1) < 0.05)
        #expect(abs(host.load(over: 60) / 0.05 - 1) < 0.1)
        #expect(host.budget.duty.isOverBudget)
    }

    @Test func `when not even 10 ms a second can be paid, it waits longer`() {
        var host = BudgetSimulation(share: 0.01) { _ in 2_000_000 }
        host.run(300)
        let windows = zip(host.ticks, host.ticks.dropFirst()).count { !$0.isMember && $1.isMember }

        // 0.2 % of the time: 10 ms each 5 s.
        #expect((40...75).contains(windows), "\(windows)")
        #expect(host.load(over: 200) <= 0.0105)
    }

    @Test func `after calm it listens all the time again, and not before`() {
        var host = BudgetSimulation(share: 0.05) { $0 < 30 ? 200_000 : 3000 }
        host.run(30)
        #expect(host.budget.duty.isOverBudget)
        host.run(4)
        #expect(host.budget.duty.isOverBudget)
        host.run(6)

        #expect(!host.budget.duty.isOverBudget)
        #expect(host.budget.duty.ratio == 1)
        #expect(host.listened(over: 2) == 1)
        let moves = host.moves
        host.run(60)
        #expect(host.moves == moves)
    }

    @Test func `traffic between 80 % and all of the budget ends nothing, but is heard whole`() {
        var host = BudgetSimulation(share: 0.05) { $0 < 30 ? 200_000 : 18_000 }
        host.run(100)

        #expect(host.budget.duty.isOverBudget)
        #expect(host.budget.duty.ratio == 1)
        #expect(host.listened(over: 50) == 1)
    }

    @Test func `traffic that goes over again and again is over the budget in one piece`() {
        var host = BudgetSimulation(share: 0.05) { $0.truncatingRemainder(dividingBy: 10) < 2 ? 200_000 : 100 }
        host.run(600)
        let changes = zip(host.ticks, host.ticks.dropFirst()).count { $0.isOverBudget != $1.isOverBudget }

        // Every 10 s it would be 120.
        #expect(changes <= 5, "\(changes)")
    }

    @Test func `a cycle of fixed length would beat with traffic that comes each second`() {
        // What the random time away is for: the same windows, each second at the same time, hear all of it or nothing.
        func estimate(phase: Double) -> Double {
            let traffic = NamedTraffic.heavy[3].at
            let heard = stride(from: phase, to: phase + 0.25, by: 0.002).reduce(0) { $0 + traffic($1) * 0.002 }
            return heard / 0.25
        }
        let truth = 50_000.0 + 950
        #expect(estimate(phase: 0) > 3 * truth)
        #expect(estimate(phase: 0.5) < 0.1 * truth)

        var host = BudgetSimulation(share: 0.05, entering: 1, NamedTraffic.heavy[3].at)
        host.run(300)
        #expect(abs(host.budget.duty.made / host.budget.duty.span / truth - 1) < 0.25, "\(host.budget.duty)")
    }

    @Test func `while it must not join it stays out, knows nothing, and says why`() {
        var host = BudgetSimulation(share: 0.05) { _ in 50_000 }
        host.run(10)
        host.run(1, mayJoin: false)
        while host.ticks.last?.isMember == true { host.run(0.002, mayJoin: false) }
        let before = host.budget.duty
        let moves = host.moves
        host.run(30, mayJoin: false)

        #expect(host.moves == moves)
        #expect(host.budget.duty.hindrance == .netlinkAbsent)
        #expect(host.budget.duty.settledAt == before.settledAt)
        #expect(host.budget.duty.made == before.made)
        #expect(host.budget.duty.away > before.away + 29)
        #expect(host.spins == 0)
        host.run(3)
        #expect(host.budget.duty.hindrance == nil)
        #expect(host.moves > moves)
        #expect(host.budget.duty.settledAt > before.settledAt)
    }

    @Test func `a reader that was stopped does not take what waited for a burst`() {
        let start = Moment.at(0).monotonic
        var budget = EventBudget(EventBudget.Limits(share: 0.05), seed: 1, at: start)
        budget.joined(at: start)
        _ = budget.step(at: start + .seconds(1))
        // 10 s at half the budget, all at once.
        budget.count(messages: 100_000, entered: 50_000, at: start + .seconds(11))

        #expect(budget.step(at: start + .seconds(11)) == nil)
        #expect(!budget.duty.isOverBudget)
    }

    @Test func `messages of every kind cost, only new entries are estimated`() {
        var host = BudgetSimulation(share: 0.05, entering: 0) { _ in 200_000 }
        host.run(20)

        #expect(host.budget.duty.isOverBudget)
        #expect(host.budget.duty.made == 0)
    }
}
