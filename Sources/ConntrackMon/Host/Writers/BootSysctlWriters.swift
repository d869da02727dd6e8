// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What applies sysctl configuration at boot, by systemd and by EL5's and EL6's start scripts.
enum BootSysctlWriters {
    static func all(_ sources: WriterSources) -> [Writer] {
        if sources.initSystem == .systemd { return [systemd(sources), network(sources, .systemd)].compactMap { $0 } }
        guard sources.initSystem == .initscripts else { return [] }
        let acts = SysctlRun(reader: .initscripts).acts(in: sources)
        return [writer("rc.sysinit", .boot, acts), network(sources, .initscripts)].compactMap { $0 }
    }

    private static func writer(_ name: String, _ moment: Writer.Moment, _ acts: [Writer.Act]) -> Writer? {
        let evidence = acts.lazy.compactMap { act -> Evidence? in
            switch act {
            case .write(let write): write.evidence
            case .load(_, let evidence), .reload(let evidence): evidence
            }
        }.last
        return evidence.map { Writer(name: name, when: moment, acts: acts, evidence: $0) }
    }

    // MARK: systemd-sysctl

    private static func systemd(_ sources: WriterSources) -> Writer? {
        guard !isMasked(sources.tree) else { return nil }
        let own = SysctlRun(reader: .systemd).acts(in: sources)
        let commands = UnitCommands("systemd-sysctl.service", in: sources.tree)
        guard commands.isChanged else { return writer("systemd-sysctl", .boot, own) }
        func acts(_ line: UnitCommands.Line) -> [Writer.Act] {
            let words = line.command.split(whereSeparator: \.isWhitespace).map(String.init)
            let runs = (SysctlRun.of(words: words) ?? []).compactMap { if case .run(let run) = $0 { run } else { nil } }
            return runs.isEmpty
                ? ShellText.acts(ofCommand: line.command, at: line.evidence, sources: sources)
                : runs.flatMap { $0.acts(in: sources) }
        }
        let main = (commands.isReset ? [] : own) + commands.main.flatMap(acts)
        return writer("systemd-sysctl", .boot, commands.before.flatMap(acts) + main + commands.after.flatMap(acts))
    }

    /// An empty unit and a link to /dev/null are masks. There are no links of its own under /etc to take away.
    private static func isMasked(_ tree: FileTree) -> Bool {
        ["/etc/systemd/system", "/run/systemd/system"].contains {
            tree.text("\($0)/systemd-sysctl.service")?.isEmpty ?? false
        }
    }

    // MARK: The network service

    private static let script = "/etc/rc.d/init.d/network"

    /// EL's network service applies sysctl configuration once more, when the loopback is up and when it is done: on EL5
    /// and EL6 by the same function as rc.sysinit, on EL7 and EL8 by systemd-sysctl. It starts after iptables and
    /// firewalld (S08, S10; chkconfig and "Should-Start"), and so when their rules have loaded nf_conntrack.
    private static func network(_ sources: WriterSources, _ reader: SysctlReader) -> Writer? {
        let tree = sources.tree
        let state = isStarted(tree)
        // Each host of EL6 has it, whether its copy holds the script or not.
        let mayBe = state == nil && (reader == .initscripts || tree.exists(script))
        guard state == true || mayBe,
            ShellAssignment.last("NETWORKING", in: "/etc/sysconfig/network", of: tree)?.value != "no"
        else { return nil }
        let acts = SysctlRun(reader: reader).acts(in: sources)
        guard !acts.isEmpty else { return nil }
        return Writer(
            name: "the network service", when: .late, acts: acts,
            evidence: Evidence(file: script, text: "applies sysctl configuration when it starts"),
            certainty: mayBe ? .may : .certain)
    }

    /// nil where there are no start links to look at.
    private static func isStarted(_ tree: FileTree) -> Bool? {
        let links = [3, 5].compactMap { tree.names(in: "/etc/rc.d/rc\($0).d") }.flatMap { $0 }
        guard links.contains(where: { $0.hasPrefix("S") }) else { return nil }
        return links.contains { $0.hasPrefix("S") && $0.dropFirst(3) == "network" }
    }
}
