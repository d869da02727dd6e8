// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// The event of a module's load, as udev's rules see it, and what they do to it.
struct UdevEvent {
    struct Command: Equatable {
        var text: String
        var isBuiltin: Bool
        var isSure: Bool
        var evidence: Evidence
    }

    let module: String
    let tree: FileTree
    /// What is run while rules are still being read, and settings that rules set themselves.
    private(set) var early: [Early] = []
    private(set) var commands: [Command] = []
    private var isFinal = false
    private var environment: [String: String?]

    enum Early: Equatable {
        case command(Command)
        case setting(path: String, value: String, isSure: Bool, Evidence)
    }

    init(module: String, tree: FileTree) {
        self.module = module
        self.tree = tree
        environment = ["ACTION": "add", "SUBSYSTEM": "module", "DEVPATH": "/module/\(module)"]
    }

    /// Goes through the rules of a file.
    mutating func apply(_ rules: [(rule: UdevRule, evidence: Evidence)]) {
        var index = 0
        // Up to here rules may have been jumped over.
        var doubtful = 0
        while index < rules.count {
            let (rule, evidence) = rules[index]
            index += 1
            guard let isMatched = matches(rule, evidence, isSure: index > doubtful) else { continue }
            let isSure = isMatched && index > doubtful
            for token in rule.tokens where !token.isMatch { act(token, isSure: isSure, evidence) }
            guard let label = rule.tokens.last(where: { $0.key == "GOTO" && !$0.isMatch })?.value,
                let end = rules[index...].firstIndex(where: { rule, _ in
                    rule.tokens.contains { $0.key == "LABEL" && $0.value == label }
                })
            else { continue }
            if isSure { index = end } else { doubtful = max(doubtful, end) }
        }
    }

    /// Whether a rule fits for sure; nil where it does not.
    private mutating func matches(_ rule: UdevRule, _ evidence: Evidence, isSure: Bool) -> Bool? {
        var isCertain = true
        let isRun = { (token: UdevRule.Token) in token.key == "PROGRAM" || token.key == "IMPORT" }
        for token in rule.tokens where token.isMatch && !isRun(token) {
            switch fits(token) {
            case .no: return nil
            case .unknown, .missing: isCertain = false
            case .yes, .loaded: break
            }
        }
        for token in rule.tokens where isRun(token) {
            isCertain = false
            guard token.key == "PROGRAM" || token.attribute == "program" else { continue }
            early.append(
                .command(
                    Command(
                        text: substituted(token.value), isBuiltin: false, isSure: isSure, evidence: evidence)))
        }
        return isCertain
    }

    private func fits(_ token: UdevRule.Token) -> ShellTruth {
        let value: String
        switch token.key {
        case "ACTION": value = "add"
        case "DEVPATH": value = "/module/" + module
        case "KERNEL", "KERNELS": value = module
        case "SUBSYSTEM", "SUBSYSTEMS": value = "module"
        case "DRIVER", "DRIVERS", "NAME": value = ""
        // It has none, be it an empty one.
        case "TAG", "TAGS", "SYMLINK": return ShellTruth(token.mark == "!=")
        case "ENV":
            switch environment[token.attribute ?? ""] {
            case .some(.none): return .unknown
            case .some(.some(let known)): value = known
            case .none: value = ""
            }
        case "TEST":
            let settings = ["/proc/sys/net/netfilter", "/proc/sys/net/nf_conntrack", "/sys/module/nf_conntrack"]
            let isThere = settings.contains(where: token.value.hasPrefix) || tree.exists(token.value)
            guard token.value.hasPrefix("/"), isThere else { return .unknown }
            return ShellTruth(token.mark == "==")
        default: return .unknown
        }
        return ShellTruth(UdevRule.matches(token.value, value) == (token.mark == "=="))
    }

    private mutating func act(_ token: UdevRule.Token, isSure: Bool, _ evidence: Evidence) {
        switch token.key {
        case "RUN":
            guard ["program", "builtin", nil].contains(token.attribute), !isFinal, token.mark != "-=" else { return }
            if token.mark != "+=", isSure { commands = [] }
            if token.mark == ":=", isSure { isFinal = true }
            let text = substituted(token.value)
            let isBuiltin = token.attribute == "builtin"
            // udev keeps one of the same.
            guard !text.isEmpty, !commands.contains(where: { $0.text == text && $0.isBuiltin == isBuiltin }) else {
                return
            }
            commands.append(Command(text: text, isBuiltin: isBuiltin, isSure: isSure, evidence: evidence))
        case "SYSCTL":
            early.append(
                .setting(
                    path: substituted(token.attribute ?? ""), value: substituted(token.value), isSure: isSure, evidence)
            )
        case "ENV":
            let value = token.mark == "=" && isSure ? substituted(token.value) : nil
            environment.updateValue(value, forKey: token.attribute ?? "")
        default: break
        }
    }

    private static let long = [
        "kernel", "number", "devpath", "id", "driver", "attr", "sysfs", "env", "major", "minor", "result", "parent",
        "name",
        "links", "root", "sys", "devnode", "tempnode",
    ]

    /// A value with what stands for parts of the event replaced.
    private func substituted(_ text: String) -> String {
        guard text.contains(where: { $0 == "%" || $0 == "$" }) else { return text }
        var result = ""
        var rest = text[...]
        while let character = rest.popFirst() {
            guard character == "%" || character == "$", let next = rest.first else {
                result.append(character)
                continue
            }
            if next == character {
                result.append(character)
                rest.removeFirst()
                continue
            }
            var name: String?
            if character == "%" {
                let letters: [Character: String] = [
                    "k": "kernel", "n": "number", "p": "devpath", "b": "id", "s": "attr", "E": "env", "c": "result",
                    "r": "root", "S": "sys", "N": "devnode", "P": "parent", "d": "driver", "M": "major", "m": "minor",
                ]
                name = letters[next]
                if name != nil { rest.removeFirst() }
            } else if let found = UdevEvent.long.first(where: rest.hasPrefix) {
                name = found
                rest = rest.dropFirst(found.count)
            }
            guard let name else {
                result.append(character)
                continue
            }
            var attribute = ""
            if rest.first == "{", let end = rest.firstIndex(of: "}") {
                attribute = String(rest[rest.index(after: rest.startIndex)..<end])
                rest = rest[rest.index(after: end)...]
            }
            result += value(of: name, attribute)
        }
        return result
    }

    private func value(of name: String, _ attribute: String) -> String {
        switch name {
        case "kernel", "name": return module
        case "devpath": return "/module/" + module
        case "root": return "/dev"
        case "sys": return "/sys"
        case "driver", "number", "id": return ""
        case "env":
            if case .some(let value) = environment[attribute] { return value ?? String(ShellRun.unknown) }
            return ""
        default: return String(ShellRun.unknown)
        }
    }

    /// What programs see of the event.
    var variables: [String: String] { environment.compactMapValues { $0 } }
}
