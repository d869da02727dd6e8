// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel

/// Reads a host, or a saved one, and says what a firewall restart or a reboot would do to its limit. Changes nothing.
package enum Doctor {
    /// The report about what lies at `paths`, and what a table of `size` entries would take there.
    package static func examine(_ paths: HostPaths, size: UInt64? = nil) -> DoctorReport {
        var facts = DoctorFacts(paths)
        facts.readRules(paths)
        var report = judge(facts)
        report.size = size.map { entries in
            TableSize(
                entries: entries, buckets: HashSize.recommended(for: entries, facts.release),
                entrySize: facts.entrySize, memory: facts.memory)
        }
        return report
    }

    /// Pure.
    static func judge(_ facts: DoctorFacts) -> DoctorReport {
        let verdict = UnloadVerdict(facts)
        let outlook = Outlook(facts, verdict)
        let guess = facts.limitGuess
        var examination = Examination(facts: facts, verdict: verdict, outlook: outlook, limitGuess: guess)
        let reloaded: UInt64? =
            switch verdict.wouldUnload {
            case true?: outlook.limit?.afterReload
            case false?: facts.keptLimit
            case nil: nil
            }
        return DoctorReport(
            reloadWouldUnload: verdict.wouldUnload, why: verdict.why, reloadLimit: reloaded, limit: facts.limit,
            module: facts.modules.conntrack, limitOrigin: guess?.text, settings: outlook.rows,
            findings: examination.findings(), noConfiguration: facts.hasConfiguration ? nil : true)
    }
}

extension DoctorFacts {
    /// The limit after a restart of a firewall that tries to unload the module and can't: its start may set it all the same.
    fileprivate var keptLimit: UInt64? {
        let kinds = Set(firewalls.filter { $0.unloads != false }.map(\.kind))
        guard limit != nil, !kinds.isEmpty else { return limit }
        return timeline.restarted(kinds, keeping: live).settings["nf_conntrack_max"]?.least
    }
}
