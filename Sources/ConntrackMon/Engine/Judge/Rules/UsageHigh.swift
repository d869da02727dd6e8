// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

extension Rules {
    static let usageHigh = Rule(
        .usageHigh, holds: { AlertBook.Holds(warning: $0.warnHold, critical: $0.critHold, clear: $0.clearHold) }
    ) { sample, context in
        let settings = context.settings
        guard let usage = sample.usage, let entries = sample.table.entries, let limit = sample.table.limit else {
            // An unlimited table cannot be full.
            return sample.table.limit == 0 ? .clear("nf_conntrack_max is 0: no limit") : nil
        }
        func level(_ margin: Double) -> Level? {
            usage >= settings.crit - margin ? .critical : usage >= settings.warn - margin ? .warning : nil
        }
        let (crossed, holding) = (level(0), level(settings.clearMargin))
        let isHeld = holds(context.firing, crossed: crossed, holding: holding)
        let named = isHeld ? context.firing ?? holding : crossed
        let threshold = named == .critical ? settings.crit : settings.warn
        let end = isHeld ? ", ends below \(percent(threshold - settings.clearMargin))" : ""
        let full = sample.timeToFull.map { ", full in \(readable(seconds: $0))" } ?? ""
        var explanation = Explanation(
            "\(entries) of \(limit) entries (\(percent(usage)), threshold \(percent(threshold))\(end))\(full)",
            why: [lastMinute(sample), eviction(sample, usage)].compactMap { $0 }, next: top(for: sample),
            fix: Cure.raise(sample, context))
        explanation.add(surveyOf: sample)
        var verdict = Verdict(
            crossed: crossed, holding: holding, explanation,
            calm: "\(entries) of \(limit) entries (\(percent(usage)))",
            values: ["entries": Double(entries), "limit": Double(limit), "usage_ratio": usage, "threshold": threshold])
        nameTalkers(of: sample, in: &verdict)
        nameCauses(of: sample, in: &verdict)
        return verdict
    }

    /// Whether what is to be told goes on within its margin only: the level that fires, above what is crossed by now.
    private static func holds(_ firing: Level?, crossed: Level?, holding: Level?) -> Bool {
        guard let holding else { return false }
        guard let firing else { return crossed == nil }
        return holding >= firing && crossed.map { $0 < firing } ?? true
    }

    /// How many were evicted; where none was counted, that beyond nf_conntrack_max95 the kernel's sweep evicts, which it
    /// does not count (gc_worker in net/netfilter/nf_conntrack_core.c, kernel 4.18).
    private static func eviction(_ sample: Sample, _ usage: Double) -> String? {
        if let evicted = evicted(sample) { return evicted }
        return usage >= 0.95 ? "the kernel has begun to evict entries that are closing or not assured" : nil
    }
}
