// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

extension Rules {
    static let hashOverloaded = Rule(.hashOverloaded, hold: .zero) { sample, _ in
        guard let chain = sample.chainLength, let buckets = sample.buckets, let entries = sample.table.entries else {
            return nil
        }
        let tooLong = sample.statsNow?[.chainTooLong] ?? 0
        return Verdict(
            .warning, if: chain > 8 || tooLong > 0,
            Explanation(
                "\(buckets) buckets for \(entries) entries: \(fixed(chain, 1)) to search for each packet",
                why: tooLong > 0 ? ["chain_toolong rose by \(tooLong): packets were dropped for it"] : [],
                fix: .init("sysctl -w net.netfilter.nf_conntrack_buckets=\(max(buckets, entries))")),
            calm: "\(fixed(chain, 1)) entries a bucket",
            values: ["buckets": Double(buckets), "entries": Double(entries), "chain_length": chain])
    }
}
