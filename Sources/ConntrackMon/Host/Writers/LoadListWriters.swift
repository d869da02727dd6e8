// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// IPTABLES_SYSCTL_LOAD_LIST of EL's iptables service: `for item in $LIST; do fgrep $item FILES | sysctl -p -; done` when
/// it starts, after the rules.
enum LoadListWriters {
    static func all(_ sources: WriterSources) -> [Writer] {
        FirewallService.all(in: sources.tree).map(\.kind).filter { $0 == .iptables || $0 == .ip6tables }
            .compactMap { writer($0, sources) }
    }

    private static func writer(_ kind: FirewallService.Kind, _ sources: WriterSources) -> Writer? {
        let tree = sources.tree
        let name = kind.rawValue
        let variable = name.uppercased() + "_SYSCTL_LOAD_LIST"
        let scripts = ["/usr/libexec/iptables/\(name).init", "/etc/rc.d/init.d/\(name)", "/etc/init.d/\(name)"]
        let script = scripts.first(where: tree.exists)
        // The script has a default of its own, which the other file goes over.
        let places = ["/etc/sysconfig/\(name)-config"] + [script].compactMap { $0 }
        guard let list = places.lazy.compactMap({ ShellAssignment.last(variable, in: $0, of: tree) }).first else {
            return nil
        }
        let words = list.value.split(separator: " ").map(String.init)
        guard !words.isEmpty else { return nil }
        let acts = merged(
            ways(script.flatMap { tree.text($0) }, sources).map { files in
                SysctlRun(reader: .procps, files: files, filter: .lines(with: words)).acts(in: sources)
            })
        guard !acts.isEmpty else { return nil }
        return Writer(name: "the \(name) service", when: .firewall(kind), acts: acts, evidence: list.evidence)
    }

    // MARK: Which files

    private static let file = "/etc/sysctl.conf"
    private static let folder = "/etc/sysctl.d/*"

    /// What the script searches; without a script to read, what those of this release do. EL7's went from the one to the
    /// other, EL8's from all of the folder to *.conf.
    private static func ways(_ script: String?, _ sources: WriterSources) -> [[String]] {
        if let script {
            guard occurs("SYSCTL_LOAD_LIST", in: script) else { return [] }
            if let files = files(in: script) { return [files] }
        }
        if sources.initSystem == .initscripts { return [[file]] }
        let text = sources.tree.text("/etc/redhat-release") ?? ""
        switch text.drop(while: { !$0.isNumber }).prefix(while: \.isNumber) {
        case "5", "6": return [[file]]
        case "7": return [[file], [folder]]
        case "": return [[file], [folder], [folder + ".conf"]]
        default: return [[folder], [folder + ".conf"]]
        }
    }

    /// The words after $item.
    private static func files(in script: String) -> [String]? {
        for (_, line) in ModuleConfiguration.lines(of: script) where line.contains("grep ") && line.contains("$item") {
            let words = line.split(separator: " ").map { $0.filter { $0 != "\"" } }
            guard let item = words.firstIndex(of: "$item") else { continue }
            let files = words[(item + 1)...].prefix { !$0.hasPrefix("|") }.filter { $0.hasPrefix("/") }
            if !files.isEmpty { return Array(files) }
        }
        return nil
    }

    /// Settings that all ways leave alike are certain; others may be left as any of them does.
    private static func merged(_ ways: [[Writer.Act]]) -> [Writer.Act] {
        let ends = ways.map { acts -> [String: Write] in
            acts.reduce(into: [:]) { if case .write(let write) = $1 { $0[write.key] = write } }
        }
        var found: [Writer.Act] = []
        for acts in ways {
            for case .write(var write) in acts {
                if ends.contains(where: { $0[write.key]?.change != write.change }) {
                    write.certainty = min(write.certainty, .may)
                }
                let isNew = !found.contains { act in
                    if case .write(let other) = act {
                        other.key == write.key && other.change == write.change
                    } else {
                        false
                    }
                }
                if isNew { found.append(.write(write)) }
            }
        }
        return found
    }
}
