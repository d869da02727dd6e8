// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel

/// Reads a host, or a saved one, and says what a firewall restart or a reboot would do to its limit. Changes nothing.
package enum Doctor {
    /// The report about what lies at `paths`.
    package static func examine(_ paths: HostPaths) -> DoctorReport {
        judge(DoctorFacts(paths))
    }

    /// Pure.
    static func judge(_ facts: DoctorFacts) -> DoctorReport {
        let verdict = UnloadVerdict(facts)
        let outlook = Outlook(facts)
        let guess = facts.limit.flatMap { facts.limitOrigin.guess(limit: $0, buckets: facts.buckets) }
        var examination = Examination(facts: facts, verdict: verdict, outlook: outlook, limitGuess: guess)
        let reloaded: UInt64? =
            switch verdict.wouldUnload {
            case true?: outlook.limit?.afterReload
            case false?: facts.limit
            case nil: nil
            }
        return DoctorReport(
            reloadWouldUnload: verdict.wouldUnload, why: verdict.why, reloadLimit: reloaded, limit: facts.limit,
            module: facts.modules.conntrack, limitOrigin: guess?.text, settings: outlook.rows,
            findings: examination.findings(), noConfiguration: facts.hasConfiguration ? nil : true)
    }
}
