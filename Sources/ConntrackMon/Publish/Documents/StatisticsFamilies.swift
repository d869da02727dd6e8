// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

extension MetricFamily {
    /// The kernel's statistics, a family each, since their sum means nothing.
    static let statistics = Stat.allCases.map { stat in
        MetricFamily("conntrack_stat_\(stat.name)_total", labels: "cpu with --per-cpu", stat.help) { report in
            guard report.perCPU else { return .one(report.sample.stats?[stat]) }
            return report.sample.statsPerCPU.enumerated().flatMap { cpu, values in
                values[stat].map { [Series(labels: [("cpu", "\(cpu)")], value: "\($0)")] } ?? []
            }
        }
    }
}

extension Stat {
    /// What the kernel counts there: net/netfilter/nf_conntrack_core.c, nf_conntrack_expect.c.
    fileprivate var help: String {
        switch self {
        case .found: "Times NAT looked for a free tuple and found one in use."
        case .invalid: "Packets that could not be tracked: broken, or not fitting the state of their connection."
        case .insert: "Entries inserted through ctnetlink; those made by packets are not in it."
        case .insertFailed:
            "New entries not inserted: another packet had made the same one first (clash), or a hash chain was too long."
        case .drop:
            "Packets dropped: no entry could be made (table full, out of memory) or inserted (unresolved clash), or their protocol refused them."
        case .earlyDrop: "Entries not assured that a packet evicted since the table was full."
        case .error: "ICMP packets that could not be tracked: broken, or an error about no known connection."
        case .searchRestart: "Lookups begun again, since what they walked had moved to another hash chain."
        case .clashResolve: "Clashes resolved: two packets made the same entry at once and neither was dropped."
        case .chainTooLong: "New entries refused since their hash chain was too long (kernel 5.15)."
        case .expectNew: "Entries that an expectation was waiting for (FTP data, SIP media)."
        case .expectCreate: "Expectations created."
        case .expectDelete: "Expectations removed."
        }
    }
}
