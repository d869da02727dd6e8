// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

extension Rules {
    static let insertClash = Rule(.insertClash, hold: .seconds(60)) { sample, _ in
        guard let rate = sample.perSecond(sample.statsNow?[.insertFailed]) else { return nil }
        return Verdict(
            .warning, if: rate > 1,
            Explanation(
                "insert_failed rises by \(fixed(rate, 1))/s: entries clash as they are inserted and their packets are"
                    + " dropped (often two DNS queries from one port, or NAT out of ports)",
                fix: .init("NAT with --random-fully")),
            calm: "insert_failed rises by \(fixed(rate, 1))/s", values: ["insert_failed_per_second": rate])
    }
}
