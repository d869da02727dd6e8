// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

extension Rules {
    static let eventsSilent = Rule(.eventsSilent, hold: .seconds(5), clear: .zero) { sample, _ in
        guard let isThere = sample.isNetlinkThere else { return nil }
        return Verdict(
            .warning, if: !isThere,
            Explanation(
                "no events since the reload: nf_conntrack came back without nf_conntrack_netlink",
                why: ["table samples, statistics and alerts about them go on"],
                fix: .init("modprobe nf_conntrack_netlink, or watch --load-modules")),
            calm: "nf_conntrack_netlink is there, events come again")
    }
}
