// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// How nf_conntrack_netlink is there, and whether it and nf_conntrack are still those of the look before: kept descriptors
/// fail for good once their module was unloaded, however short that was. Reading /sys loads nothing and holds nothing.
struct NetlinkWitness: ~Copyable {
    private let paths: HostPaths
    private var state: KernelFile?
    private var users: KernelFile?
    /// nf_conntrack was unloaded since `takeRestart` was last called: its counters began anew. When only
    /// nf_conntrack_netlink was, they did not.
    private var isRestarted = false

    init(_ paths: HostPaths) {
        self.paths = paths
    }

    /// nf_conntrack_netlink's initstate, kept open; -1 without it.
    private(set) var descriptor: Int32 = -1

    /// Looks at both.
    mutating func look(at time: MonotonicTime) -> StatisticsPolicy.Look {
        var isSame = true
        let users = NetlinkWitness.reread(&users, paths.module("nf_conntrack") + "/refcnt", &isSame)
        if !isSame { isRestarted = true }
        let state = NetlinkWitness.reread(&state, paths.module("nf_conntrack_netlink") + "/initstate", &isSame)
        let number = users.flatMap { UInt64($0.prefix { $0 != "\n" }) }
        descriptor = if state == nil { -1 } else { self.state?.kept() ?? -1 }
        return StatisticsPolicy.Look(time: time, netlink: netlink(state), isSame: isSame, users: number)
    }

    /// Whether nf_conntrack's counters began anew since the last call.
    mutating func takeRestart() -> Bool {
        defer { isRestarted = false }
        return isRestarted
    }

    private func netlink(_ state: String?) -> NetlinkModule {
        guard let state else {
            let netlink = ConntrackModule.netlink(paths)
            // There, and its state cannot be read: it is about to go.
            return netlink == .live ? .changing : netlink
        }
        return state.hasPrefix("live") ? .live : .changing
    }

    /// What the file holds now. One that had to be opened anew is not the same.
    private static func reread(_ file: inout KernelFile?, _ path: String, _ isSame: inout Bool) -> String? {
        if let text = try? file?.text(limit: 64) { return text }
        isSame = false
        file = nil
        file = try? KernelFile(path)
        return try? file?.text(limit: 64)
    }
}
