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
    public static func mayListen(sysfs: String) -> Bool {
        netlink(sysfs: sysfs).isThere
    }

    /// How nf_conntrack_netlink is there.
    ///
    /// A module that is being unloaded has its folder to the end, but no longer answers for its groups: its initstate
    /// is "going" by then. Part of the kernel image it has none.
    package static func netlink(sysfs: String) -> NetlinkModule {
        let netlink = sysfs + "/module/nf_conntrack_netlink"
        let state = (try? KernelFile.text(of: netlink + "/initstate")) ?? "live"
        let isLoaded = exists(netlink)
        if isLoaded && state.hasPrefix("live") { return .live }
        if look(sysfs: sysfs) == .builtIn { return .builtIn }
        return isLoaded ? .changing : .absent
    }

    private static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }
}
