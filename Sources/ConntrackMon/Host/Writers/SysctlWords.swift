// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What the words of a command make a sysctl program do. Pure.
extension SysctlRun {
    /// One thing that a sysctl program does.
    enum Step: Equatable, Sendable {
        /// It applies files.
        case run(SysctlRun)
        /// It sets what its command line says. The key as written there, which may have blanks around it.
        case assign(key: String, value: String)
    }

    /// What a command sets, in its order: `sysctl`, `systemd-sysctl` or `busybox sysctl`, with a path or without.
    /// - Parameter words: The command and its arguments, as a shell hands them over.
    /// - Returns: [] for one that only shows settings; nil where it is another program.
    static func of(words: [String]) -> [Step]? {
        guard let first = words.first else { return nil }
        switch first.split(separator: "/").last {
        case "sysctl": return procps(Array(words.dropFirst()))
        case "systemd-sysctl": return systemd(Array(words.dropFirst()))
        case "busybox" where words.dropFirst().first == "sysctl": return busybox(Array(words.dropFirst(2)))
        default: return nil
        }
    }

    private static let mainFile = "/etc/sysctl.conf"

    // MARK: procps

    private static func procps(_ words: [String]) -> [Step] {
        var options = Options(words, short: "bneNwfoxaAXVdhq", withValue: "r", mayHaveValue: "pf", long: procpsLong)
        var (pattern, patternOfSystem): (String?, String?)
        var (hasSystem, loads, shows, isDry, load) = (false, false, false, false, String?.none)
        options: while let option = options.next() {
            switch option.name {
            case "h", "V", "d", "?":
                shows = true
                break options
            case "a", "A", "X": shows = true
            case "dry-run": (shows, isDry) = (true, isDry || !hasSystem)
            case "r": pattern = option.value
            case "p", "f": (loads, load) = (true, option.value ?? load)
            case "system" where !hasSystem: (hasSystem, patternOfSystem) = (true, pattern)
            default: break
            }
        }
        if hasSystem && !isDry {
            // Up to 4.0.5 it reads all at once when it comes to --system, and heeds nothing that follows.
            var steps: [Step] = [.run(SysctlRun(reader: .procps, filter: filter(pattern)))]
            if shows || pattern != patternOfSystem {
                let early = SysctlRun(reader: .procps, filter: filter(patternOfSystem), certainty: .may)
                steps = [.run(early)] + (shows ? [] : steps)
            }
            return steps
        }
        if shows { return [] }
        if loads {
            let files = [load].compactMap { $0 } + options.operands
            return [
                .run(SysctlRun(reader: .procps, files: files.isEmpty ? [mainFile] : files, filter: filter(pattern)))
            ]
        }
        return options.operands.compactMap(assignment)
    }

    private static let procpsLong: [(name: String, value: Options.Value, short: String?)] = [
        ("all", .none, "a"), ("deprecated", .none, nil), ("dry-run", .none, nil), ("binary", .none, "b"),
        ("ignore", .none, "e"), ("names", .none, "N"), ("values", .none, "n"), ("load", .optional, "p"),
        ("quiet", .none, "q"), ("write", .none, "w"), ("system", .none, nil), ("pattern", .needed, "r"),
        ("help", .none, "h"), ("version", .none, "V"),
    ]

    private static func filter(_ pattern: String?) -> Filter { pattern.map { .pattern($0) } ?? .all }

    /// A word without an equals sign is a key to show.
    private static func assignment(_ word: String) -> Step? {
        guard let equals = word.firstIndex(of: "="), equals != word.startIndex else { return nil }
        return .assign(key: String(word[..<equals]), value: String(word[word.index(after: equals)...]))
    }

    // MARK: systemd-sysctl

