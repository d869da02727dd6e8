// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// modprobe.d: the install and softdep lines of the modules that bring nf_conntrack. kmod's rules, tried with kmod 30:
/// the first line that fits a module counts, and a softdep line that names something puts its install line out of force.
enum ModprobeWriters {
    static func all(_ sources: WriterSources) -> [Writer] {
        let directives = ModprobeDirectives(tree: sources.tree)
        let named = directives.all.filter { $0.kind == .install || $0.kind == .softdep }.map(\.module)
        let modules = Set(named.filter { !$0.contains { "*?[".contains($0) } }).subtracting(["nf_conntrack"])
        return (["nf_conntrack"] + modules.sorted(by: FileTree.isBefore)).flatMap {
            writers(of: $0, directives, sources)
        }
    }

    private static func writers(
        of module: String, _ directives: ModprobeDirectives, _ sources: WriterSources
    ) -> [Writer] {
        let brings = ModuleNames.brings(module, release: sources.release)
        if let dependency = directives.softdep(of: module) {
            // What loads nf_conntrack loads it first anyway.
            let loads = (dependency.pre + dependency.post).filter {
                ModuleNames.brings($0, release: sources.release) && $0 != module && !(brings && $0 == "nf_conntrack")
            }
            guard !loads.isEmpty else { return [] }
            let evidence = dependency.evidence
            return [
                Writer(
                    name: "modprobe's softdep line", when: .load(of: module),
                    acts: loads.map { .load(module: $0, evidence) }, evidence: evidence)
            ]
        }
        guard let line = directives.install(of: module) else { return [] }
        let options = directives.of(.options, module).flatMap(\.rest).joined(separator: " ")
        let acts = acts(of: line, module, options: options, brings: brings, sources)
        guard !acts.isEmpty else { return [] }
        return [
            Writer(
                name: "modprobe's install line", when: .load(of: module), acts: acts, evidence: line.evidence,
                cure: Writer.cure(for: acts, in: [line.evidence.file]))
        ]
    }

    private static func acts(
        of line: ModprobeDirectives.Directive, _ module: String, options: String, brings: Bool,
        _ sources: WriterSources
    ) -> [Writer.Act] {
        // kmod puts the options there before the shell sees the line.
        let command = line.rest.joined(separator: " ").replacing("$CMDLINE_OPTS", with: options)
        var run = ShellRun(sources, place: ShellPlace(line.evidence))
        run.installed = module
        run.variables["MODPROBE_MODULE"] = module
        run.run(ShellParser.parse(command))
        guard brings else { return run.acts }

        let isItself = { (act: Writer.Act) -> Bool in
            switch act {
            case .load(let other, _): other.replacing("-", with: "_") == module
            case .loadWith: module == "nf_conntrack"
            default: false
            }
        }
        guard let load = run.acts.firstIndex(where: isItself) else {
            if module != "nf_conntrack" || run.isUnderstood { return [] }
            // A program loads it, and may do anything else.
            return ["nf_conntrack_max", SettingNames.buckets].map {
                .write(Write(key: $0, change: .unknown, certainty: .may, evidence: line.evidence))
            }
        }
        let given = run.acts.filter { if case .loadWith = $0 { true } else { false } }
        // Before that load there is nothing to be set.
        let before = run.acts[..<load].filter { if case .write = $0 { module != "nf_conntrack" } else { true } }
        let after = run.acts[(load + 1)...].filter { !isItself($0) }
        return given.prefix(1) + before + after
    }
}

extension Writer {
    /// What to change where a writer's own text says what to set; nil where it only applies files of sysctl.d.
    static func cure(for acts: [Act], in files: Set<String>) -> String? {
        for case .write(let write) in acts {
            guard let evidence = write.evidence, files.contains(evidence.file) else { continue }
            return evidence.line.map { "change line \($0) of \(evidence.file)" } ?? "change \(evidence.file)"
        }
        return nil
    }
}
