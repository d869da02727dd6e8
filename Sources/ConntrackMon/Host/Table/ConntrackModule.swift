// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel
internal import Glibc

// Reading /sys/module loads nothing.

extension ConntrackModule {
    /// Looks at `sysfs`/module/nf_conntrack.
    package static func look(sysfs: String) -> ConntrackModule {
        let folder = sysfs + "/module/nf_conntrack"
        guard exists(folder) else { return .absent }
        return exists(folder + "/refcnt") ? .loaded : .builtIn
    }

    /// Whether listening for events causes no module to load: joining a group loads nf_conntrack_netlink and
    /// nf_conntrack, so both must be there already, or not be modules at all.
    package static func mayListen(sysfs: String) -> Bool {
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
