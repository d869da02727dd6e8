// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

extension Rules {
    /// A NAT address that runs out of ports towards one destination, however empty the table is. Nobody but a dump makes it
    /// fire: counts by events may be off, and who is named here is looked for at night.
    static let natPortsLow = Rule(.natPortsLow, hold: .zero, clear: .zero) { sample, context in
        guard context.settings.natPorts > 0, let ports = sample.natPorts else { return nil }
        let levels = NATPortLevels(context.settings)
        let worst = ports.uses.compactMap(levels.crossed).max()
        let held = ports.uses.filter { levels.holding($0) != nil }
        let named = held.filter { levels.crossed($0) != nil || context.firing != nil }
        var verdict = Verdict(
            crossed: worst, holding: context.firing == nil ? worst : held.compactMap(levels.holding).max(),
            natExplanation(of: named, sample), calm: calm(ports))
        if let first = named.first {
            verdict.values = [
                "nat_ports_used_ratio": first.ratio, "nat_ports_used": Double(first.used),
                "nat_ports_available": Double(first.available), "nat_ports_pairs": Double(named.count),
            ]
            verdict.details = ["nat_address": first.address.text, "nat_destination": first.destination.text]
        }
        return verdict
    }

    /// So many are named; the others are counted.
    private static var namedPairs: Int { 3 }

    private static func calm(_ ports: NATPorts) -> String {
        ports.uses.first.map { "at most \($0.words): \($0.name)" }
            ?? "no NAT address uses many ports towards one destination"
    }

    private static func natExplanation(of uses: [NATPortUse], _ sample: Sample) -> Explanation {
        guard let first = uses.first else { return Explanation("") }
        let others = uses.dropFirst().prefix(namedPairs - 1).map { ", \($0.name) \($0.words)" }.joined()
        let more = uses.count > namedPairs ? ", and \(uses.count - namedPairs) more pairs" : ""
        let addresses = first.range.isObserved ? "a wider range or more addresses" : "more addresses"
        return Explanation(
            "NAT \(first.name) uses \(first.words)\(others)\(more)",
            why: [whichPorts(first), failing(sample), tableShare(sample)].compactMap { $0 },
            next: "conntrack -L\(protocolFlag(first)) -q \(first.address.text) -r \(first.destination.prefix.text)",
            fix: .init(
                "\(addresses) in the snat rule (masquerade has only its interface's one), or connections there that are"
                    + " reused or end sooner"))
    }

    private static func protocolFlag(_ use: NATPortUse) -> String { use.protocol.map { " -p \($0.name)" } ?? "" }

    private static func whichPorts(_ use: NATPortUse) -> String {
        if use.range.isObserved { return "\(use.range.text) is where all ports lie that NAT chose there" }
        let own = "\(use.range.text) is the kernel's own range, where the rule names none"
        return use.range.lowest >= 1024
            ? own : "\(own), for source ports below \(use.range.highest == 511 ? 512 : 1024)"
    }

    /// The kernel gives up before it has tried every port.
    private static func failing(_ sample: Sample) -> String? {
        guard let growth = sample.statsMinute, let failed = growth[.insertFailed], failed > 0 else {
            return
                "new connections there begin to fail before the last port is taken: the kernel tries some and gives up"
        }
        return "insert_failed rose by \(failed) \(inTheLast(growth.span)): new connections find no port"
    }

    private static func tableShare(_ sample: Sample) -> String? {
        sample.usage.flatMap { $0 < 0.5 ? "the table itself is at \(percent($0))" : nil }
    }
}

/// Which thresholds of nat_ports_low one pair is over.
package struct NATPortLevels: Sendable {
    /// Almost none left.
    static let critical = 0.95
    /// A threshold clears only this far below itself.
    static let margin = 0.10

    private let warn: Double
    private let crit: Double

    init(_ settings: RuleSettings) {
        warn = settings.natPorts
        crit = max(NATPortLevels.critical, settings.natPorts)
    }

    private func level(_ ratio: Double, margin: Double = 0) -> Level? {
        ratio >= crit - margin ? .critical : ratio >= warn - margin ? .warning : nil
    }

    /// What it is over, and a dump has said that it is over the lowest.
    func crossed(_ use: NATPortUse) -> Level? {
        isConfirmed(use) ? level(use.ratio) : nil
    }

    /// What it is not clear of.
    func holding(_ use: NATPortUse) -> Level? {
        isConfirmed(use) ? level(use.ratio, margin: min(NATPortLevels.margin, warn / 2)) : nil
    }

    /// What a dump is to be asked about; `unlisted`: what it may have more.
    func isSuspect(_ use: NATPortUse, unlisted: UInt64) -> Bool {
        !isConfirmed(use) && Double(use.used + unlisted) >= warn * Double(use.available)
    }

    private func isConfirmed(_ use: NATPortUse) -> Bool {
        use.surveyed.map { Double($0) >= warn * Double(use.available) } ?? false
    }
}
