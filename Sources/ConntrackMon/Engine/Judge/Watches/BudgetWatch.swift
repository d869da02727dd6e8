// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What is to be said of what listening for events costs: that the budget is exceeded and when that has ended; without
/// one, once, that it is high.
struct BudgetWatch: Sendable {
    /// A share of one core, over a minute.
    private static let high = 0.2

    private var exceeded: (at: MonotonicTime, away: Double)?
    private var isHighSaid = false

    /// The notices that this sample gives.
    mutating func observe(_ sample: Sample) -> [Notice] {
        guard let duty = sample.duty else {
            exceeded = nil
            return []
        }
        let now = sample.moment.monotonic
        if duty.isOverBudget, exceeded == nil {
            exceeded = (now, duty.away)
            return [begin(duty)]
        }
        if let before = exceeded, !duty.isOverBudget {
            // Nothing is counted again where events only ceased to come: the table changes, and nothing tells of it.
            guard !sample.isSilent, sample.unheardNow.isEmpty else { return [] }
            exceeded = nil
            return [end(duty, after: (now - before.at).inSeconds, away: duty.away - before.away)]
        }
        return highCost(sample, duty).map { [$0] } ?? []
    }

    private func begin(_ duty: EventDuty) -> Notice {
        Notice(
            .eventBudgetExceeded,
            Explanation(
                "\(events(duty)), over --event-budget \(percent(duty.budget)): from now on the event groups are left for"
                    + " part of each second, now listening \(percent(duty.ratio)) of the time",
                why: [
                    "rates of new and destroyed entries are estimates and the event counters too low until"
                        + " event_budget_met",
                    "table samples, statistics and alerts about them are not affected",
                ]),
            values: values(duty))
    }

    private func end(_ duty: EventDuty, after seconds: Double, away: Double) -> Notice {
        let listened = seconds > 0 ? max(0, 1 - away / seconds) : 1
        return Notice(
            .eventBudgetMet,
            Explanation(
                "after \(readable(seconds: seconds)), listening \(percent(listened)) of that time: \(events(duty)), within"
                    + " --event-budget \(percent(duty.budget))",
                why: ["every event is counted again"]),
            values: values(duty))
    }

    private mutating func highCost(_ sample: Sample, _ duty: EventDuty) -> Notice? {
        guard duty.budget >= 1, !isHighSaid, let load = sample.eventLoadMinute, load > BudgetWatch.high else {
            return nil
        }
        isHighSaid = true
        return Notice(
            .eventCostHigh,
            Explanation(
                "listening to events cost this host \(percent(load)) of a core over the last minute"
                    + " (\(fixed(load / duty.cost, 0)) events/s at \(costText(duty.cost)) each, paid where connections are"
                    + " made)",
                fix: .init("--event-budget 5%, or --events none", label: .bound)),
            values: [
                "events_per_second": load / duty.cost, "cost_ratio": load, "cost_seconds_per_event": duty.cost,
            ])
    }

    private func events(_ duty: EventDuty) -> String {
        "events come at \(fixed(duty.messageRate, 0))/s, which costs this host \(percent(duty.load)) of a core"
            + " (\(costText(duty.cost)) each)"
    }

    private func values(_ duty: EventDuty) -> [String: Double] {
        [
            "events_per_second": duty.messageRate, "cost_ratio": duty.load, "cost_seconds_per_event": duty.cost,
            "budget_ratio": duty.budget, "duty_ratio": duty.ratio,
        ]
    }

    private func costText(_ seconds: Double) -> String {
        "\(fixed(seconds * 1e6, 1))us"
    }
}
