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
        let crossed = level(0)
        let threshold = crossed == .critical ? settings.crit : settings.warn
        let find = sample.survey == nil ? "find who fills it (conntrack-mon top), or " : ""
        var explanation = Explanation(
            "\(entries) of \(limit) entries (\(percent(usage)), threshold \(percent(threshold)))\(trend(sample))"
                + whoFills(sample),
            why: eviction(usage).map { [$0] } ?? [],
            fix: .init("\(find)raise net.netfilter.nf_conntrack_max together with nf_conntrack_buckets"))
        explanation.add(surveyOf: sample)
        var verdict = Verdict(
            crossed: crossed, holding: level(settings.clearMargin), explanation,
            calm: "\(entries) of \(limit) entries (\(percent(usage)))",
            values: ["entries": Double(entries), "limit": Double(limit), "usage_ratio": usage, "threshold": threshold])
        nameTalkers(of: sample, in: &verdict)
        nameCauses(of: sample, in: &verdict)
        return verdict
    }

    /// Beyond nf_conntrack_max95 the kernel's sweep evicts what a full table would evict (gc_worker in
    /// net/netfilter/nf_conntrack_core.c, kernel 4.18).
    private static func eviction(_ usage: Double) -> String? {
        usage >= 0.95 ? "the kernel has begun to evict entries that are closing or not assured" : nil
    }

    /// ", new 4100/s, filling by 120/s, full in 8m20s": what is known of it.
    private static func trend(_ sample: Sample) -> String {
        var text = ""
        if let rate = sample.newRate {
            let span = readable(seconds: sample.newRateSpan.inSeconds)
            let estimated = sample.isNewRateEstimated ? " (estimated)" : ""
            text += ", new \(fixed(rate, rate < 10 ? 1 : 0))/s over \(span)\(estimated)"
        }
        if let rate = sample.fillRate, rate >= 0.05 { text += ", filling by \(fixed(rate, 1))/s" }
        if let seconds = sample.timeToFull { text += ", full in \(readable(seconds: seconds))" }
        return text
    }
}
