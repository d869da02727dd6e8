// SPDX-License-Identifier: GPL-3.0-or-later

internal import TestKit

/// What one record costs the engine alone: made-up records, no kernel, one thread (Benchmarks/Engine).
enum EnginePart {
    private static let records = 1_000_000

    static func run(_ plan: Plan, _ report: Report) throws {
        var runs: [String: [Fields]] = [:]
        note("engine")
        for round in 1...plan.rounds {
            let kinds = ["steady", "flood"]
            for kind in round % 2 == 1 ? kinds : kinds.reversed() {
                let outcome = try Command(Programs.engine, kind, "\(records)", "--time").run()
                guard outcome.status == .exited(0) else { throw TestKitError("EngineBenchmark: \(outcome)") }
                runs[kind, default: []].append(Fields(outcome.standardOutput))
            }
        }
        func spread(_ kind: String, _ name: String) throws -> Spread? {
            Spread(try (runs[kind] ?? []).map { try $0[name] })
        }
        guard let flood = try spread("flood", "take"), let steady = try spread("steady", "take"),
            let read = try spread("steady", "read")
        else { throw TestKitError("no round") }
        report.set(
            .engine,
            .measured(
                flood.median,
                seen: "\(flood.short) ns; of 256 sources \(steady.short) ns; to read a record's words \(read.short) ns")
        )
    }
}
