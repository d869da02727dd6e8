// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

extension Rules {
    /// The hash is one for all namespaces, and only this one's entries are known: what they tell is the least.
    static let hashOverloaded = Rule(.hashOverloaded, hold: .zero) { sample, context in
        guard let chain = sample.chainLength, let buckets = sample.buckets, let entries = sample.table.entries else {
            return nil
        }
        let tooLong = sample.statsNow?[.chainTooLong] ?? 0
        // Beyond the limit buckets are for nothing.
        let limit = sample.table.limit ?? 0
        let wanted = max(entries, limit == 0 || buckets * 2 <= limit ? buckets * 2 : 0)
        let isOverloaded = chain > 8 || tooLong > 0
        // What hash_refuses is about to say, or says, explains it.
        let isExplained = HashRefusal(sample, context)?.isNear ?? false
        return Verdict(
            crossed: isOverloaded && !isExplained ? .warning : nil, holding: isOverloaded ? .warning : nil,
            Explanation(
                "\(buckets) buckets for this namespace's \(entries) entries: at least \(fixed(chain, 1)) to search for"
                    + " each packet",
                why: tooLong > 0 ? ["chain_toolong rose by \(tooLong): packets were dropped for it"] : [],
                fix: wanted > buckets ? Cure.hash(wanted, context) : nil),
            calm: "at least \(fixed(chain, 1)) entries a bucket",
            values: ["buckets": Double(buckets), "entries": Double(entries), "chain_length": chain])
    }
}
