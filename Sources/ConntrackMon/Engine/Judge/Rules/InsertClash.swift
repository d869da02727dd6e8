// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

extension Rules {
    /// A mean of a minute: clashes come in bursts, and a quiet second between two of them is no end. One burst alone is over
    /// before anybody has read of it.
    static let insertClash = Rule(.insertClash, hold: .zero, clear: .zero) { sample, _ in
        guard let growth = sample.statsMinute, growth.span >= .seconds(60), let failed = growth[.insertFailed] else {
            return nil
        }
        // An insert that a long chain refused is counted too, and told by hash_overloaded.
        let clashes = failed - min(failed, growth[.chainTooLong] ?? 0)
        let rate = Double(clashes) / growth.span.inSeconds
        let text = "insert_failed rose by \(clashes) \(inTheLast(growth.span)) (\(fixed(rate, 1))/s)"
        return Verdict(
            crossed: rate > 1 && growth.goesOn(.insertFailed) ? .warning : nil, holding: rate > 0.5 ? .warning : nil,
            Explanation(
                "\(text): entries clash as they are inserted and their packets are dropped (often NAT out of ports, or"
                    + " two DNS queries from one port)",
                why: share(of: clashes, in: growth.span, sample).map { [$0] } ?? [],
                fix: .init(
                    "for NAT more ports or addresses, and fully-random (iptables: --random-fully);"
                        + " for DNS options single-request-reopen in resolv.conf")),
            calm: text, values: ["insert_failed_per_second": rate])
    }

    /// "that is 62.0% of all entries to be made": where all new entries were heard.
    private static func share(of clashes: UInt64, in span: Duration, _ sample: Sample) -> String? {
        guard let rate = sample.newRate, !sample.isNewRateEstimated, sample.newRateSpan >= .seconds(50),
            sample.lostMinute.total == 0, clashes > 0
        else { return nil }
        return
            "that is \(percent(Double(clashes) / (Double(clashes) + rate * span.inSeconds))) of all entries to be made"
    }
}
