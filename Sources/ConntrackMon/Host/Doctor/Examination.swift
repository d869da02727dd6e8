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
        findWriters()
        findPrograms()
        return found.enumerated().sorted {
            ($1.element.severity, $0.offset) < ($0.element.severity, $1.offset)
        }.map(\.element)
    }

    mutating func add(
        _ id: String, _ severity: FindingSeverity, certainty: Certainty = .certain, _ summary: String,
        evidence: [Evidence] = [], cure: String = ""
    ) {
        found.append(
            Finding(
                id: id, severity: severity, certainty: certainty, summary: summary, evidence: evidence, cure: cure))
    }

    // MARK: What a reload loses

    /// The reason why all this exists.
    private mutating func findReload() {
        guard verdict.wouldUnload != false, let now = facts.limit, let row = outlook.limit, let after = row.afterReload
        else { return }
        let evidence = verdict.services.map(\.evidence)
        let who = verdict.services.map(\.kind.rawValue).joined(separator: " or ")
        if isLess(after, now) {
            let isSure = verdict.wouldUnload == true && isLess(row.afterReloadMost ?? after, now)
            let may = verdict.wouldUnload == nil ? "may unload" : "unloads"
            let restart = who.isEmpty ? "a firewall restart" : "a restart of \(who)"
            let mayStay = outlook.reload?.settings[row.name]?.may(be: now) ?? false
            let other = mayStay ? "" : row.afterReloadMost.map { " or \(limitText($0))" } ?? ""
            add(
                "reload_loses_limit", isSure ? .critical : .warning, certainty: isSure ? .certain : .may,
                "\(restart) \(may) nf_conntrack, and nf_conntrack_max \(mayStay ? "may go" : "goes") from \(limitText(now)) to \(limitText(after))"
                    + other + entriesText(against: after),
                evidence: evidence, cure: keepCure(now))
        }
        let lost = outlook.rows.filter { row in
            guard row.name != "nf_conntrack_max", row.name != "nf_conntrack_buckets", let now = row.now,
                let after = outlook.reload?.settings[row.name], !after.values.isEmpty
            else { return false }
            return !after.may(be: now)
        }
        if verdict.wouldUnload == true, !lost.isEmpty {
            let changes = lost.map { "\($0.name) \(text($0.now)) -> \(text($0.afterReload))" }
            let restore = restoreCure(for: lost.map(\.name))
            add(
                "reload_loses_settings", .warning, "the same restart puts back \(changes.joined(separator: ", "))",
                evidence: evidence,
                cure: lost.contains { $0.configured == nil }
                    ? "write them to \(facts.sysctlFile), and \(restore)" : restore)
        }
    }

    private func entriesText(against limit: UInt64) -> String {
        guard let entries = facts.entries, limit > 0, Double(entries) >= 0.75 * Double(limit) else { return "" }
        return "; \(entries) connections are tracked now, \(percent(Double(entries) / Double(limit))) of that"
    }

    func text(_ value: UInt64?) -> String { value.map { "\($0)" } ?? "?" }

    // MARK: Cures

    /// Puts what is configured back after every load, whoever causes it.
    func restoreCure(for names: [String]) -> String {
        facts.cures.restore(after: facts.module(of: names))
    }

    private func keepCure(_ limit: UInt64) -> String {
        var cures: [String] = []
        if facts.configuration["nf_conntrack_max"]?.number.map({ isLess($0, limit) }) ?? true {
            cures.append("write net.netfilter.nf_conntrack_max = \(limit) to \(facts.sysctlFile)")
        }
        cures += verdict.services.map(\.cure).filter { !$0.isEmpty }
        if !restoresLimit { cures.append(restoreCure(for: facts.configuration.all.map(\.key))) }
        return facts.limitOrigin.cure(cures.joined(separator: "; "), toHave: limit, instead: nil)
    }

    /// Whether a limit that is configured is put back after each load of the module.
    var restoresLimit: Bool {
        if facts.configuration["nf_conntrack_max"]?.number != nil { return outlook.restores("nf_conntrack_max") }
        return facts.timeline.writers.contains { writer in
            guard writer.appliesConfiguration, writer.certainty == .certain else { return false }
            return switch writer.when {
            case .load, .uevent, .firewall: true
            case .early, .boot, .late, .always: false
            }
        }
    }
}

extension DoctorFacts {
    /// Where a person would write a setting.
    var sysctlFile: String { cures.sysctlFile }

    /// The module with which all of these settings are there.
    func module(of names: [String]) -> String {
        names.lazy.map(timeline.era.owner).first { $0 != KernelEra.core } ?? KernelEra.core
    }
}

extension ConfiguredValue {
    /// The line that decides.
    var evidence: Evidence {
        Evidence(file: file, line: line, text: InvisibleText.shown("\(writtenAs) = \(value)").trimmed)
    }
}
