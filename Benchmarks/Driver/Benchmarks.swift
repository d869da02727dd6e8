// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit

/// `make bench`: measures, prints, and writes the tables of docs/performance.md.
@main
enum Benchmarks {
    static func main() {
        do {
            let plan = try Plan(environment())
            guard geteuid() == 0 else { throw Misuse("needs root: network namespaces and the host's limit") }
            exit(try measure(plan) ? 0 : 1)
        } catch let misuse as Misuse {
            note("bench: \(misuse)")
            exit(64)
        } catch {
            note("bench: \(error)")
            exit(1)
        }
    }

    /// False when a part failed: the others are shown all the same.
    private static func measure(_ plan: Plan) throws -> Bool {
        let report = Report()
        let machine = try Machine()
        var failed = false
        for part in plan.parts {
            do {
                try run(part, plan, report)
            } catch {
                note("\(part.rawValue): \(error)")
                for goal in part.goals {
                    report.set(goal, .notMeasured("\(error)".split(separator: "\n")[0].description))
                }
                failed = true
            }
        }
        report.print(plan)
        print(machine.line(plan))
        if plan.writes {
            try report.write(plan, machine: machine)
        } else {
            note("nothing was written: fewer rounds than \(Plan.usualRounds)")
        }
        return !failed
    }

    private static func run(_ part: Part, _ plan: Plan, _ report: Report) throws {
        switch part {
        case .reader: try ReaderPart.run(plan, report)
        case .peer: try PeerPart.run(plan, report)
        case .engine: try EnginePart.run(plan, report)
        case .harm: try HarmPart.run(plan, report)
        case .top: try TopPart.run(plan, report)
        case .memory: try MemoryPart.run(plan, report)
        case .idle: try IdlePart.run(plan, report)
        case .limit: try LimitPart.run(plan, report)
        case .module: try ModulePart.run(report)
        case .check: try CheckPart.run(plan, report)
        case .binary: try BinaryPart.run(report)
        case .decode: try DecodePart.run(report)
        case .sweep: try SweepPart.run(plan, report)
        }
    }

    private static func environment() -> [String: String] {
        var variables: [String: String] = [:]
        for name in ["ONLY", "ROUNDS", "EVENTS"] {
            variables[name] = getenv(name).map { String(cString: $0) }
        }
        return variables
    }
}

extension Part {
    /// The rows it fills.
    var goals: [Goal] {
        switch self {
        case .reader: [.readerBPF, .readerNetlink, .lost, .accounted]
        case .peer: [.watch, .events]
        case .engine: [.engine]
        case .harm: [.producer, .producerNone]
        case .top: [.topFloor, .topConntrack]
        case .memory: [.memory, .growth]
        case .idle: [.idle]
        case .limit: [.limit]
        case .module: [.module]
        case .check: [.check]
        case .binary: [.binary]
        case .decode, .sweep: []
        }
    }
}
