// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// The lines of modprobe.d that decide how modules are loaded, in kmod's order.
struct ModprobeDirectives: Sendable {
    enum Kind: String, Sendable { case install, options, softdep, alias, blacklist }

    struct Directive: Sendable {
        var kind: Kind
        /// A module's name with underscores; may be a pattern in `install`, `options`, `softdep` and `alias`.
        var module: String
        var rest: [String]
        var evidence: Evidence
    }

    private(set) var all: [Directive] = []

    init(tree: FileTree) {
        var files = ModuleConfiguration.files("modprobe.d", ".conf", in: tree).filter { file in
            file.split(separator: "/").last.map { !$0.hasPrefix(".") } ?? false
        }
        // module-init-tools read it; kmod does not.
        if !SysctlReader.hasSystemd(tree) { files.insert("/etc/modprobe.conf", at: 0) }
        for file in files {
            guard let text = tree.text(file),
                occurs("conntrack", in: text) || occurs("install", in: text) || occurs("softdep", in: text)
            else { continue }
            for (number, line) in ModuleConfiguration.lines(of: text) {
                let words = line.split(separator: " ").map(String.init)
                guard words.count > 1, let kind = Kind(rawValue: words[0]), words.count > 2 || kind == .blacklist else {
                    continue
                }
                all.append(
                    Directive(
                        kind: kind, module: words[1].replacing("-", with: "_"), rest: Array(words.dropFirst(2)),
                        evidence: Evidence(file: file, line: number, text: line)))
            }
        }
    }

    /// Those that are about a module. Patterns are shell patterns.
    func of(_ kind: Kind, _ module: String) -> [Directive] {
        all.filter { $0.kind == kind && ($0.module == module || fnmatches($0.module, module)) }
    }

    /// The dependency line that counts: the first one, and only where it names something.
    func softdep(of module: String) -> (pre: [String], post: [String], evidence: Evidence)? {
        guard let first = of(.softdep, module).first else { return nil }
        var (pre, post, isPost): ([String], [String], Bool?) = ([], [], nil)
        for word in first.rest {
            switch (word, isPost) {
            case ("pre:", _): isPost = false
            case ("post:", _): isPost = true
            case (_, false?): pre.append(word.replacing("-", with: "_"))
            case (_, true?): post.append(word.replacing("-", with: "_"))
            default: break
            }
        }
        return pre.isEmpty && post.isEmpty ? nil : (pre, post, first.evidence)
    }

    /// The install line that counts: the first one. kmod passes over it where a softdep line names something.
    func install(of module: String) -> Directive? {
        softdep(of: module) == nil ? of(.install, module).first : nil
    }
}
