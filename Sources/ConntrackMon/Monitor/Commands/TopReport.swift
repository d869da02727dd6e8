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
        var table = TopTable(grouping)
        let dump: DumpResult
        do throws(SystemError) {
            dump = try fill(&table, from: TableDump(), hash: HashWatch(procfs: settings.procfs))
        } catch {
            throw TopFailure(error)
        }
        let end = Moment.now()
        return TopReport(
            grouping: grouping, moment: end, identity: identity, entries: table.entries, truncated: dump.truncated,
            limit: readNumber(settings.procfs + "/sys/net/netfilter/nf_conntrack_max"),
            seconds: (end.monotonic - start).inSeconds, isInterrupted: dump.isInterrupted,
            groups: table.groups, rows: table.largest(limit))
    }

    /// What is to be said of a dump beside its entries.
    struct DumpResult {
        var truncated: UInt64
        var isInterrupted: Bool
    }

    /// Counts all that `dump` gives.
    static func fill(
        _ table: inout TopTable, from dump: consuming TableDump, hash: consuming HashWatch
    ) throws(SystemError) -> DumpResult {
        var batches = 0
        while try dump.next({ table.add($0) }) {
            batches += 1
            // Some 10,000 entries, 20 ms: a resize takes longer.
            if batches % 64 == 0 { hash.look() }
        }
        hash.look()
        return DumpResult(truncated: dump.truncated, isInterrupted: dump.isInterrupted || hash.isResized)
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
