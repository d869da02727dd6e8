// SPDX-License-Identifier: GPL-3.0-or-later

internal import TestKit

/// What reading an event costs, by each source and its floor, and whether all were read.
struct ReaderPart {
    private static let audiences = [
        Audience.bpfFloor, .watch("bpf"), .netlinkFloor, .watch("netlink"), .watch("auto"), .conntrack(buffer: nil),
    ]
    private static let entries = 150_000
    /// For `conntrack -E`: what a receive buffer of 64 MiB holds, so that it reads every event that it is charged for.
    private static let fewEntries = 20_000

    private struct Run {
        var made: Made
        var readerMicroseconds: Double
        var wholeMicroseconds: Double
        var overruns: Double
        var received: Listener.Received?

        /// Events counted and events lost minus events made.
        var surplus: Double? {
            received.map { $0.events + $0.lost.values.reduce(0, +) - made.events }
        }
    }

    private var runs: [Audience: [Run?]] = [:]
    private var slowRuns: [Run?] = []
    private var problems: [Audience: String] = [:]

    static func run(_ plan: Plan, _ report: Report) throws {
        let arena = try Arena()
        var part = ReaderPart()
        for round in 1...plan.rounds {
            note("reader, round \(round) of \(plan.rounds)")
            for audience in round % 2 == 1 ? audiences : audiences.reversed() {
                part.runs[audience, default: []].append(part.attempt(audience, arena.entries(entries), arena))
            }
            part.slowRuns.append(part.attempt(.conntrack(buffer: 64 << 20), fewEntries, arena))
        }
        part.tell(report)
        part.tellEvents(report, arena, plan)
    }

    private mutating func attempt(_ audience: Audience, _ entries: Int, _ arena: Arena) -> Run? {
        guard problems[audience] == nil else { return nil }
        do {
            return try ReaderPart.measure(audience, entries, arena)
        } catch {
            note("\(error)")
            problems[audience] = "\(error)"
            return nil
        }
    }

    /// The CPU time while the entries are made and until all of it is read, less what the same time costs idle.
    private static func measure(_ audience: Audience, _ entries: Int, _ arena: Arena) throws -> Run {
        let listener = try Listener(audience, in: arena.namespace)
        let idle = try listener.processorTime()
        let idleSeconds = elapsed { pause(.milliseconds(300)) }
        let before = try listener.processorTime()
        var made: Made?
        let busySeconds = try elapsed {
            made = try Made(count: entries, in: arena.namespace)
            listener.rest()
        }
        guard let made else { throw TestKitError("nothing was made") }
        let after = try listener.processorTime()
        let overruns = try listener.overruns()
        let received = try listener.stop()

        func microseconds(_ of: KeyPath<ProcessorTime, UInt64>) -> Double {
            let spent = Double(after[keyPath: of] - before[keyPath: of])
            let unloaded = Double(before[keyPath: of] - idle[keyPath: of]) * busySeconds / idleSeconds
            return (spent - unloaded) / 1000 / max(made.events - overruns, 1)
        }
        return Run(
            made: made, readerMicroseconds: microseconds(\.reader), wholeMicroseconds: microseconds(\.whole),
            overruns: overruns, received: received)
    }

    private func values(_ audience: Audience, _ value: (Run) -> Double?) -> [Double?] {
        (runs[audience] ?? []).map { $0.flatMap(value) }
    }

    private func reason(_ audiences: Audience...) -> Outcome? {
        audiences.compactMap { problems[$0] }.first.map { .notMeasured($0) }
    }

    private func tell(_ report: Report) {
        func reader(_ source: Audience, _ floor: Audience) -> Outcome {
            reason(source, floor)
                ?? .ratio(
                    values(source) { $0.readerMicroseconds }, to: values(floor) { $0.readerMicroseconds }, unit: "µs")
        }
        report.set(.readerBPF, reader(.watch("bpf"), .bpfFloor))
        report.set(.readerNetlink, reader(.watch("netlink"), .netlinkFloor))
        let patient = slowRuns.map { $0?.wholeMicroseconds }
        report.set(
            .watch,
            reason(.watch("bpf"), .conntrack(buffer: 64 << 20))
                ?? .ratio(values(.watch("bpf")) { $0.wholeMicroseconds }, to: patient, unit: "µs", digits: 4))
        if let netlink = Spread(values(.watch("netlink")) { $0.wholeMicroseconds }.compactMap { $0 }),
            let peer = Spread(patient.compactMap { $0 })
        {
            report.remark(
                "Whole `watch` by netlink: \(netlink.median.short) µs an event; `conntrack -E`: \(peer.median.short) µs"
            )
        }
        tellLoss(report)
    }

    private func tellLoss(_ report: Report) {
        let monitors = [Audience.watch("bpf"), .watch("netlink"), .watch("auto")]
        let defaults = (runs[.watch("auto")] ?? []).compactMap { $0 }
        let rates = Spread(defaults.map { $0.made.rate })
        let lost = defaults.compactMap { $0.received?.lost.values.reduce(0, +) }.reduce(0, +)
        let peers = (runs[.conntrack(buffer: nil)] ?? []).compactMap { $0.map { $0.overruns / $0.made.events } }
        if let rates {
            let events = defaults.map { $0.made.events }.reduce(0, +)
            let slow = rates.median < 200_000 ? " (fewer than 200,000: says less)" : ""
            let peer = Spread(peers).map { "; `conntrack -E` lost \(($0.median * 100).text(0)) %" } ?? ""
            report.set(
                .lost,
                .measured(
                    lost, seen: "\(lost.grouped) of \(events.grouped) at \(rates.median.grouped) a second\(slow)\(peer)"
                ))
        } else {
            report.set(.lost, reason(.watch("auto")) ?? .notMeasured("no round"))
        }

        let surpluses = monitors.flatMap { values($0) { $0.surplus } }.compactMap { $0 }
        let all = monitors.flatMap { values($0) { $0.made.events } }.compactMap { $0 }.reduce(0, +)
        if let worst = surpluses.max(by: { $0.magnitude < $1.magnitude }) {
            report.set(
                .accounted,
                .measured(
                    worst, seen: "differs by \(worst.text(0)) at most, \(surpluses.count) runs, \(all.grouped) events"))
        } else {
            report.set(.accounted, reason(.watch("auto")) ?? .notMeasured("no round"))
        }
        for (name, floor) in [("BPF", Audience.bpfFloor), ("netlink", .netlinkFloor)] {
            let missed = values(floor) { run in run.received.map { run.made.events - $0.events } }.compactMap { $0 }
            if let most = missed.max(), most != 0 {
                report.remark("The \(name) floor missed up to \(most.grouped) events")
            }
        }
    }

    /// `conntrack-mon events` to /dev/null, on what `conntrack -E` can keep up with.
    private func tellEvents(_ report: Report, _ arena: Arena, _ plan: Plan) {
        guard monitorHas(command: "events") else {
            report.set(.events, .notMeasured("no such command yet"))
            return
        }
        var part = ReaderPart()
        let runs = (1...plan.rounds).map { _ in part.attempt(.events, ReaderPart.fewEntries, arena) }
        report.set(
            .events,
            part.reason(.events)
                ?? .ratio(
                    runs.map { $0?.wholeMicroseconds }, to: slowRuns.map { $0?.wholeMicroseconds }, unit: "µs",
                    digits: 3
                ))
    }
}
