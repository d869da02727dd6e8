// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// What is said of what listening costs, and that the other rules are not fooled by it.
@Suite struct BudgetTests {
    private func duty(
        budget: Double = 0.05, rate: Double = 1000, isOver: Bool = false, ratio: Double = 1, away: Double = 0
    ) -> EventDuty {
        var duty = EventDuty(settledAt: Moment.at(0).monotonic)
        duty.budget = budget
        duty.cost = 2.5e-6
        duty.messageRate = rate
        duty.isOverBudget = isOver
        duty.ratio = ratio
        duty.away = away
        return duty
    }

    @Test func `that the budget is exceeded is a notice with rate, cost, budget and duty, and so is its end`() {
        var run = JudgeRun()
        run.samples(0...3) { $0.duty = duty() }
        #expect(run.said == [])
        for second in 4...33 {
            run.samples(second...second) {
                $0.duty = duty(rate: 200_000, isOver: true, ratio: 0.105, away: Double(second - 4) * 0.9)
            }
        }
        #expect(run.said == ["NOTICE event_budget_exceeded"])
        #expect(
            run.lastSummary
                == "events come at 200000/s, which costs this host 50.0% of a core (2.5us each), over --event-budget"
                + " 5.00%: from now on the event groups are left for part of each second, now listening 10.5% of the"
                + " time; rates of new and destroyed entries are estimates and the event counters too low until"
                + " event_budget_met; table samples, statistics and alerts about them are not affected")
        #expect(
            run.announcements.last?.values == [
                "events_per_second": 200_000, "cost_ratio": 0.5, "cost_seconds_per_event": 2.5e-6,
                "budget_ratio": 0.05, "duty_ratio": 0.105,
            ])
        run.samples(34...40) { $0.duty = duty(away: 26.7) }

        #expect(run.said == ["NOTICE event_budget_exceeded", "NOTICE event_budget_met"])
        #expect(
            run.lastSummary
                == "after 30.0s, listening 11.0% of that time: events come at 1000/s, which costs this host 0.25% of a"
                + " core (2.5us each), within --event-budget 5.00%; every event is counted again")
    }

    @Test func `when events end altogether nothing is said of the budget`() {
        var run = JudgeRun()
        run.samples(0...1) { $0.duty = duty(isOver: true) }
        run.samples(2...3)
        run.samples(4...5) { $0.duty = duty() }

        #expect(run.said == ["NOTICE event_budget_exceeded"])
    }

    @Test(arguments: [.new, .destroy] as [EventGroups])
    func `events that ceased to come do not meet the budget`(_ unheard: EventGroups) {
        var run = JudgeRun()
        run.samples(0...9) { $0.duty = duty(rate: 200_000, isOver: true, ratio: 0.1) }
        run.samples(10...10) {
            $0.duty = duty(rate: 0)
            $0.unheardNow = unheard
        }
        run.samples(11...20) {
            $0.duty = duty(rate: 0)
            $0.silence = .unheard(entries: 1000)
        }
        #expect(run.said == ["NOTICE event_budget_exceeded"])
        run.samples(21...22) { $0.duty = duty() }

        #expect(run.said == ["NOTICE event_budget_exceeded", "NOTICE event_budget_met"])
    }

    @Test(
        arguments: [(1.0, 0.21, true), (1, 0.2, false), (1, nil, false), (0.5, 0.4, false)] as [(Double, Double?, Bool)]
    )
    func `without a budget a high cost over a minute is said once, with the flag to use`(
        _ budget: Double, _ load: Double?, _ isSaid: Bool
    ) {
        var run = JudgeRun()
        run.samples(0...300) {
            $0.duty = duty(budget: budget)
            $0.eventLoadMinute = load
        }

        #expect(run.said == (isSaid ? ["NOTICE event_cost_high"] : []))
        #expect(
            !isSaid || run.lastSummary.contains("cost this host 21.0% of a core over the last minute (84000 events/s"))
        #expect(!isSaid || run.lastSummary.contains("--event-budget 5%, or --events none"))
    }

    // MARK: The other rules

    /// 100 s in which only part of the time is listened, without any loss or change of the table.
    private func partly(_ change: (inout Sample) -> Void = { _ in }) -> JudgeRun {
        var run = JudgeRun()
        run.samples(0...100) {
            $0.duty = duty(rate: 400_000, isOver: true, ratio: 0.05)
            $0.isPartial = true
            $0.events = EventCounts(new: 1_000_000, destroy: 1_000_000)
            $0.eventsNow = EventCounts(new: 10_000, destroy: 10_000)
            $0.eventsMinute = 1_200_000
            $0.isNetlinkThere = true
            change(&$0)
        }
        return run
    }

    @Test func `what was not listened to is not lost`() {
        #expect(partly().said == ["NOTICE event_budget_exceeded"])
    }

    @Test func `what is lost while listening is judged by what was sent while listening`() {
        #expect(
            partly { $0.lostMinute.overrun = 12_500 }.said == ["NOTICE event_budget_exceeded", "WARNING events_lost"])
        #expect(partly { $0.lostMinute.overrun = 12_000 }.said == ["NOTICE event_budget_exceeded"])
    }

    @Test func `out of the groups, a sender that is gone is still said`() {
        #expect(
            partly { $0.isNetlinkThere = false }.said == ["NOTICE event_budget_exceeded", "WARNING events_silent"])
    }

    @Test func `a usage alert quotes an estimated rate as such`() {
        var run = JudgeRun { $0.warnHold = .zero }
        run.samples(0...0, entries: 800) {
            $0.newRate = 41_000
            $0.newRateSpan = .seconds(60)
            $0.isNewRateEstimated = true
        }

        #expect(run.lastSummary.contains("; in the last minute new 41000/s (estimated);"))
    }
}
