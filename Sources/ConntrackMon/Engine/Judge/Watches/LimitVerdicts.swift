// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

// The verdicts of limit_dropped and limit_not_applied: what LimitWatch knows, in words.

extension LimitWatch {
    /// Whom and what the words are about.
    struct Context {
        var identity: Identity
        /// nil = nothing is known of the host.
        var origin: LimitOrigin?
        var buckets: UInt64?
        /// What else a reload took away: "also reverted: ...".
        var reverted: String?
        /// The highest count of the last 24 hours, and how long counts have been known.
        var peak: UInt64?
        var peakKnownFor: Duration
        /// The share of the limit that warns.
        var warn: Double
        /// The buckets there were, where a reload left fewer.
        var lostBuckets: UInt64?
        var rules: RuleContext

        /// Where a limit looks like coming from.
        func guess(_ limit: UInt64) -> LimitOrigin.Guess? {
            origin?.guess(limit: limit, buckets: buckets)
        }
    }

    func droppedVerdict(_ context: Context) -> Verdict {
        guard let fall, let baseline else { return .clear(ending) }
        let known = context.peakKnownFor >= .seconds(600) ? context.peak : nil
        let share = known.map { Double($0) / Double(fall.to) }
        let guess = context.guess(fall.to)
        let story = [guess?.text, fall.text].compactMap { $0 }.joined(separator: "; ")
        let change = fall.cause == .unknown ? "is \(fall.to)" : "\(limitText(fall.from)) -> \(fall.to)"
        // What else the same reload took away; a limit that somebody wrote has nothing to do with it.
        let aside = fall.isReload ? context.reverted : nil
        return Verdict(
            share.map { $0 >= context.warn } ?? true ? .critical : .warning, if: true,
            Explanation(
                "nf_conntrack_max \(change) (\(story))", why: [outlook(context, fall), aside].compactMap { $0 },
                fix: Cure.restore(limit: baseline.limit, buckets: context.lostBuckets, instead: guess, context.rules),
                prevent: fall.isReload ? "conntrack-mon doctor" : nil),
            calm: ending,
            values: ["limit_before": Double(fall.from), "limit": Double(fall.to), "baseline": Double(baseline.limit)])
    }

    private func outlook(_ context: Context, _ fall: Fall) -> String {
        let share = context.peak.map { "\(fixed(Double($0) / Double(fall.to) * 100, 0))% of the new limit" } ?? ""
        guard context.peakKnownFor >= .seconds(600), let peak = context.peak else {
            let soFar = context.peak.map { " (so far \($0), \(share))" } ?? ""
            return "the highest count is not known for 10 minutes yet\(soFar)"
        }
        return "24h peak \(peak) is \(share)"
    }

    /// The live limit is below what is configured, and no fall that was seen explains it. `uptime` since boot: before
    /// `grace` boot is still under way. nil = not to be said now.
    func notAppliedVerdict(_ context: Context, uptime: Duration, grace: Duration) -> Verdict? {
        guard let live else { return nil }
        guard let configured else { return .clear("nf_conntrack_max is \(limitText(live)), and nothing is configured") }
        let isBelow = isLess(live, configured.limit)
        // Said by an alert of its own, or not over yet.
        if isBelow && (fall != nil || settlesAt != nil || uptime < grace) { return nil }
        let guess = context.guess(live)
        // It was never live here: the hash is as large as the lower limit needs.
        let buckets =
            context.lostBuckets
            ?? context.buckets.flatMap {
                Cure.buckets(for: configured.limit, above: $0, context.rules.kernel)
            }
        return Verdict(
            .warning, if: isBelow && waived != configured.limit,
            Explanation(
                "nf_conntrack_max is \(limitText(live)), but \(configured.place) says \(limitText(configured.limit))",
                why: guess.map { ["it looks like \($0.text)"] } ?? [],
                fix: Cure.restore(limit: configured.limit, buckets: buckets, instead: guess, context.rules)),
            calm: "nf_conntrack_max is \(limitText(live)), \(configured.place) says \(limitText(configured.limit))",
            values: ["limit": Double(live), "configured": Double(configured.limit)])
    }
}
