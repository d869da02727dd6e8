// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What is run when network interfaces come up: at boot, as far as this matters here.
enum NetworkScripts {
    static func all(_ sources: WriterSources) -> [Writer] {
        let unknown = String(ShellRun.unknown)
        let debian = ["MODE": "start", "PHASE": "post-up", "IFACE": unknown]
        return interfaces(sources)
            + scripts(in: "/etc/network/if-pre-up.d", variables: debian, sources)
            + scripts(in: "/etc/network/if-up.d", variables: debian, sources)
            + scripts(in: "/etc/NetworkManager/dispatcher.d", arguments: [unknown, "up"], sources)
            + scripts(in: "/etc/NetworkManager/dispatcher.d/pre-up.d", arguments: [unknown, "pre-up"], sources)
            + scripts(in: "/etc/networkd-dispatcher/configured.d", sources)
            + scripts(in: "/etc/networkd-dispatcher/routable.d", sources)
            + scripts(["/sbin/ifup-local"], arguments: [unknown], sources)
    }

    private static func scripts(
        in folder: String, arguments: [String] = [], variables: [String: String] = [:], _ sources: WriterSources
    ) -> [Writer] {
        var names = sources.tree.names(in: folder) ?? []
        // run-parts takes no other names.
        if !variables.isEmpty { names = names.filter(CronWriters.isPlain) }
        return scripts(names.map { folder + "/" + $0 }, arguments: arguments, variables: variables, sources)
    }

    private static func scripts(
        _ paths: [String], arguments: [String], variables: [String: String] = [:], _ sources: WriterSources
    ) -> [Writer] {
        paths.prefix(64).compactMap { path in
            guard let certainty = ScriptWriters.certainty(ofExecutable: path, sources) else { return nil }
            return ScriptWriters.writer(
                path, .late, arguments: arguments, variables: variables, certainty: certainty, sources: sources)
        }
    }

    /// `up`, `post-up` and `pre-up` lines of interfaces(5).
    private static func interfaces(_ sources: WriterSources) -> [Writer] {
        let folder = "/etc/network/interfaces.d"
        let own = (sources.tree.names(in: folder) ?? []).filter(CronWriters.isPlain).map { folder + "/" + $0 }
        let lines = (["/etc/network/interfaces"] + own).flatMap { file -> [(line: String, evidence: Evidence)] in
            guard let text = sources.tree.text(file) else { return [] }
            return ModuleConfiguration.lines(of: text).map {
                ($0.text, Evidence(file: file, line: $0.number, text: $0.text))
            }
        }
        let started = Set(
            lines.map { $0.line.split(separator: " ") }.filter { $0[0] == "auto" || $0[0].hasPrefix("allow-") }
                .flatMap { $0.dropFirst() })
        var isStarted = false
        return lines.compactMap { line, evidence in
            let words = line.split(separator: " ", maxSplits: 1)
            guard words.count == 2 else { return nil }
            if words[0] == "iface" {
                isStarted = words[1].split(separator: " ").first.map(started.contains) ?? false
            }
            guard ["up", "post-up", "pre-up"].contains(words[0]) else { return nil }
            let acts = ShellText.acts(ofCommand: String(words[1]), at: evidence, sources: sources)
            return ScriptWriters.writer(
                evidence.file, .late, acts, evidence, isStarted ? .certain : .may, in: [evidence.file])
        }
    }
}
