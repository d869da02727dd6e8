// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

extension Rules {
    static let earlyDrop = Rule(.earlyDrop, hold: .seconds(30)) { sample, _ in
        guard let rate = sample.perSecond(sample.statsNow?[.earlyDrop]) else { return nil }
        return Verdict(
            .warning, if: rate > 10,
            Explanation(
                "early_drop rises by \(fixed(rate, 1))/s: the table is so full that the kernel evicts live entries for"
                    + " new ones",
                fix: .init("raise net.netfilter.nf_conntrack_max")),
            calm: "early_drop rises by \(fixed(rate, 1))/s", values: ["early_drop_per_second": rate])
    }
}
