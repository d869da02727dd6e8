// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Live against configured, now against after the next boot, limit against buckets.
extension Examination {
    mutating func findLimit() {
        guard let now = facts.limit else {
            if facts.modules.conntrack == .absent {
                add("not_loaded", .info, "nf_conntrack is not loaded: nothing is tracked, and no setting can be seen")
            }
            findBootRace()
            return
        }
        if let configured = facts.configuration["nf_conntrack_max"], let wanted = configured.number,
            let taken = facts.timeline.era.taken(wanted, as: "nf_conntrack_max")
        {
            findLimit(now, against: configured, taken)
        }
        findHandMade()
        findBootRace()
        findHash(now)
    }

    /// The live limit against the configured one.
    private mutating func findLimit(_ now: UInt64, against configured: ConfiguredValue, _ wanted: UInt64) {
        let origin = limitGuess.map { " (\($0.text))" } ?? ""
        let later = outlook.boot?.settings["nf_conntrack_max"]
        if isLess(now, wanted) {
            let isTight = facts.entries.map { Double($0) >= 0.75 * Double(now) } ?? false
            add(
                "live_differs", isTight ? .critical : .warning,
                "nf_conntrack_max is \(limitText(now))\(origin), \(limitText(wanted)) is configured",
                evidence: [configured.evidence],
                cure: facts.limitOrigin.cure(
                    "sysctl -w net.netfilter.nf_conntrack_max=\(wanted)", toHave: wanted, instead: limitGuess))
        } else if now != wanted, !(later?.may(be: now) ?? false) {
            add(
                "live_differs", .warning,
                "nf_conntrack_max is \(limitText(now))\(origin), above the \(limitText(wanted)) that is configured and"
                    + " comes back", evidence: [configured.evidence],
                cure: "write net.netfilter.nf_conntrack_max = \(now) to \(facts.sysctlFile)")
        }
    }

    /// Raised by hand: nobody will raise it again.
    private mutating func findHandMade() {
        let handMade = outlook.rows.filter { row in
            guard row.name != "nf_conntrack_buckets", facts.configuration[row.name] == nil, let now = row.now,
                let later = outlook.boot?.settings[row.name], let least = later.least, !later.may(be: now)
            else { return false }
            // What a program of this host writes is its affair, and said with its name.
            guard later.authors.allSatisfy({ $0.writer.map { writers[$0].cure == nil } ?? true }) else { return false }
            return row.name == "nf_conntrack_max" ? isLess(later.most ?? least, now) : true
        }
        guard !handMade.isEmpty else { return }
        let changes = handMade.map { "\($0.name) \(text($0.now)) -> \(text($0.afterReboot))" }
        let lines = handMade.map { "net.netfilter.\($0.name) = \(text($0.now))" }
        add(
            "not_configured", .warning,
            "set by hand only, lost with the next reboot: \(changes.joined(separator: ", "))",
            evidence: facts.configuration.oldNames.map(\.evidence),
            cure: "in \(facts.sysctlFile): \(lines.joined(separator: "; "))")
    }

    /// The boot applies settings before their module is there, and nobody sets them again.
    private mutating func findBootRace() {
        guard let boot = outlook.boot, facts.modules.conntrack != nil else { return }
        // findBan says it, and no cure that is given here would help.
        guard facts.loading.ban == nil else { return }
        let lost = facts.configuration.all.filter { configured in
            guard let wanted = configured.number.flatMap({ facts.timeline.era.taken($0, as: configured.key) }),
                boot.missed.contains(where: { $0.key == configured.key && writers[$0.writer].when == .boot }),
                let left = boot.settings[configured.key]
            else { return false }
            // A program that has the last word is told of with its own cure.
            let program = left.authors.last?.writer.flatMap { writers[$0].cure }
            return left.value != wanted && program == nil
        }.sorted { $0.key == "nf_conntrack_max" && $1.key != "nf_conntrack_max" }
        guard !lost.isEmpty else { return }
        let mayBeKept = lost.allSatisfy { lost in
            lost.number.map { boot.settings[lost.key]?.may(be: $0) ?? false } ?? false
        }
        var effect = ""
        if let row = outlook.limit, let later = row.afterReboot, let wanted = row.configured, isLess(later, wanted) {
            let will = mayBeKept ? "may" : "will"
            effect = ": nf_conntrack_max \(will) be \(limitText(later)) instead of \(limitText(wanted))"
        }
        let module = facts.module(of: lost.map(\.key))
        add(
            "boot_race", mayBeKept ? .info : .warning, certainty: mayBeKept ? .may : .certain,
            mayBeKept
                ? "nf_conntrack may be loaded after the boot applies sysctl settings, and then these are lost\(effect)"
                : "nothing loads \(module) before the boot applies sysctl settings, so these are lost\(effect)",
            evidence: lost.prefix(4).map(\.evidence) + [facts.loading.blacklist].compactMap { $0 },
            cure: bootCure(module))
    }

