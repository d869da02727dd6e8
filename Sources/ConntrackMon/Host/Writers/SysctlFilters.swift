// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import Glibc

/// systemd-sysctl's --prefix.
struct SysctlPrefixes {
    /// Paths below /proc/sys; nil where all pass.
    fileprivate let folders: [(path: String, certainty: Certainty)]?

    init(_ filter: SysctlRun.Filter, _ sources: WriterSources) {
        guard case .prefixes(let texts) = filter else {
            folders = nil
            return
        }
        folders = texts.prefix(64).compactMap { text in
            let path = SysctlSyntax.normalized(text)
            // A prefix of nothing but separators passes no key that is no glob (252).
            if path.isEmpty { return text.isEmpty ? ("", .certain) : nil }
            guard let below = path.split(separator: "/", maxSplits: 2).dropFirst(2).first,
                path.hasPrefix("proc/sys/")
            else { return (path, .certain) }
            // 239 took it from the top of the tree, 252 finds nothing there.
            switch SysctlReader.isSystemd245(sources) {
            case .certain: return nil
            case nil: return (String(below), .certain)
            case .some: return (String(below), .may)
            }
        }
    }

    /// Whether a path does; nil for one that does not.
    func passes(_ path: String) -> Certainty? {
        guard let folders else { return .certain }
        return folders.filter { $0.path.isEmpty || path == $0.path || path.hasPrefix($0.path + "/") }
            .map(\.certainty).max()
    }
}

extension SysctlPrefixes {
    /// Whether a glob may reach what passes. Its parts are held against those of the prefix without a look at braces,
    /// which count only behind it (252, tried).
    func mayPass(glob: String) -> Bool {
        guard let folders else { return true }
        let parts = glob.split(separator: "/")
        return folders.contains { folder in
            let own = folder.path.split(separator: "/")
            return own.count <= parts.count && zip(parts, own).allSatisfy { globMatches(String($0), String($1)) }
        }
    }
}

/// procps' --pattern.
final class SysctlPattern {
    private let generation: ProcpsGeneration?
    private var expression = regex_t()
    private let state: State

    private enum State { case compiled, bad, unknown }

    /// nil for a run without one.
    init?(_ filter: SysctlRun.Filter, _ sources: WriterSources) {
        guard case .pattern(let text) = filter else { return nil }
        generation = ProcpsGeneration(of: sources.tree)
        if !SysctlPattern.isHarmless(text) {
            state = .unknown
        } else {
            state = regcomp(&expression, text, REG_EXTENDED | REG_NOSUB) == 0 ? .compiled : .bad
        }
    }

    deinit {
        if state == .compiled { regfree(&expression) }
    }

    /// Whether a line passes; `.unknown` for one that does not.
    func certainty(of line: String) -> Certainty {
        if state == .unknown { return .may }
        // procps 4 holds it against the line with its end, 3 against the key, dash and all.
        lazy var four = matches(line + "\n")
        lazy var three = matches(String(line.prefix { $0 != "=" }).trimmed)
        switch generation {
        case .three: return three ? .certain : .unknown
        case .four: return four ? .certain : .unknown
        case nil: return three && four ? .certain : three || four ? .may : .unknown
        }
    }

    /// One that can't be compiled passes nothing.
    private func matches(_ text: String) -> Bool {
        state == .compiled && regexec(&expression, text, 0, nil, 0) == 0
    }

    /// Repeat counts and back references can take glibc's matcher any amount of memory and time.
    private static func isHarmless(_ text: String) -> Bool {
        guard text.utf8.count <= 256, !text.contains("{") else { return false }
        return !zip(text, text.dropFirst()).contains { $0 == "\\" && $1.isNumber }
    }
}
