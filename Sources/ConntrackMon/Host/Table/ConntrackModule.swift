// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc

/// How nf_conntrack is there, as /sys/module tells. Reading it loads nothing.
public enum ConntrackModule: String, Codable, Sendable {
    /// Part of the kernel image: it cannot go away (its folder has no `refcnt`).
    case builtIn = "built-in"
    /// A loaded module.
    case loaded
    /// Not there.
    case absent

    /// Looks at `sysfs`/module/nf_conntrack.
    public static func look(sysfs: String) -> ConntrackModule {
        let folder = sysfs + "/module/nf_conntrack"
        guard exists(folder) else { return .absent }
        return exists(folder + "/refcnt") ? .loaded : .builtIn
    }

    /// Whether listening for events causes no module to load: joining a group loads nf_conntrack_netlink and
    /// nf_conntrack, so both must be there already, or not be modules at all.
    ///
    /// A module that is being unloaded has its folder to the end, but no longer answers for its groups: its initstate
    /// is "going" by then. Part of the kernel image it has none.
    public static func mayListen(sysfs: String) -> Bool {
        let netlink = sysfs + "/module/nf_conntrack_netlink"
        let state = (try? KernelFile.text(of: netlink + "/initstate")) ?? "live"
        return exists(netlink) && state.hasPrefix("live") || look(sysfs: sysfs) == .builtIn
    }

    private static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }
}