    private func bootCure(_ module: String) -> String {
        let restore = facts.cures.restore(after: module)
        // modules-load.d does not load what is on the blacklist.
        if facts.loading.blacklist != nil { return restore }
        let load = facts.cures.bootLoad(module)
        return facts.initSystem == .initscripts
            ? "\(load); or \(restore)" : "\(restore); or \(load), which helps at boot only"
    }

    // MARK: Other settings

    private static let judgedApart = [
        "nf_conntrack_max", "nf_conntrack_acct", "nf_conntrack_timestamp",
    ]

    mutating func findSettings() {
        let others = facts.configuration.all.filter { value in
            guard !Examination.judgedApart.contains(value.key), let live = facts.live[value.key],
                let wanted = value.number.flatMap({ facts.timeline.era.taken($0, as: value.key) })
            else { return false }
            return live != wanted
        }
        if !others.isEmpty {
            let differences = others.map { "\($0.key) is \(text(facts.live[$0.key])), \($0.value) is configured" }
            let writes = others.map { "net.netfilter.\($0.key)=\($0.value)" }
            add(
                "settings_differ", .warning, differences.joined(separator: "; "), evidence: others.map(\.evidence),
                cure: "sysctl -w \(writes.joined(separator: " "))")
        }
        if facts.live["nf_conntrack_events"] == 0 {
            add(
                "events_off", .warning,
                "nf_conntrack_events is 0: no event reaches anybody, rates and top sources stay unknown",
                evidence: facts.configuration["nf_conntrack_events"].map { [$0.evidence] } ?? [],
                cure: "sysctl -w net.netfilter.nf_conntrack_events=1")
        }
        for (name, what) in [("acct", "bytes and packets"), ("timestamp", "start and stop times")] {
            guard facts.live["nf_conntrack_" + name] == 0, let wanted = facts.configuration["nf_conntrack_" + name],
                wanted.number ?? 0 > 0
            else { continue }
            add(
                name == "acct" ? "accounting_off" : "timestamps_off", .info,
                "\(what) of connections are wanted by the configuration and off", evidence: [wanted.evidence],
                cure: "sysctl -w net.netfilter.nf_conntrack_\(name)=1; only connections made after that have them")
        }
    }

    mutating func findConfiguration() {
        findOldNames()
        for difference in facts.configuration.whatProcpsDoes {
            let boot = text(difference.boot), procps = text(difference.procps)
            let isIdle = difference.boot == nil && difference.procps?.file == "/etc/sysctl.conf"
            add(
                "procps_differs", .warning,
                "\(difference.key): the boot sets \(boot), `sysctl --system` sets \(procps)"
                    + (isIdle ? "; systemd-sysctl does not read /etc/sysctl.conf here" : ""),
                evidence: [difference.boot?.evidence, difference.procps?.evidence].compactMap { $0 },
                cure: "keep the setting in one file of /etc/sysctl.d only")
        }
        findText()
        for value in facts.configuration.refused { findRefused(value) }
        let problems = facts.configuration.problems.filter { problem in
            !facts.text.lines.contains { $0.isAt(problem.file, problem.line) }
        }
        if !problems.isEmpty {
            add(
                "unreadable_configuration", .info,
                "lines or files of the sysctl configuration that can't be used: \(problems.count)",
                evidence: problems.prefix(4).map { Evidence(file: $0.file, line: $0.line, text: $0.reason) })
        }
    }

    /// What a setting is set to; a value that is refused sets it to nothing.
    private func text(_ value: ConfiguredValue?) -> String {
        value.flatMap { $0.number == nil ? nil : $0.value } ?? "nothing"
    }

    private mutating func findOldNames() {
        let old = facts.configuration.oldNames
        guard !old.isEmpty else { return }
        // nf_conntrack's compatibility names went with 4.9.
        let areGone = facts.release.map { $0 >= KernelRelease(4, 9) } ?? true
        let news = Set(old.map { "net.netfilter.\($0.key) = \($0.value)" }).sorted()
        add(
            "old_keys", areGone ? .warning : .info,
            areGone
                ? "names that this kernel does not have: the settings are never applied"
                : "names that kernels since 4.9 do not have", evidence: old.map(\.evidence),
            cure: "write \(news.joined(separator: "; "))")
    }
}
