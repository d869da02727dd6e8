// SPDX-License-Identifier: GPL-3.0-or-later

internal import TestKit

/// `top` on a full million of 62 sources, against a dump that nobody parses and against `conntrack -L`.
enum TopPart {
    private static let entries = 1_000_000

    static func run(_ plan: Plan, _ report: Report) throws {
        let hasTop = monitorHas(command: "top")
        var runs: [String: [Run]] = [:]
        try Limit.change { usual, write in
            let arena = try Arena()
            if usual != 0 && usual < entries + 1000 { try write(entries + 1000) }
            let made = try floor("fill", "count=\(entries)", in: arena.namespace)["made"]
            guard made == Double(entries) else { throw TestKitError("\(made.grouped) of \(entries) entries were made") }
            for round in 1...plan.rounds {
                note("top, round \(round) of \(plan.rounds)")
                runs["dump", default: []].append(try Run { _ = try floor("dump", in: arena.namespace) })
                if hasTop {
                    runs["top", default: []].append(
                        try Run { try runQuietly(Programs.monitor, "top", in: arena.namespace) })
                }
                runs["conntrack", default: []].append(
                    try Run { try runQuietly("conntrack", "-L", in: arena.namespace) })
            }
            // Or the next part would be slowed by a million entries being torn down behind its back.
            try arena.namespace.flushEntries()
        }
        tell(runs, report)
    }

    private struct Run {
        var seconds: Double
        /// User and system time.
        var cpu: Double

        init(_ body: () throws -> Void) rethrows {
            let before = childrenProcessorSeconds()
            seconds = try elapsed(body)
            cpu = childrenProcessorSeconds() - before
        }
    }

    private static func tell(_ runs: [String: [Run]], _ report: Report) {
        func values(_ name: String, _ value: (Run) -> Double) -> [Double] { (runs[name] ?? []).map(value) }
        guard runs["top"] != nil else {
            report.set(.topFloor, .notMeasured("no such command yet"))
            report.set(.topConntrack, .notMeasured("no such command yet"))
            return
        }
        for (goal, other) in [(Goal.topFloor, "dump"), (.topConntrack, "conntrack")] {
            report.set(
                goal,
                .ratio(
                    values("top", \.seconds), to: values(other, \.seconds), unit: "s",
                    also: Spread(Spread.ratios(values("top", \.cpu), to: values(other, \.cpu))).map {
                        "CPU time \($0.median.text(2)) ×"
                    }))
        }
    }
}