    private static func systemd(_ words: [String]) -> [Step] {
        var options = Options(words, short: "h", withValue: "", mayHaveValue: "", long: systemdLong)
        var (prefixes, isInline): ([String], Bool) = ([], false)
        while let option = options.next() {
            switch option.name {
            case "prefix": prefixes.append(option.value ?? "")
            case "inline": isInline = true
            case "no-pager", "strict", "verify": break
            default: return []
            }
        }
        if isInline { return options.operands.compactMap(assignment) }
        let filter: Filter = prefixes.isEmpty ? .all : .prefixes(prefixes)
        let files = options.operands.isEmpty ? nil : options.operands
        return [.run(SysctlRun(reader: .systemd, files: files, filter: filter))]
    }

    private static let systemdLong: [(name: String, value: Options.Value, short: String?)] = [
        ("help", .none, "h"), ("version", .none, nil), ("cat-config", .none, nil), ("tldr", .none, nil),
        ("prefix", .needed, nil), ("no-pager", .none, nil), ("strict", .none, nil), ("inline", .none, nil),
        ("verify", .none, nil), ("dry-run", .none, nil),
    ]

    // MARK: busybox

    /// It knows no long options, and none after its first operand.
    private static func busybox(_ words: [String]) -> [Step] {
        let flags = words.prefix { $0.hasPrefix("-") && $0 != "-" && $0 != "--" }
        var operands = Array(words.dropFirst(flags.count))
        if operands.first == "--" { operands.removeFirst() }
        let letters = flags.joined().filter { $0 != "-" }
        guard !flags.contains(where: { $0.hasPrefix("--") }), letters.allSatisfy("neAapwq".contains) else { return [] }
        if letters.contains("p") {
            return [.run(SysctlRun(reader: .procps, files: operands.isEmpty ? [mainFile] : operands))]
        }
        return letters.contains { $0 == "a" || $0 == "A" } ? [] : operands.compactMap(assignment)
    }
}

/// Words taken apart as getopt_long(3) does it: options may follow operands, and long ones be cut short.
private struct Options {
    enum Value { case none, optional, needed }

    /// What is no option, as far as it was come to.
    private(set) var operands: [String] = []
    private var words: ArraySlice<String>
    private var letters: Substring = ""
    private let (short, withValue, mayHaveValue): (String, String, String)
    private let long: [(name: String, value: Value, short: String?)]

    init(
        _ words: [String], short: String, withValue: String, mayHaveValue: String,
        long: [(name: String, value: Value, short: String?)]
    ) {
        (self.words, self.short, self.withValue) = (words[...], short, withValue)
        (self.mayHaveValue, self.long) = (mayHaveValue, long)
    }

    /// The next option, by its letter where it has one; "?" for one that there is not.
    mutating func next() -> (name: String, value: String?)? {
        if let letter = letters.popFirst() { return one(letter) }
        while let word = words.popFirst() {
            if word == "--" {
                operands += words
                words = []
                return nil
            }
            if word.hasPrefix("--") { return long(word.dropFirst(2)) }
            guard word.hasPrefix("-"), word != "-" else {
                operands.append(word)
                continue
            }
            letters = word.dropFirst()
            return letters.popFirst().map { one($0) }
        }
        return nil
    }

    private mutating func one(_ letter: Character) -> (name: String, value: String?) {
        if short.contains(letter) { return (String(letter), nil) }
        let rest = letters.isEmpty ? nil : String(letters)
        letters = ""
        if mayHaveValue.contains(letter) { return (String(letter), rest) }
        guard withValue.contains(letter), let value = rest ?? words.popFirst() else { return ("?", nil) }
        return (String(letter), value)
    }

    private mutating func long(_ text: Substring) -> (name: String, value: String?) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = parts.first ?? ""
        let found = long.filter { $0.name.hasPrefix(name) }
        guard let option = long.first(where: { $0.name == name }) ?? (found.count == 1 ? found[0] : nil) else {
            return ("?", nil)
        }
        var value = parts.count > 1 ? String(parts[1]) : nil
        switch option.value {
        case .none where value != nil: return ("?", nil)
        case .needed where value == nil:
            guard let word = words.popFirst() else { return ("?", nil) }
            value = word
        default: break
        }
        return (option.short ?? option.name, value)
    }
}
