// SPDX-License-Identifier: GPL-3.0-or-later

internal import TestKit

/// What a listener costs whoever makes the entries: entries a second by ctnetlink, connections a second by packets.
struct HarmPart {
    private static let audiences: [(name: String, audience: Audience, always: Bool)] = [
        ("no monitor", .nobody, true),
        ("dropping listener", .drop, true),
        ("`watch` (auto)", .watch("auto"), true),
        ("`watch --events none`", .watch(source: "auto", events: "none"), true),
        ("`watch --source bpf`", .watch("bpf"), false),
        ("`watch --source netlink`", .watch("netlink"), false),
        ("`watch --events new,update,destroy`", .watch(source: "auto", events: "new,update,destroy"), false),
        ("`conntrack -E >/dev/null`", .conntrack(buffer: nil), false),
    ]
    private static let count = 100_000

    private struct Run {
        var made: Made
        var connectionRate: Double
        /// The sender's, in seconds.
        var connectionCPU: Double
    }

    private var runs: [Audience: [Run?]] = [:]
    private var problems: [Audience: String] = [:]

    /// Those whose ratio has a bar are in each round, the others in every second.
    static func run(_ plan: Plan, _ report: Report) throws {
        let arena = try Arena()
        var part = HarmPart()
        for round in 1...plan.rounds {
            note("harm, round \(round) of \(plan.rounds)")
            let start = round % audiences.count
            for who in audiences[start...] + audiences[..<start] {
                let run = who.always || round % 2 == 1 ? part.attempt(who.audience, arena) : nil
                part.runs[who.audience, default: []].append(run)
            }
        }
        part.tell(report)
    }

    private mutating func attempt(_ audience: Audience, _ arena: Arena) -> Run? {
        guard problems[audience] == nil else { return nil }
        do {
            let listener = try Listener(audience, in: arena.namespace)
            let made = try Made(count: arena.entries(HarmPart.count), in: arena.namespace)
            let (connections, seconds, cpu) = try arena.connect(HarmPart.count)
            _ = try listener.stop()
            guard connections > 0 else { throw TestKitError("no packet was tracked") }
            return Run(made: made, connectionRate: connections / seconds, connectionCPU: cpu / connections)
        } catch {
            note("\(error)")
            problems[audience] = "\(error)"
            return nil
        }
    }

    private func values(_ audience: Audience, _ value: (Run) -> Double) -> [Double?] {
        (runs[audience] ?? []).map { $0.map(value) }
    }

    private func tell(_ report: Report) {
        func ratio(_ audience: Audience, _ base: Audience) -> Outcome {
            if let problem = problems[audience] ?? problems[base] { return .notMeasured(problem) }
            let cpu = Spread(Spread.ratios(values(base, \.made.cpu), to: values(audience, \.made.cpu)))
            return .ratio(
                values(audience) { $0.made.rate / 1000 }, to: values(base) { $0.made.rate / 1000 },
                unit: "thousand entries a second", digits: 3, also: cpu.map { "by its CPU time \($0.median.text(3)) ×" }
            )
        }
        report.set(.producer, ratio(.watch("auto"), .drop))
        report.set(.producerNone, ratio(.watch(source: "auto", events: "none"), .nobody))
        report.add("harm", "What a listener costs whoever makes entries", table)
        tellCost(report)
    }

    private var table: Table {
        var table = Table(header: [
            "who listens", "entries made /s", "entries deleted /s", "connections /s by packets",
            "entries, × no monitor",
            "entries, × dropping listener", "connections, × no monitor", "connections, × dropping listener",
        ])
        for who in HarmPart.audiences {
            if let problem = problems[who.audience] {
                table.rows.append([who.name, "not measured: \(problem)"] + [String](repeating: "", count: 6))
                continue
            }
            func median(_ value: (Run) -> Double) -> String {
                Spread(values(who.audience, value).compactMap { $0 })?.median.grouped ?? ""
            }
            func ratio(_ base: Audience, _ value: (Run) -> Double) -> String {
                Spread(Spread.ratios(values(who.audience, value), to: values(base, value))).map {
                    "\($0.median.text(3)) (\($0.lowest.text(2)) to \($0.highest.text(2)))"
                } ?? ""
            }
            table.rows.append([
                who.name, median { $0.made.made / $0.made.makeSeconds },
                median { $0.made.deleted / $0.made.deleteSeconds },
                median { $0.connectionRate }, ratio(.nobody) { $0.made.rate }, ratio(.drop) { $0.made.rate },
                ratio(.nobody) { $0.connectionRate }, ratio(.drop) { $0.connectionRate },
            ])
        }
        return table
    }

    /// The CPU time an entry takes more because a message about it is built and broadcast.
    private func tellCost(_ report: Report) {
        func cost(_ secondsEach: (Run) -> Double) -> String? {
            let pairs = zip(values(.drop, secondsEach), values(.nobody, secondsEach))
            return Spread(pairs.compactMap { with, without in with.flatMap { with in without.map { with - $0 } } }).map
            {
                ($0.median * 1e6).text(2)
            }
        }
        if let made = cost({ $0.made.makeCPU / $0.made.made }),
            let deleted = cost({ $0.made.deleteCPU / $0.made.deleted }), let packet = cost({ $0.connectionCPU })
        {
            report.remark(
                "A message costs whoever causes it, with a listener that drops all: \(made) µs for an entry made by"
                    + " ctnetlink, \(deleted) µs for one deleted, \(packet) µs for a connection made by a packet")
        }
    }
}
