// SPDX-License-Identifier: GPL-3.0-or-later

/// Why this host shows no statistics: its kernel has no /proc/net/stat/nf_conntrack (CONFIG_NF_CONNTRACK_PROCFS), and
/// ctnetlink, which has them as well, cannot be asked.
package enum StatisticsObstacle: CaseIterable, Sendable {
    /// nf_conntrack_netlink is not loaded: asking would load it.
    case netlinkAbsent
    /// /sys does not say whether it is.
    case sysfsSilent
    /// Asking needs CAP_NET_ADMIN.
    case notPermitted
    /// It is just being loaded or unloaded.
    case changing
    /// A module came or went within the last 10 seconds, or could have.
    case settling

    /// "nf_conntrack_netlink is not loaded".
    package var words: String {
        switch self {
        case .netlinkAbsent: "nf_conntrack_netlink, which has them too, is not loaded"
        case .sysfsSilent: "/sys does not say whether nf_conntrack_netlink, which has them too, is loaded"
        case .notPermitted: "asking nf_conntrack_netlink, which has them too, needs CAP_NET_ADMIN"
        case .changing: "nf_conntrack_netlink, which has them too, is just being loaded or unloaded"
        case .settling:
            "nf_conntrack_netlink, which has them too, is asked 10s after the start or a module change at the earliest"
        }
    }

    /// What to do about it; nil = wait.
    package var cure: String? {
        switch self {
        case .netlinkAbsent: "modprobe nf_conntrack_netlink, or watch --load-modules (with events)"
        case .sysfsSilent: "give conntrack-mon the host's /sys (--sysfs)"
        case .notPermitted: "setcap cap_net_admin+ep conntrack-mon"
        case .changing, .settling: nil
        }
    }

    /// The whole reason, as `status` has it.
    package var reason: String {
        "this kernel has no /proc/net/stat/nf_conntrack, and \(words)" + (cure.map { "; to have them: \($0)" } ?? "")
    }
}
