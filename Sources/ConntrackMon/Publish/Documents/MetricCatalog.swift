// SPDX-License-Identifier: GPL-3.0-or-later

/// Every metric family, once, in the order of the exposition. docs/metrics.md is this table in words.
public enum Metric: String, CaseIterable, Sendable {
    case entries = "conntrack_entries"
    case entriesPeak = "conntrack_entries_peak"
    case limit = "conntrack_entries_limit"
    case baseline = "conntrack_entries_limit_baseline"
    case baselineInfo = "conntrack_entries_limit_baseline_info"
    case usage = "conntrack_usage_ratio"
    case buckets = "conntrack_buckets"
    case moduleLoaded = "conntrack_module_loaded"
    case moduleReloads = "conntrack_module_reloads_total"
    case limitDrops = "conntrack_limit_drops_total"
    case parameter = "conntrack_parameter"
    case events = "conntrack_events_total"
    case eventsLost = "conntrack_events_lost_total"
    case newByProtocol = "conntrack_new_by_protocol_total"
    case stat = "conntrack_stat_total"
    case fillRate = "conntrack_fill_rate"
    case timeToFull = "conntrack_time_to_full_seconds"
    case alertFiring = "conntrack_alert_firing"
    case reloadWouldUnload = "conntrack_reload_would_unload"
    case reloadLimit = "conntrack_reload_limit"
    case doctorFindings = "conntrack_doctor_findings"
    case up = "conntrack_mon_up"
    case buildInfo = "conntrack_mon_build_info"
    case eventDuty = "conntrack_mon_event_duty_ratio"
    case ringCapacity = "conntrack_mon_ring_capacity"
    case ringPeak = "conntrack_mon_ring_peak"
    case cpuSeconds = "conntrack_mon_process_cpu_seconds_total"
    case lastSample = "conntrack_mon_last_sample_timestamp_seconds"

    /// The TYPE line's word.
    public var type: String {
        rawValue.hasSuffix("_total") ? "counter" : "gauge"
    }

    /// Whether it stays in the file that a stopped monitor leaves: a gauge in there would look alive.
    var outlivesMonitor: Bool {
        type == "counter" || self == .up || self == .buildInfo || self == .lastSample
    }

    /// The labels beside netns, or "".
    public var labels: String {
        switch self {
        case .baselineInfo: "source"
        case .limitDrops: "cause"
        case .parameter: "name"
        case .events: "event"
        case .eventsLost: "stage"
        case .newByProtocol: "protocol"
        case .stat: "stat (and cpu with --per-cpu)"
        case .alertFiring: "alert, level"
        case .doctorFindings: "finding, severity"
        case .buildInfo: "version, source"
        default: ""
        }
    }

    /// The HELP line.
    public var help: String {
        switch self {
        case .entries: "Entries in the connection-tracking table of this network namespace (nf_conntrack_count)."
        case .entriesPeak: "Highest sampled entry count of the last 2 minutes."
        case .limit: "Largest number of entries allowed (nf_conntrack_max), 0 = unlimited."
        case .baseline: "The limit this host should have."
        case .baselineInfo: "Where the baseline comes from."
        case .usage: "Entries divided by the limit; absent when the limit is 0 or unknown."
        case .buckets: "Buckets of the hash table (nf_conntrack_buckets)."
        case .moduleLoaded: "1 when nf_conntrack is there, built in or loaded, else 0."
        case .moduleReloads: "Times nf_conntrack was seen to have been unloaded and loaded again."
        case .limitDrops: "Times the limit fell below its baseline, by cause."
        case .parameter: "Every nf_conntrack_* setting under /proc/sys/net/netfilter."
        case .events: "Conntrack events counted, by kind; by the kernel and lost ones included where source is bpf."
        case .eventsLost:
            "Conntrack events not seen: overrun (dropped by the kernel), truncated (not decodable), dropped (ring full)."
        case .newByProtocol: "New entries counted from events, by IP protocol."
        case .stat: "Kernel statistics of /proc/net/stat/nf_conntrack, since the monitor began, across reloads."
        case .fillRate: "Entries a second the table fills by (negative: empties), over the last 60 s."
        case .timeToFull: "Seconds until the table is full at that rate; absent when it is not filling."
        case .alertFiring: "1 while the alert fires at that level."
        case .reloadWouldUnload:
            "1 when a firewall restart would unload nf_conntrack here (doctor, hourly); absent when unknown."
        case .reloadLimit: "The limit this host would have after a firewall restart; absent when unknown."
        case .doctorFindings: "1 for each thing that conntrack-mon doctor finds to mend here."
        case .up: "1 while the monitor runs; 0 in the file that a stopped one leaves."
        case .buildInfo: "Version of the monitor, and where it takes events from."
        case .eventDuty:
            "Share of the time in which events are listened to, 1 = all the time; below it event counters grow too slowly. Absent without events."
        case .ringCapacity: "Records the ring between reader and aggregator holds."
        case .ringPeak: "Most records that ever waited in the ring."
        case .cpuSeconds: "CPU time the monitor has used, user and system."
        case .lastSample: "When the table was last sampled, seconds since 1970."
        }
    }
}
