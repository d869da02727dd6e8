// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What the programs of a host set, and what is set late.
extension Examination {
    var writers: [Writer] { facts.timeline.writers }

    mutating func findWriters() {
        findUnknownInit()
        if facts.hasUnreadScripts {
            add(
                "unread_scripts", .info, certainty: .unknown,
                "this host has more scripts and jobs that name conntrack or sysctl than are read: what the rest sets is not"
                    + " known")
        }
        for index in writers.indices {
            if writers[index].program != nil { findProgram(index) } else { findScript(index) }
        }
    }

    private mutating func findUnknownInit() {
        guard facts.hasConfiguration, facts.isBootUnknown, let doubt = facts.initSystem.doubt else { return }
        add("init_unknown", .info, certainty: .unknown, doubt)
    }

    // MARK: Programs with settings of their own

    private mutating func findProgram(_ index: Int) {
        let writer = writers[index]
        let writes = writer.acts.compactMap { act in
            if case .write(let write) = act { write } else { nil }
        }
        guard !writes.isEmpty else { return }
        var over: [String] = []
        var evidence = [writer.evidence] + writes.compactMap(\.evidence)
        for configured in facts.configuration.all where isOverridden(configured, by: index) {
            over.append("the \(configured.value) of \(configured.key) in \(configured.file)")
            evidence.append(configured.evidence)
        }
        let lowered = over.isEmpty ? loweredText(index) : nil
        let isFought = !over.isEmpty || lowered != nil
        let may = writer.certainty == .certain ? "sets" : "may set"
        add(
            writer.program ?? "script_writes", isFought ? .warning : .info, certainty: writer.certainty,
            "\(writer.name) \(may) \(list(writes)) \(writer.momentText)"
                + (over.isEmpty ? "" : ", over \(over.joined(separator: ", "))") + (lowered ?? ""),
            evidence: evidence.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }, cure: writer.cure ?? "")
    }

    /// Whether a program has the last word over what is configured, and another one.
    private func isOverridden(_ configured: ConfiguredValue, by index: Int) -> Bool {
        guard let wanted = configured.number.flatMap({ facts.timeline.era.taken($0, as: configured.key) }),
            let end = outlook.boot?.settings[configured.key], end.value != wanted
        else { return false }
        return end.authors.contains { $0.writer == index }
    }

    /// What its next start does to the limit that is live.
    private func loweredText(_ index: Int) -> String? {
        guard writers[index].isService, let now = facts.limit else { return nil }
        let end = facts.timeline.restarted(program: index, on: facts.live).settings["nf_conntrack_max"]
        guard let least = end?.least, isLess(least, now) else { return nil }
        let may = end?.may(be: now) == true ? "may go" : "goes"
        return ": with its next start nf_conntrack_max \(may) from \(limitText(now)) to \(limitText(least))"
    }

    /// "nf_conntrack_max to 131072 (some versions leave more), ...", each setting once.
    private func list(_ writes: [Write]) -> String {
        let keys = writes.map(\.key).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        return keys.map { key in
            let changes = writes.filter { $0.key == key }
            let numbers = changes.compactMap { write -> UInt64? in
                if case .set(let number) = write.change { number } else { nil }
            }
            let least = changes.compactMap { write -> UInt64? in
                if case .raise(let number) = write.change { number } else { nil }
            }.last
            guard let number = numbers.last else {
                return least.map { "\(key) to at least \($0)" } ?? "\(key) to a value that is not to be seen"
            }
            let isDoubtful = least != nil && changes.last?.certainty != .certain
            return "\(key) to \(number)" + (isDoubtful ? " (some versions leave more)" : "")
        }.joined(separator: ", ")
    }

    // MARK: Scripts, rules and lines of their own

    /// One that writes something else than what is configured is a program like others.
    private mutating func findScript(_ index: Int) {
        let isOwn = writers[index].cure != nil && writers[index].when != .early
        if isOwn, facts.configuration.all.contains(where: { isOverridden($0, by: index) }) { findProgram(index) }
        if writers[index].when == .late { findLate(index) }
    }

    /// What no configuration would keep: it is so only from then on, and not after a load.
    private mutating func findLate(_ index: Int) {
        guard let boot = outlook.boot else { return }
        let rows = outlook.rows.filter { row in
            guard let end = boot.settings[row.name], end.authors.last?.writer == index, let later = row.afterReboot
            else { return false }
            return row.name != "nf_conntrack_buckets" && row.afterReload != nil && later != row.afterReload
        }
        guard !rows.isEmpty else { return }
        let changes = rows.map { "\($0.name) \(text($0.afterReboot))" }.joined(separator: ", ")
        let effect = rows.map { "\($0.name) \(text($0.afterReload))" }.joined(separator: ", ")
        add(
            "applied_late", .info, certainty: writers[index].certainty,
            "\(writers[index].name) sets \(changes) late in the boot, and not after a load of the module, which leaves"
                + " \(effect)",
            evidence: rows.compactMap { boot.settings[$0.name]?.authors.last?.evidence }.reduce(into: []) {
                if !$0.contains($1) { $0.append($1) }
            }, cure: restoreCure(for: rows.map(\.name)))
    }
}

extension Writer {
    /// What its finding is called, where it is a program that is known by its name; nil for scripts, rules and lines.
    var program: String? {
        switch name {
        case "kube-proxy", "k3s", "rke2", "microk8s", "hyperkube", "k0s": "kube_proxy_writes"
        case "pve-firewall", "proxmox-firewall": "pve_firewall_writes"
        case "coroot-node-agent": "coroot_writes"
        case "the OpenVZ node": "openvz_node_writes"
        case "tuned", "ufw", "firehol": cure == nil ? nil : name.lowercased() + "_writes"
        default: nil
        }
    }

    /// It comes again while the host runs, and undoes what a person has written.
    var comesAgain: Bool {
        switch when {
        case .always, .firewall: true
        case .late: isService
        case .load, .uevent, .early, .boot: false
        }
    }

    /// When it does it, for the end of a sentence.
    var momentText: String {
        switch when {
        case .load(let module), .uevent(let module): "after each load of \(module)"
        case .early, .boot: "at boot"
        case .firewall, .late: isService || when != .late ? "when it starts" : "late in the boot"
        case .always: "again and again"
        }
    }
}

/// What is said of programs that set nothing.
extension Examination {
    mutating func findPrograms() {
        if let evidence = facts.docker {
            add(
                "docker_seen", .info,
                "Docker writes no nf_conntrack setting; its NAT rules hold nf_conntrack and go with a firewall that flushes"
                    + " all rules",
                evidence: [evidence], cure: "restart Docker after such a firewall restart")
        }
        guard let ufw = facts.firewalls.first(where: { $0.kind == .ufw }),
            !writers.contains(where: { $0.name == "ufw" })
        else { return }
        add("ufw_seen", .info, "ufw unloads no modules and sets no nf_conntrack value", evidence: [ufw.evidence])
    }
}
