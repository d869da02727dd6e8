// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Now, after a reload, configured, after a reboot. Pure.
struct Outlook: Sendable {
    let rows: [OutlookRow]

    subscript(name: String) -> OutlookRow? { rows.first { $0.name == name } }
    var limit: OutlookRow? { self["nf_conntrack_max"] }

    init(_ facts: DoctorFacts) {
        var names = ["nf_conntrack_max", "nf_conntrack_buckets"]
        let others = Set(facts.live.keys).union(facts.configuration.all.map(\.key))
            .filter { $0.contains("_timeout") || facts.configuration[$0] != nil }
        names += others.subtracting(names).sorted(by: FileTree.isBefore)
        rows = names.map { Outlook.row($0, facts) }
            .filter { $0.now != nil || $0.configured != nil || $0.afterReload != nil }
    }

    private static func row(_ name: String, _ facts: DoctorFacts) -> OutlookRow {
        let configured = facts.configuration[name]?.number
        let fresh = fresh(name, facts)
        var row = OutlookRow(name: name, now: facts.live[name], configured: configured)
        // Who sets what later is not known.
        guard facts.hasConfiguration else { return row }
        if facts.modules.conntrack != .builtIn {
            row.afterReload = facts.restoresAfterReload ? configured ?? fresh : fresh
        }
        row.afterReboot = facts.appliesAtBoot ? configured ?? fresh : fresh
        if name == "nf_conntrack_max" {
            if let limit = facts.loading.installLimit, facts.modules.conntrack != .builtIn {
                row.afterReload = limit
                row.afterReboot = facts.appliesAtBoot ? configured ?? limit : limit
            }
            if let least = facts.programs.kubeProxyLimit(cores: facts.cores), let boot = row.afterReboot, boot != 0 {
                row.afterReboot = max(boot, least)
            }
        }
        if let ufw = facts.programs.ufwSettings.last(where: { $0.key == name })?.number { row.afterReboot = ufw }
        return row
    }

    /// What nf_conntrack begins with.
    private static func fresh(_ name: String, _ facts: DoctorFacts) -> UInt64? {
        switch name {
        case "nf_conntrack_max": facts.defaults?.limit
        case "nf_conntrack_buckets": facts.defaults?.buckets
        case "nf_conntrack_events": facts.release.map { $0 >= KernelRelease(5, 19) ? 2 : 1 }
        default: KernelDefaults.setting(name, release: facts.release)
        }
    }
}

extension DoctorFacts {
    /// Whether what is configured is put back by itself after each load of the module.
    var restoresAfterReload: Bool {
        loading.restoresConfiguration || firewalls.contains { $0.restores }
    }

    /// Whether what is configured gets applied at boot: the module is there by then, or its load applies it.
    var appliesAtBoot: Bool {
        modules.conntrack == .builtIn || loading.ban == nil && (!loading.loaders.isEmpty || restoresAfterReload)
    }
}
