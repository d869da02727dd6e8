// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Each setting now, after a restart of the firewall that reloads the module, and after a boot: the ends of two scenarios.
struct Outlook: Sendable {
    let rows: [OutlookRow]
    private let era: KernelEra
    /// After this firewall's restart; nil where the module can't be unloaded, or nothing is known of who sets what.
    let reload: SimulatedKernel?
    /// After the next boot; nil where nothing is known of it.
    let boot: SimulatedKernel?

    subscript(name: String) -> OutlookRow? { rows.first { $0.name == name } }
    var limit: OutlookRow? { self["nf_conntrack_max"] }

    init(_ facts: DoctorFacts, _ verdict: UnloadVerdict) {
        let first = ["nf_conntrack_max", "nf_conntrack_buckets"]
        let written = facts.timeline.writers.flatMap(\.keys)
        let others = Set(facts.live.keys).union(facts.configuration.all.map(\.key)).union(written)
            .filter { $0.contains("_timeout") || facts.configuration[$0] != nil || written.contains($0) }
        let names = first + others.subtracting(first).sorted(by: FileTree.isBefore)
        let timeline = Timeline(facts.timeline.era, writers: facts.timeline.writers, names: names)
        // Who sets what later is not known without the host's files.
        let isKnown = facts.hasConfiguration
        let services = verdict.services.isEmpty ? facts.firewalls.filter { $0.unloads != false } : verdict.services
        let reload =
            isKnown && facts.modules.conntrack != .builtIn ? timeline.restarted(Set(services.map(\.kind))) : nil
        let boot = isKnown && !facts.isBootUnknown ? timeline.booted() : nil
        rows = names.map { name in
            var row = OutlookRow(name: name, now: facts.live[name], configured: facts.configuration[name]?.number)
            let (reloaded, booted) = (reload?.settings[name], boot?.settings[name])
            (row.afterReload, row.afterReloadMost) = (reloaded?.least, reloaded?.most)
            row.afterReloadBy = reloaded.flatMap { $0.isSaid ? $0.by : nil }
            (row.afterReboot, row.afterRebootMost) = (booted?.least, booted?.most)
            row.afterRebootBy = booted.flatMap { $0.isSaid ? $0.by : nil }
            return row
        }.filter { $0.now != nil || $0.configured != nil || $0.afterReload != nil || $0.afterReboot != nil }
        (self.reload, self.boot, era) = (reload, boot, facts.timeline.era)
    }

    /// Whether a restart of the firewall leaves the setting with what is configured.
    func restores(_ name: String) -> Bool {
        guard let reloaded = reload?.settings[name], let value = reloaded.value else { return false }
        let wanted = self[name]?.configured.flatMap { era.taken($0, as: name) }
        return reloaded.authors.last?.writer != nil && wanted == value
    }
}

extension Foretold {
    /// Whether there is something to say of who sets it: a default that is not known here is nobody's word.
    fileprivate var isSaid: Bool { !values.isEmpty || authors.contains { $0.writer != nil } }
}

extension Writer {
    /// What it sets.
    var keys: [String] {
        acts.compactMap { act in
            if case .write(let write) = act { write.key } else { nil }
        }
    }
}
