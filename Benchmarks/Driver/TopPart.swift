// SPDX-License-Identifier: GPL-3.0-or-later

internal import TestKit

/// `top` on a full million, against a dump that nobody parses and against `conntrack -L`.
enum TopPart {
    private static let entries = 1_000_000

    static func run(_ plan: Plan, _ report: Report) throws {
        let hasTop = monitorHas(command: "top")
        var times: [String: [Double]] = [:]
        try Limit.change { usual, write in
            let arena = try Arena()
            if usual != 0 && usual < entries + 1000 { try write(entries + 1000) }
            let made = try floor("fill", "count=\(entries)", in: arena.namespace)["made"]
            guard made == Double(entries) else { throw TestKitError("\(made.grouped) of \(entries) entries were made") }
            for round in 1...max(plan.rounds * 5 / Plan.usualRounds, 1) {
                note("top, round \(round)")
                times["dump", default: []].append(
                    try seconds { _ = try floor("dump", in: arena.namespace) })
                if hasTop {
                    times["top", default: []].append(
                        try seconds { try runQuietly(Programs.monitor, "top", in: arena.namespace) })
                }
                times["conntrack", default: []].append(
                    try seconds { try runQuietly("conntrack", "-L", in: arena.namespace) })
            }
            // Or the next part would be slowed by a million entries being torn down behind its back.
            try arena.namespace.flushEntries()
        }
        let dump = times["dump"] ?? []
        let conntrack = times["conntrack"] ?? []
        guard let top = times["top"] else {
            let seen = Spread(dump).map { "; dump floor \($0.median.text(2)) s" } ?? ""
            let peer = Spread(conntrack).map { ", conntrack -L \($0.median.text(2)) s" } ?? ""
            report.set(.topFloor, .notMeasured("no such command yet\(seen)\(peer)"))
            report.set(.topConntrack, .notMeasured("no such command yet"))
            return
        }
        report.set(.topFloor, .ratio(top, to: dump, unit: "s"))
        report.set(.topConntrack, .ratio(top, to: conntrack, unit: "s"))
    }
}
