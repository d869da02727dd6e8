// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import Glibc

/// What `top` found: the largest groups of one dump.
public struct TopReport: Equatable, Sendable {
    /// How the entries are grouped.
    public let grouping: TopGrouping
    /// When the dump had ended.
    var moment: Moment
    var identity: Identity
    /// How many entries the dump gave.
    var entries: UInt64
    /// Entries that did not hold together and are in no group.
    var truncated: UInt64
    /// nf_conntrack_max; 0 = unlimited, nil = unknown.
    var limit: UInt64?
    /// From the request to the dump's end.
    var seconds: Double
    /// The hash was resized while it was walked.
    var isInterrupted: Bool
    /// How many groups there are.
    var groups: Int
    /// The largest.
    var rows: [TopRow]
}

/// Who fills the table now, from one dump.
public enum Top {
    /// Dumps the table of this network namespace and counts its entries by `grouping`; the `limit` largest groups are
    /// kept (0 = all). Throws a sentence that says why not and what to do.
    public static func report(
        _ settings: Settings, host: String, grouping: TopGrouping, limit: Int, mayLoad: Bool
    ) throws(TopFailure) -> TopReport {
        guard KernelFile.isProcfs(settings.procfs) else {
            throw TopFailure(
                "--procfs \(settings.procfs) is a saved copy: only the running kernel's table can be dumped")
        }
        guard mayLoad || ConntrackModule.mayListen(sysfs: settings.sysfs) else {
            throw TopFailure(
                "nf_conntrack_netlink is not loaded, and a dump would load it: modprobe nf_conntrack_netlink,"
                    + " or --load-modules")
        }
        let identity = Identity(host: host, netns: NetworkNamespace.label(entered: settings.netns))
        let start = Moment.now().monotonic
        let before = buckets(settings)
        var table = TopTable(grouping)
        let dump: DumpResult
        do throws(SystemError) {
            dump = try fill(&table)
        } catch {
            throw TopFailure(error)
        }
        let end = Moment.now()
        // ctnetlink never sets NLM_F_DUMP_INTR (seen on 6.18): that the size is another one afterwards tells as well.
        let isResized = before != buckets(settings)
        return TopReport(
            grouping: grouping, moment: end, identity: identity, entries: table.entries, truncated: dump.truncated,
            limit: readNumber(settings.procfs + "/sys/net/netfilter/nf_conntrack_max"),
            seconds: (end.monotonic - start).inSeconds, isInterrupted: dump.isInterrupted || isResized,
            groups: table.groups, rows: table.largest(limit))
    }

    private static func buckets(_ settings: Settings) -> UInt64? {
        readNumber(settings.procfs + "/sys/net/netfilter/nf_conntrack_buckets")
    }

    private struct DumpResult {
        var truncated: UInt64
        var isInterrupted: Bool
    }

    private static func fill(_ table: inout TopTable) throws(SystemError) -> DumpResult {
        var dump = try TableDump()
        while try dump.next({ table.add($0) }) {}
        return DumpResult(truncated: dump.truncated, isInterrupted: dump.isInterrupted)
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
