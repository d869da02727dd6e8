// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Every metric family, once, in the order of the exposition. docs/metrics.md is this table in words.
extension MetricFamily {
    static let all = [table, limit, events, statistics, forecast, judgements, monitor].flatMap { $0 }

    private static let table = [
        MetricFamily(
            "conntrack_entries",
            "Entries in the connection-tracking table of this network namespace (nf_conntrack_count)."
        ) { .one($0.sample.table.entries) },
        MetricFamily("conntrack_entries_peak", "Highest sampled entry count of the last 2 minutes.") {
            .one($0.sample.table.entries == nil ? nil : $0.entriesPeak)
        },
    ]

    private static let limit = [
        MetricFamily(
            "conntrack_entries_limit", "Largest number of entries allowed (nf_conntrack_max), 0 = unlimited."
        ) { .one($0.sample.table.limit) },
        MetricFamily("conntrack_entries_limit_baseline", "The limit this host should have.") {
            .one($0.baseline?.limit)
        },
        MetricFamily("conntrack_entries_limit_baseline_info", labels: "source", "Where the baseline comes from.") {
            .info("source", $0.baseline?.source.rawValue)
        },
        MetricFamily(
            "conntrack_usage_ratio", "Entries divided by the limit; absent when the limit is 0 or unknown."
        ) { .one($0.sample.usage) },
        MetricFamily("conntrack_buckets", "Buckets of the hash table (nf_conntrack_buckets).") {
            .one($0.sample.buckets)
        },
        MetricFamily("conntrack_module_loaded", "1 when nf_conntrack is there, built in or loaded, else 0.") {
            .one($0.isModuleLoaded)
        },
        MetricFamily(
            "conntrack_module_reloads_total", "Times nf_conntrack was seen to have been unloaded and loaded again."
        ) { .one($0.reloads) },
        MetricFamily(
            "conntrack_limit_drops_total", labels: "cause", "Times the limit fell below its baseline, by cause."
        ) { report in
            .each("cause", DropCause.allCases.map { ($0.rawValue, report.drops[$0] ?? 0) })
        },
        MetricFamily(
            "conntrack_parameter", labels: "name", "Every nf_conntrack_* setting under /proc/sys/net/netfilter."
        ) { .each("name", $0.parameters) },
    ]

    private static let events = [
        MetricFamily(
            "conntrack_events_total", labels: "event",
            "Conntrack events received, by kind; with conntrack_events_lost_total it is what the kernel sent."
        ) { report in
            guard let events = report.sample.events else { return [] }
            let kinds: [(group: EventGroups, name: String, value: UInt64)] = [
                (.new, "new", events.new), (.update, "update", events.update), (.destroy, "destroy", events.destroy),
            ]
            return .each(
                "event", kinds.filter { report.sample.kinds.contains($0.group) }.map { ($0.name, $0.value) })
        },
        MetricFamily(
            "conntrack_events_lost_total", labels: "reason",
            "Conntrack events lost: overrun (dropped by the kernel, whose buffer was full), truncated (longer than our buffer),"
                + " malformed (not decodable), dropped (our ring was full)."
        ) { $0.sample.events == nil ? [] : .each("reason", $0.sample.lost.byReason) },
        MetricFamily(
            "conntrack_new_by_protocol_total", labels: "protocol", "New entries counted from events, by IP protocol."
        ) { report in
            let isHeard = report.sample.events != nil && report.sample.kinds.contains(.new)
            return isHeard ? .each("protocol", newByProtocol(report.sample)) : []
        },
    ]

    /// The usual protocols from the start, others once they were seen.
    private static func newByProtocol(_ sample: Sample) -> [(name: String, value: UInt64)] {
        let always: [UInt8] = [6, 17, 1, 58, 132, 33, 47]
        let others = sample.newByProtocol.keys.filter { !always.contains($0) }.sorted()
        return (always + others).map { (protocolName($0), sample.newByProtocol[$0] ?? 0) }
    }

