// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

extension Rules {
    /// Long before the limit the kernel begins to refuse connections, since its hash chains are too long. That chain_toolong
    /// rises without being near to that is hash_overloaded's to say.
    static let hashRefuses = Rule(.hashRefuses, hold: .seconds(30)) { sample, context in
        guard let refusal = HashRefusal(sample, context), let buckets = sample.buckets else { return nil }
        let entries = refusal.entries, most = roughly(refusal.reachable)
        let takes = "about \(most) that the hash chains of this kernel take with \(buckets) buckets"
        guard refusal.isBelowLimit else {
            return .clear("at least \(entries) entries, the limit comes before \(takes)")
        }
        return Verdict(
            crossed: refusal.isNear ? .warning : nil, holding: refusal.isHeld ? .warning : nil,
            Explanation(
                "at least \(entries) entries of \(takes) (\(refusal.chains.text) long); from there on more than 1 new"
                    + " connection in 1000 is refused, and nf_conntrack_max \(refusal.limitText) is not reached",
                why: refused(sample).map { [$0] } ?? [],
                fix: Cure.hashForLimit(sample, buckets: buckets, context)),
            calm: "at least \(entries) entries of \(takes)",
            values: [
                "buckets": Double(buckets), "entries": Double(entries), "reachable": Double(refusal.reachable),
                "limit": Double(refusal.limit),
            ])
    }

    private static func refused(_ sample: Sample) -> String? {
        guard let growth = sample.statsMinute, let tooLong = growth[.chainTooLong], tooLong > 0 else { return nil }
        return "chain_toolong rose by \(tooLong) \(inTheLast(growth.span)): so many were refused already"
    }
}

/// How near the table is to what the hash chains of its kernel take. The hash is one for all namespaces, and only this one's
/// entries are known: it is at least so near.
struct HashRefusal {
    /// Of the reachable number: where it is said.
    private static let near = 0.9

    let chains: ChainLimit
    let entries: UInt64
    let limit: UInt64
    /// The entries with which 1 insertion in 1,000 is refused.
    let reachable: UInt64
    /// The limit is beyond that.
    let isBelowLimit: Bool
    /// Near, and usage_high has nothing to say.
    let isNear: Bool
    /// Not clear of it by the margin.
    let isHeld: Bool

    /// nil where it cannot be said, or the kernel refuses none.
    init?(_ sample: Sample, _ context: RuleContext) {
        guard let chains = context.kernel.flatMap({ ChainLimit($0) }), let buckets = sample.buckets, buckets > 0,
            let entries = sample.table.entries, let limit = sample.table.limit
        else { return nil }
        (self.chains, self.entries, self.limit) = (chains, entries, limit)
        reachable = chains.reachable(buckets: buckets)
        isBelowLimit = limit == 0 || reachable < limit
        let share = reachable > 0 ? Double(entries) / Double(reachable) : 0
        let isUsageLow = sample.usage.map { $0 < context.settings.warn } ?? true
        isNear = isBelowLimit && isUsageLow && share >= HashRefusal.near
        isHeld = isBelowLimit && share >= HashRefusal.near - context.settings.clearMargin
    }

    var limitText: String { limit == 0 ? "0 (unlimited)" : "\(limit)" }
}
