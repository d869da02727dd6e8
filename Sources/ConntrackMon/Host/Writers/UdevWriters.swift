// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// udev rules that act when a module is loaded.
enum UdevWriters {
    static func all(_ sources: WriterSources) -> [Writer] {
        var files: [[(rule: UdevRule, evidence: Evidence)]] = []
        for file in ModuleConfiguration.files("udev/rules.d", ".rules", in: sources.tree) {
            guard let text = sources.tree.text(file), concernsUs(text) else { continue }
            files.append(
                ModuleConfiguration.lines(of: text).compactMap { number, line in
                    UdevRule(line).map { ($0, Evidence(file: file, line: number, text: line)) }
                })
        }
        return modules(files.joined().map(\.rule), sources).flatMap { writers(of: $0, files, sources) }
    }

    /// Rules about other devices are most of them, and are not taken apart.
    private static func concernsUs(_ text: String) -> Bool {
        guard occurs("module", in: text) || occurs("conntrack", in: text) else { return false }
        return occurs("RUN", in: text) || occurs("PROGRAM", in: text) || occurs("IMPORT", in: text)
            || occurs("SYSCTL", in: text)
    }

    /// The modules whose loads are looked at: nf_conntrack, those that bring its settings before 4.19, and the ones that
    /// rules name.
    private static func modules(_ rules: [UdevRule], _ sources: WriterSources) -> [String] {
        var modules = ["nf_conntrack"]
        if sources.release != nil { modules += ["nf_conntrack_ipv4", "nf_conntrack_ipv6"] }
        for token in rules.lazy.flatMap(\.tokens) where token.isMatch {
            guard ["KERNEL", "KERNELS", "DEVPATH"].contains(token.key) else { continue }
            for word in token.value.split(separator: "|") {
                let name = word.hasPrefix("/module/") ? word.dropFirst("/module/".count) : word
                if !modules.contains(String(name)), modules.count < 20 { modules.append(String(name)) }
            }
        }
        return modules.filter { ModuleNames.brings($0, release: sources.release) }
    }

    private static func writers(
        of module: String, _ files: [[(rule: UdevRule, evidence: Evidence)]], _ sources: WriterSources
    ) -> [Writer] {
        var event = UdevEvent(module: module, tree: sources.tree)
        for rules in files { event.apply(rules) }
        var writers: [Writer] = []
        func add(_ acts: [Writer.Act], isSure: Bool, _ evidence: Evidence) {
            guard !acts.isEmpty else { return }
            writers.append(
                Writer(
                    name: "the udev rule", when: .uevent(of: module), acts: acts, evidence: evidence,
                    certainty: isSure ? .certain : .may, cure: Writer.cure(for: acts, in: [evidence.file])))
        }
        for early in event.early {
            switch early {
            case .command(let command):
                add(acts(of: command, event, sources), isSure: command.isSure, command.evidence)
            case .setting(let path, let value, let isSure, let evidence):
                let place = "/proc/sys/" + SysctlSyntax.normalized(path)
                guard let key = ShellText.setting(at: place, sources) else { continue }
                var run = ShellRun(sources, place: ShellPlace(evidence))
                run.note(setting: key, value, line: 1)
                add(run.acts, isSure: isSure, evidence)
            }
        }
        for command in event.commands {
            add(acts(of: command, event, sources), isSure: command.isSure, command.evidence)
        }
        return writers
    }

    private static func acts(of command: UdevEvent.Command, _ event: UdevEvent, _ sources: WriterSources) -> [Writer
        .Act]
    {
        var words = UdevRule.words(of: command.text)
        guard let program = words.first else { return [] }
        var run = ShellRun(sources, place: ShellPlace(command.evidence))
        run.variables.merge(event.variables) { $1 }
        if command.isBuiltin {
            guard program == "kmod", words.count > 2, words[1] == "load" else { return [] }
            words = ["/sbin/modprobe", "-a"] + words.dropFirst(2)
        } else if !program.hasPrefix("/") {
            // Programs are not looked for anywhere else.
            let own = ["/usr/lib/udev/" + program, "/lib/udev/" + program]
            guard let path = own.first(where: sources.tree.exists) else { return [] }
            words[0] = path
        }
        _ = run.run(words: words, line: 1, input: .empty)
        return run.acts.filter { act in
            // It is loaded, or it would not be here.
            if case .load(let module, _) = act { module.replacing("-", with: "_") != "nf_conntrack" } else { true }
        }
    }
}
