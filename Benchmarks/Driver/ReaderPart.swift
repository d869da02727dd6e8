// SPDX-License-Identifier: GPL-3.0-or-later

internal import TestKit

/// What reading an event costs, by each source and its floor, and whether all were read: entries made and deleted by
/// ctnetlink, the fastest that one core can. All sides only read messages, so that it does not matter who made the entries.
struct ReaderPart {
    private static let audiences = [
        Audience.bpfFloor, .watch("bpf"), .netlinkFloor, .watch("netlink"), .watch("auto"),
    ]
    private static let entries = 150_000

    private var runs = ListenerRuns()

    static func run(_ plan: Plan, _ report: Report) throws {
        let arena = try Arena()
        var part = ReaderPart()
        for round in 1...plan.rounds {
            note("reader, round \(round) of \(plan.rounds)")
            for audience in round % 2 == 1 ? audiences : audiences.reversed() {
                part.runs.attempt(audience) {
                    try ListenerRun(audience, in: arena, idle: .milliseconds(300)) {
                        let made = try Made(count: arena.entries(entries), in: arena.namespace)
                        return Events(count: made.events, rate: made.rate)
                    }
                }
            }
        }
        part.tell(report)
        part.tellLoss(report)
    }

    private func tell(_ report: Report) {
        func reader(_ source: Audience, _ floor: Audience) -> Outcome {
            runs.reason(source, floor)
                ?? .ratio(
                    runs.values(source) { $0.readerMicroseconds }, to: runs.values(floor) { $0.readerMicroseconds },
                    unit: "µs")
        }
        report.set(.readerBPF, reader(.watch("bpf"), .bpfFloor))
        report.set(.readerNetlink, reader(.watch("netlink"), .netlinkFloor))
        if let bpf = Spread(runs.all(.watch("bpf")).map(\.wholeMicroseconds)),
            let netlink = Spread(runs.all(.watch("netlink")).map(\.wholeMicroseconds))
        {
            report.remark("Whole `watch` at this rate: \(bpf.short) µs an event by BPF, \(netlink.short) µs by netlink")
        }
    }

    private func tellLoss(_ report: Report) {
        let defaults = runs.all(.watch("auto"))
        let lost = defaults.map(\.lost).reduce(0, +)
        if let rates = Spread(defaults.map(\.made.rate)) {
            let events = defaults.map(\.made.count).reduce(0, +)
            let slow = rates.median < 200_000 ? " (fewer than 200,000: says less)" : ""
            report.set(
                .lost,
                .measured(lost, seen: "\(lost.grouped) of \(events.grouped) at \(rates.median.grouped) a second\(slow)")
            )
        } else {
            report.set(.lost, runs.reason(.watch("auto")) ?? .notMeasured("no round"))
        }

        let all = [Audience.watch("bpf"), .watch("netlink"), .watch("auto")].flatMap { runs.all($0) }
        let surpluses = all.compactMap(\.surplus)
        let events = all.map(\.made.count).reduce(0, +)
        if let worst = surpluses.max(by: { $0.magnitude < $1.magnitude }) {
            report.set(
                .accounted,
                .measured(
                    worst,
                    seen: "differs by \(worst.text(0)) at most, \(surpluses.count) runs, \(events.grouped) events"))
        } else {
            report.set(.accounted, runs.reason(.watch("auto")) ?? .notMeasured("no round"))
        }
        for (name, floor) in [("BPF", Audience.bpfFloor), ("netlink", .netlinkFloor)] {
            let missed = runs.all(floor).compactMap { run in run.received.map { run.made.count - $0.events } }
            if let most = missed.max(), most != 0 {
                report.remark("The \(name) floor missed up to \(most.grouped) events")
            }
        }
    }
}
