// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// ufw, which loads IPT_MODULES and applies IPT_SYSCTL each time it starts (ufw-init-functions of 0.36).
enum UfwWriters {
    private static let config = "/etc/ufw/ufw.conf"
    private static let defaults = "/etc/default/ufw"

    static func all(_ sources: WriterSources) -> [Writer] {
        let tree = sources.tree
        guard let enabled = setting("ENABLED", in: tree), enabled.value.lowercased() == "yes",
            ServiceState.isEnabled("ufw", in: tree) != false
        else { return [] }
        var writer = Writer(name: "ufw", when: .firewall(.ufw), acts: modules(sources), evidence: enabled.evidence)
        // A saved tree may lack the file that names another one.
        if !tree.exists(defaults) { writer.certainty = .may }
        let file = setting("IPT_SYSCTL", in: tree)?.value ?? "/etc/ufw/sysctl.conf"
        if !file.isEmpty {
            writer.acts += acts(of: file, sources)
            writer.cure = "change the line in \(file)"
        }
        return writer.acts.isEmpty ? [] : [writer]
    }

    /// Both files are read by a shell, ufw.conf last.
    private static func setting(_ name: String, in tree: FileTree) -> ShellAssignment? {
        ShellAssignment.last(name, in: config, of: tree) ?? ShellAssignment.last(name, in: defaults, of: tree)
    }

    private static func modules(_ sources: WriterSources) -> [Writer.Act] {
        guard let list = setting("IPT_MODULES", in: sources.tree) else { return [] }
        return list.value.split(separator: " ").map(String.init)
            .filter { ModuleNames.brings($0, release: sources.release) }
            .map { .load(module: $0, list.evidence) }
    }

    /// `sysctl -e -q -p FILE`. Its keys are written with slashes, as a rule.
    private static func acts(of file: String, _ sources: WriterSources) -> [Writer.Act] {
        guard let text = sources.tree.text(file), occurs("conntrack", in: text) else { return [] }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return SysctlSyntax.parse(text, by: .procps).assignments.flatMap { assignment -> [Writer.Act] in
            guard let value = assignment.value else { return [] }
            let line = lines.indices.contains(assignment.line - 1) ? lines[assignment.line - 1] : ""
            let evidence = Evidence(file: file, line: assignment.line, text: line.trimmed)
            let paths =
                assignment.isGlob
                ? SysctlConfiguration.wellKnown.map { "net/netfilter/" + $0 }.filter { globMatches(assignment.key, $0) }
                : [assignment.key]
            return paths.compactMap { .sysctl($0, to: value, at: evidence, sources) }
        }
    }
}