    private static let forecast = [
        MetricFamily(
            "conntrack_nat_ports_used_ratio_max",
            "Share of its ports that a NAT address uses towards one destination, of the pair that uses most; absent without"
                + " NAT and while it is not known."
        ) { .one($0.sample.natPorts?.uses.first?.ratio) },
        MetricFamily(
            "conntrack_fill_rate", "Entries a second the table fills by (negative: empties), over the last 60 s."
        ) { .one($0.sample.fillRate) },
        MetricFamily(
            "conntrack_time_to_full_seconds",
            "Seconds until the table is full at that rate; absent when it is not filling any more, or that is over a day away."
        ) { .one($0.sample.timeToFull) },
    ]

    private static let judgements = [
        MetricFamily("conntrack_alert_firing", labels: "alert, level", "1 while the alert fires at that level.") {
            alerts($0.firing)
        },
        MetricFamily(
            "conntrack_reload_would_unload",
            "1 when a firewall restart would unload nf_conntrack here (doctor, hourly); absent when unknown."
        ) { .one($0.doctor?.reloadWouldUnload) },
        MetricFamily(
            "conntrack_reload_limit",
            "The limit this host would have after a firewall restart; absent when unknown."
        ) { .one($0.doctor?.reloadLimit) },
        MetricFamily(
            "conntrack_doctor_findings", labels: "finding, severity",
            "Things that conntrack-mon doctor finds to mend here, by what it is and how much it matters."
        ) { findings($0.doctor?.findings ?? []) },
    ]

    private static func alerts(_ firing: [FiringAlert]) -> [Series] {
        AlertName.allCases.flatMap { name in
            name.levels.map { level in
                let fires = firing.contains { $0.name == name && $0.level == level }
                return Series(labels: [("alert", name.rawValue), ("level", level.name)], value: fires ? "1" : "0")
            }
        }
    }

    /// Worst first. Two services, or two settings, may give the same finding: one series twice would make the whole
    /// exposition invalid.
    private static func findings(_ findings: [Finding]) -> [Series] {
        func isSame(_ one: Finding, _ other: Finding) -> Bool { one.id == other.id && one.severity == other.severity }
        return findings.indices.compactMap { index in
            let finding = findings[index]
            guard !findings[..<index].contains(where: { isSame($0, finding) }) else { return nil }
            return Series(
                labels: [("finding", finding.id), ("severity", finding.severity.rawValue)],
                value: "\(findings.count { isSame($0, finding) })")
        }
    }

    private static let monitor = [
        MetricFamily(
            "conntrack_mon_up", staysWhenStopped: true,
            "1 while the monitor runs; 0 in the file that a stopped one leaves."
        ) { .one($0.isUp) },
        MetricFamily("conntrack_mon_build_info", labels: "version", staysWhenStopped: true, "Version of the monitor.") {
            _ in
            .info("version", conntrackMonVersion)
        },
        MetricFamily(
            "conntrack_mon_event_source_info", labels: "source", "Where events come from: bpf, netlink or none."
        ) { .info("source", $0.source) },
        MetricFamily(
            "conntrack_mon_event_duty_ratio",
            "Share of the time in which events are listened to, 1 = all the time; below it event counters grow too slowly."
                + " Absent without events."
        ) { .one($0.sample.duty?.ratio) },
        MetricFamily("conntrack_mon_ring_capacity", "Records the ring between reader and engine holds.") {
            .one(UInt64($0.sample.ringCapacity))
        },
        MetricFamily("conntrack_mon_ring_peak", "Most records that ever waited in the ring.") {
            .one(UInt64($0.sample.ringPeak))
        },
        MetricFamily(
            "conntrack_mon_process_cpu_seconds_total", "CPU time the monitor has used, user and system."
        ) { .one($0.sample.cpuSeconds) },
        MetricFamily(
            "conntrack_mon_sink_lost_total", labels: "sink",
            "Announcements, lines or files that an output of the monitor could not take."
        ) { report in
            .each("sink", SinkName.allCases.map { ($0.rawValue, report.lost(by: $0)) })
        },
        MetricFamily(
            "conntrack_mon_last_sample_timestamp_seconds", staysWhenStopped: true,
            "When the table was last sampled, seconds since 1970."
        ) { [Series(value: fixed($0.sample.table.moment.wall.seconds, 3))] },
    ]
}
