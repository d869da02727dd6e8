// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// The findings about a host: what its facts say together. Pure.
struct Examination {
    let facts: DoctorFacts
    let verdict: UnloadVerdict
    let outlook: Outlook
    /// Where the live limit comes from, if it is a number that is known.
    let limitGuess: LimitOrigin.Guess?
    var found: [Finding] = []

    init(facts: DoctorFacts, verdict: UnloadVerdict, outlook: Outlook, limitGuess: LimitOrigin.Guess?) {
        self.facts = facts
        self.verdict = verdict
        self.outlook = outlook
        self.limitGuess = limitGuess
    }

    /// All of them, worst first; those of one severity in the order in which they are looked for.
    mutating func findings() -> [Finding] {
        findMissingConfiguration()
        findReload()
        findFirewalls()
        findLimit()
        findSettings()
        findConfiguration()
        findPrograms()
        return found.enumerated().sorted {
            ($1.element.severity, $0.offset) < ($0.element.severity, $1.offset)
        }.map(\.element)
    }

    mutating func add(
        _ id: String, _ severity: FindingSeverity, _ summary: String, evidence: [Evidence] = [], cure: String = ""
    ) {
        found.append(Finding(id: id, severity: severity, summary: summary, evidence: evidence, cure: cure))
    }

    // MARK: What a reload loses

    /// The reason why all this exists.
    private mutating func findReload() {
        guard verdict.wouldUnload != false, let now = facts.limit, let row = outlook.limit, let after = row.afterReload
        else { return }
        let evidence = verdict.services.map(\.evidence)
        let who = verdict.services.map(\.kind.rawValue).joined(separator: " or ")
        if isLess(after, now) {
            let may = verdict.wouldUnload == nil ? "may unload" : "unloads"
            let restart = who.isEmpty ? "a firewall restart" : "a restart of \(who)"
            add(
                "reload_loses_limit", verdict.wouldUnload == nil ? .warning : .critical,
                "\(restart) \(may) nf_conntrack, and nf_conntrack_max goes from \(limitText(now)) to \(limitText(after))"
                    + entriesText(against: after),
                evidence: evidence, cure: keepCure(now))
        }
        let lost = outlook.rows.filter { row in
            row.name != "nf_conntrack_max" && row.name != "nf_conntrack_buckets" && row.now != nil
                && row.afterReload != nil && row.now != row.afterReload
        }
        if verdict.wouldUnload == true, !lost.isEmpty {
            let changes = lost.map { "\($0.name) \(text($0.now)) -> \(text($0.afterReload))" }
            add(
                "reload_loses_settings", .warning, "the same restart puts back \(changes.joined(separator: ", "))",
                evidence: evidence,
                cure: lost.contains { $0.configured == nil }
                    ? "write them to \(facts.sysctlFile), and \(restoreCure)" : restoreCure)
        }
    }

    private func entriesText(against limit: UInt64) -> String {
        guard let entries = facts.entries, limit > 0, Double(entries) >= 0.75 * Double(limit) else { return "" }
        return "; \(entries) connections are tracked now, \(percent(Double(entries) / Double(limit))) of that"
    }

    func text(_ value: UInt64?) -> String { value.map { "\($0)" } ?? "?" }

    // MARK: Cures

    static let rule =
        #"ACTION=="add", SUBSYSTEM=="module", KERNEL=="nf_conntrack", RUN+="/usr/lib/systemd/systemd-sysctl"#
        + #" --prefix=/net/netfilter --prefix=/net/nf_conntrack_max""#

    /// Puts what is configured back after every load, whoever causes it.
    var restoreCure: String {
        if facts.isEL6 {
            return "IPTABLES_SYSCTL_LOAD_LIST=\"nf_conntrack\" in /etc/sysconfig/iptables-config puts back what"
                + " /etc/sysctl.conf holds"
        }
        return "in /etc/udev/rules.d/50-conntrack.rules: \(Examination.rule)"
    }

    private func keepCure(_ limit: UInt64) -> String {
        var cures: [String] = []
        if facts.configuration["nf_conntrack_max"]?.number.map({ isLess($0, limit) }) ?? true {
            cures.append("write net.netfilter.nf_conntrack_max = \(limit) to \(facts.sysctlFile)")
        }
        cures += verdict.services.map(\.cure).filter { !$0.isEmpty }
        if !facts.restoresAfterReload { cures.append(restoreCure) }
        return cures.joined(separator: "; ")
    }
}

extension DoctorFacts {
    /// Start scripts instead of systemd: no udev rule can call systemd-sysctl.
    var isEL6: Bool { configuration.bootReader == .initscripts }

    /// Where a person would write a setting.
    var sysctlFile: String { isEL6 ? "/etc/sysctl.conf" : "/etc/sysctl.d/90-conntrack.conf" }
}

extension ConfiguredValue {
    /// The line that decides.
    var evidence: Evidence {
        Evidence(file: file, line: line, text: InvisibleText.shown("\(writtenAs) = \(value)").trimmed)
    }
}
