// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackEngine
internal import ConntrackHost
public import ConntrackModel
internal import ConntrackSystem
internal import Glibc

/// Who fills the table now, from one dump.
public enum Top {
    /// Dumps the table of this network namespace and counts its entries by `grouping`; the `limit` largest groups are
    /// kept (0 = all). `filterText`: the filter of `settings` as its options are written. Throws a sentence that says why not and what to do.
    public static func report(
        _ settings: Settings, host: String, grouping: TopGrouping, limit: Int, mayLoad: Bool,
        filterText: String = ""
    ) throws(TopFailure) -> TopReport {
        let paths = HostPaths(settings)
        guard paths.isLive else {
            throw TopFailure(
                "--procfs \(settings.procfs) is a saved copy: only the running kernel's table can be dumped")
        }
        guard mayLoad || ConntrackModule.mayListen(paths) else {
            throw TopFailure(
                "nf_conntrack_netlink is not loaded, and a dump would load it: modprobe nf_conntrack_netlink,"
                    + " or --load-modules")
        }
        let identity = NetworkNamespace.identity(host: host, entered: settings.netns)
        let start = Moment.now().monotonic
        var random = SystemRandomNumberGenerator()
        var table = TopTable(grouping, random: &random)
        let dump: TableDump.Outcome
        do throws(SystemError) {
            dump = try TableDump.read(paths, filter: settings.filter) { table.add($0) }
        } catch {
            throw TopFailure(error)
        }
        let end = Moment.now()
        var report = TopReport(
            grouping: grouping, moment: end, identity: identity, entries: table.entries, truncated: dump.truncated,
            limit: readNumber(paths.sysctl("nf_conntrack_max")),
            seconds: (end.monotonic - start).inSeconds, isInterrupted: dump.isInterrupted,
            groups: table.groups, rows: table.largest(limit))
        if !settings.filter.isEmpty { report.filter = TopFilter(text: filterText, dumped: dump.entries) }
        return report
    }
}

/// Why there is no report, and what to do: one line.
public struct TopFailure: Error, CustomStringConvertible, Sendable {
    /// The line.
    public let description: String

    init(_ description: String) {
        self.description = description
    }

    init(_ error: SystemError) {
        switch error.code {
        case EPERM:
            description = "\(error); top needs CAP_NET_ADMIN: setcap cap_net_admin+ep conntrack-mon"
        case EINVAL, EPROTONOSUPPORT:
            description = "\(error); nf_conntrack_netlink is not loaded, or this kernel has none"
        default:
            description = "\(error)"
        }
    }
}
