// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// rc.local, units and cron @reboot jobs that set conntrack settings, applied late.
enum ScriptWriters {
    static func all(_ sources: WriterSources) -> [Writer] {
        // rc.local comes last on every init that has it.
        UnitWriters.all(sources) + initScripts(sources) + NetworkScripts.all(sources) + CronWriters.all(sources)
            + local(sources)
    }

    /// A script that is run at `moment`; nil where it does nothing to conntrack.
    static func writer(
        _ path: String, _ moment: Writer.Moment, arguments: [String] = [], variables: [String: String] = [:],
        certainty: Certainty = .certain, isSourced: Bool = false, sources: WriterSources
    ) -> Writer? {
        guard let text = sources.tree.script(path, isSourced: isSourced), ScriptText.concernsUs(text) else {
            return nil
        }
        var run = ShellRun(sources, place: ShellPlace(file: path, text: text), arguments: arguments)
        run.variables.merge(variables) { $1 }
        run.run(ShellParser.parse(text))
        return writer(path, moment, run.acts, Evidence(file: path, text: ""), certainty, in: [path])
    }

    /// A writer of what was found; nil where that is nothing. Its evidence is the line of its first act, if in its file.
    static func writer(
        _ name: String, _ moment: Writer.Moment, _ acts: [Writer.Act], _ evidence: Evidence, _ certainty: Certainty,
        in files: Set<String>
    ) -> Writer? {
        guard let first = acts.first else { return nil }
        var evidence = evidence
        if let found = first.evidence, files.contains(found.file), evidence.line == nil { evidence = found }
        return Writer(
            name: name, when: moment, acts: acts, evidence: evidence, certainty: certainty,
            cure: Writer.cure(for: acts, in: Set(acts.compactMap(\.ownFile)).union(files)))
    }

    /// Whether a script is run that must be executable to be: a saved copy may have lost the bit.
    static func certainty(ofExecutable path: String, _ sources: WriterSources) -> Certainty? {
        if sources.tree.isExecutable(path) { return .certain }
        return sources.tree.root.isEmpty ? nil : .may
    }

    // MARK: rc.local and its like

    private static func local(_ sources: WriterSources) -> [Writer] {
        let tree = sources.tree
        var paths = ["/etc/rc.local", "/etc/rc.d/rc.local", "/etc/init.d/boot.local", "/etc/init.d/after.local"]
        let starts = (tree.names(in: "/etc/local.d") ?? []).filter { $0.hasSuffix(".start") }
        paths += starts.map { "/etc/local.d/" + $0 }
        var seen: Set<String> = []
        return paths.compactMap { path in
            guard tree.exists(path), seen.insert(tree.canonical(path)).inserted else { return nil }
            // OpenWrt hands it to a shell.
            let isRead = tree.exists("/etc/openwrt_release")
            guard let certainty = isRead ? .certain : certainty(ofExecutable: path, sources) else { return nil }
            // systemd runs nothing without a first line that says by what; start scripts hand it to a shell.
            return writer(
                path, .late, arguments: ["start"], certainty: certainty, isSourced: !SysctlReader.hasSystemd(tree),
                sources: sources)
        }
    }

    // MARK: rcN.d

    /// What is looked at elsewhere, or is no service.
    private static let others: Set<String> = [
        "iptables", "ip6tables", "network", "local", "rc.local", "procps", "kmod", "ufw", "single", "halt", "reboot",
        "killall",
    ]

    private static func initScripts(_ sources: WriterSources) -> [Writer] {
        let tree = sources.tree
        let isRedHat = tree.isFolder("/etc/rc.d/rc3.d")
        let line = ModuleConfiguration.lines(of: "/etc/inittab", in: tree).first { $0.text.contains(":initdefault:") }
        let level = line?.text.split(separator: ":").dropFirst().first.map(String.init) ?? (isRedHat ? "3" : "2")
        let folder = (isRedHat ? "/etc/rc.d/rc" : "/etc/rc") + "\(level.prefix(1)).d"
        return (tree.names(in: folder) ?? []).prefix(200).compactMap { link in
            guard link.hasPrefix("S"), link.utf8.count > 3 else { return nil }
            let name = String(link.dropFirst(3))
            // A unit of that name takes its place.
            guard !others.contains(name), !UnitWriters.exists(name + ".service", in: tree) else { return nil }
            let script = ["/etc/rc.d/init.d/", "/etc/init.d/"].map { $0 + name }.first(where: tree.exists)
            return writer(
                script ?? folder + "/" + link, .late, arguments: ["start"], isSourced: !SysctlReader.hasSystemd(tree),
                sources: sources)
        }
    }
}

extension Writer.Act {
    /// What shows it.
    var evidence: Evidence? {
        switch self {
        case .write(let write): write.evidence
        case .load(_, let evidence), .reload(let evidence), .loadWith(_, _, let evidence): evidence
        }
    }

    /// The file of a setting that is set by itself, not by a file of settings.
    fileprivate var ownFile: String? {
        guard case .write(let write) = self, let file = write.evidence?.file else { return nil }
        let isConfiguration = file.hasSuffix(".conf") && (file.contains("/sysctl.d/") || file.hasSuffix("/sysctl.conf"))
        return isConfiguration ? nil : file
    }
}
