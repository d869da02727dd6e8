// SPDX-License-Identifier: GPL-3.0-or-later

internal import TestKit

/// What an event costs `watch` and `conntrack -E`, where packets make it: at a rate that both hold, and both losing nothing.
///
/// By packets, since for an entry made by ctnetlink `conntrack -E` looks up which program made it (`[USERSPACE]
/// progname=`), seven times the cost of an event, and on no host do such entries matter.
struct PeerPart {
    private static let connections = 60_000
    /// Connections a second, each of which is two events. `conntrack -E` reads 75,000 events a second at most.
    private static let rate = 30_000
    /// The kernel doubles it: room for all events of a run.
    private static let patient = Audience.conntrack(buffer: 128 << 20)
    private static let hasty = Audience.conntrack(buffer: nil)

    private var steady = ListenerRuns()
    private var flood = ListenerRuns()

    static func run(_ plan: Plan, _ report: Report) throws {
        let arena = try Arena()
        try arena.forgetAtOnce()
        let hasEvents = monitorHas(command: "events")
        let audiences = [Audience.watch("bpf"), patient] + (hasEvents ? [.events] : [])
        var part = PeerPart()
        for round in 1...plan.rounds {
            note("peer, round \(round) of \(plan.rounds)")
            for audience in round % 2 == 1 ? audiences : audiences.reversed() {
                part.steady.attempt(audience) { try measure(audience, rate: rate, arena) }
            }
            for audience in round % 2 == 1 ? [.watch("auto"), hasty] : [hasty, .watch("auto")] {
                part.flood.attempt(audience) { try measure(audience, rate: 0, arena) }
            }
        }
        report.set(.watch, part.compare(.watch("bpf")))
        report.set(.events, hasEvents ? part.compare(.events) : .notMeasured("no such command yet"))
        part.tellFlood(report)
    }

    private static func measure(_ audience: Audience, rate: Int, _ arena: Arena) throws -> ListenerRun {
        try ListenerRun(audience, in: arena, idle: .seconds(1)) { try arena.passBy(connections, rate: rate) }
    }

    /// A round in which either side lost an event does not count: what was not read cost nothing.
    private func compare(_ ours: Audience) -> Outcome {
        if let reason = steady.reason(ours, PeerPart.patient) { return reason }
        func cost(_ audience: Audience) -> [Double?] {
            steady.values(audience) { $0.lost == 0 ? $0.wholeMicroseconds : nil }
        }
        let (mine, theirs) = (cost(ours), cost(PeerPart.patient))
        let whole = zip(mine, theirs).count { $0 != nil && $1 != nil }
        let rate = Spread(steady.all(ours).map(\.made.rate))?.median ?? 0
        return .ratio(
            mine, to: theirs, unit: "µs", digits: 4,
            also: "\(whole) of \(mine.count) rounds without a loss on either side, \(rate.grouped) connections a second"
        )
    }

    /// What each loses with its defaults when packets come as fast as one core sends them.
    private func tellFlood(_ report: Report) {
        func loss(_ audience: Audience) -> Spread? { Spread(flood.all(audience).map { $0.lost / $0.made.count * 100 }) }
        guard let ours = loss(.watch("auto")), let theirs = loss(PeerPart.hasty),
            let rate = Spread(flood.all(.watch("auto")).map(\.made.rate))
        else { return }
        report.remark(
            "Connections by packets at full speed, \(rate.median.grouped) a second, each with defaults: `watch` lost"
                + " \(ours.median.text(0)) % of the events (\(ours.lowest.text(0)) to \(ours.highest.text(0))),"
                + " `conntrack -E` \(theirs.median.text(0)) % (\(theirs.lowest.text(0)) to \(theirs.highest.text(0)))")
    }
}
