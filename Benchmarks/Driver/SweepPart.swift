// SPDX-License-Identifier: GPL-3.0-or-later

internal import TestKit

/// The constants of the netlink source: what batch size, buffer size and tick cost its floor and whoever makes entries.
enum SweepPart {
    /// What the monitor uses now; the others differ from it in one thing.
    private static let present: [String: Int] = ["batch": 64, "datagram": 2048, "tick": 2000, "name": 1]
    private static let changes: [(String, [String: Int])] =
        [("as it is: 64 × 2048 bytes, 2 ms, with sender", [:])]
        + [16, 32, 128, 256].map { ("\($0) datagrams", ["batch": $0]) }
        + [512, 1024, 4096].map { ("\($0) bytes each", ["datagram": $0]) }
        + [("256 × 512 bytes", ["batch": 256, "datagram": 512])]
        + [0, 1000, 5000, 10000].map { ($0 == 0 ? "no tick, asleep in poll" : "\($0 / 1000) ms", ["tick": $0]) }
        + [("senders not asked for", ["name": 0])]
    private static let count = 100_000

    static func run(_ plan: Plan, _ report: Report) throws {
        let arena = try Arena()
        var costs: [[Double?]] = changes.map { _ in [] }
        var rates: [[Double?]] = changes.map { _ in [] }
        for round in 1...plan.rounds {
            note("sweep, round \(round) of \(plan.rounds)")
            for step in 0..<changes.count {
                let index = (step + round) % changes.count
                let (cost, rate) = try measure(changes[index].1, arena)
                costs[index].append(cost)
                rates[index].append(rate)
            }
        }
        var table = Table(header: [
            "recvmmsg", "µs an event", "× as it is", "entries made and deleted /s", "× as it is",
        ])
        for index in changes.indices {
            guard let cost = Spread(costs[index].compactMap { $0 }), let rate = Spread(rates[index].compactMap { $0 }),
                let costRatio = Spread(Spread.ratios(costs[index], to: costs[0])),
                let rateRatio = Spread(Spread.ratios(rates[index], to: rates[0]))
            else { continue }
            table.rows.append([
                changes[index].0, cost.median.text(3),
                "\(costRatio.median.text(3)) (\(costRatio.lowest.text(2)) to \(costRatio.highest.text(2)))",
                rate.median.grouped, rateRatio.median.text(3),
            ])
        }
        report.add("sweep", "The netlink floor by batch, buffer and tick", table)
    }

    private static func measure(_ change: [String: Int], _ arena: Arena) throws -> (Double, Double) {
        let options = present.merging(change) { $1 }.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let listener = try Listener(.floor("netlink", options), in: arena.namespace)
        let before = try listener.processorTime().whole
        let made = try Made(count: arena.entries(count), in: arena.namespace)
        listener.rest()
        let spent = Double(try listener.processorTime().whole - before) / 1000
        let received = try listener.stop()?.events ?? 0
        return (spent / max(received, 1), made.rate)
    }
}
