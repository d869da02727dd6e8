// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What single commands do.
extension ShellRun {
    /// Those that end well, whatever they do, and print nothing that counts.
    private static let harmless: Set<String> = [
        "sleep", "logger", "mkdir", "touch", "cd", "chmod", "chown", "umask", "ulimit", "sync", "renice", "set",
        "alias", "shopt", "wait", "log_daemon_msg", "log_progress_msg", "log_end_msg", "log_success_msg",
    ]

    /// Runs a command whose words are expanded.
    mutating func run(words: [String], line: Int, input: ShellStream) -> Result {
        guard let first = words.first, !first.contains(ShellRun.unknown) else {
            isUnderstood = false
            return (.unknown, .unknown)
        }
        let name = String(first.split(separator: "/").last ?? "")
        let rest = Array(words.dropFirst())
        if let inner = ShellText.unwrapped(words) {
            let result = run(words: inner, line: line, input: input)
            if name == "exec" { leave(.exit) }
            return result
        }
        if let result = builtin(name, rest, line: line, input: input) { return result }
        switch name {
        case "sysctl", "systemd-sysctl": return sysctl([name] + rest, line: line, input: input)
        case "modprobe", "insmod", "rmmod": return module(name, rest, line: line)
        case "tee":
            for file in rest where !file.hasPrefix("-") { write(input, to: file, line: line) }
            return (.yes, input)
        case "dd":
            for word in rest where word.hasPrefix("of=") { write(input, to: String(word.dropFirst(3)), line: line) }
            return (.yes, .empty)
        case "systemctl", "service", "rc-service", "initctl", "invoke-rc.d", "procps", "procps.sh", "start", "restart":
            return service(name, rest, line: line)
        case "iptables", "ip6tables", "iptables-legacy", "ip6tables-legacy":
            if let module = ShellText.module(ofRule: rest) { load(module, line: line) }
            return (.unknown, .unknown)
        case "sh", "bash", "ash", "dash", "ksh", "zsh": return shell(rest, line: line, input: input)
        default: break
        }
        if first.hasPrefix("/") { return follow(first, arguments: rest, isSourced: false) }
        let own = ["/usr/local/sbin/", "/usr/local/bin/"].map { $0 + first }
        guard !first.contains("/"), let path = own.first(where: sources.tree.exists) else {
            isUnderstood = false
            return (.unknown, .unknown)
        }
        return follow(path, arguments: rest, isSourced: false)
    }

    // MARK: Parts of the shell, and what prints

    private mutating func builtin(_ name: String, _ words: [String], line: Int, input: ShellStream) -> Result? {
        switch name {
        case "true", ":": return (.yes, .empty)
        case "false": return (.no, .empty)
        case "test": return (condition(words), .empty)
        case "[", "[[": return (condition(Array(words.dropLast())), .empty)
        case "exit": leave(.exit)
        case "return": leave(.function)
        case "break", "continue": leave(.loop)
        case "export", "local", "readonly", "declare", "typeset":
            for word in words {
                let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
            }
        case "unset": for word in words { variables[word] = nil }
        case "read": for word in words where !word.hasPrefix("-") { variables[word] = String(ShellRun.unknown) }
        case "shift":
            for index in 1..<9 { variables["\(index)"] = variables["\(index + 1)"] }
            for name in ["9", "@", "*", "#"] { variables[name] = String(ShellRun.unknown) }
        case "eval": return nested(words.joined(separator: " "), line: line, input: input)
        case "trap":
            // It is run at the end, whatever comes between.
            guard words.count == 2, words[1] == "EXIT" || words[1] == "0" else { break }
            _ = nested(words[0], line: line)
        case ".", "source":
            guard let file = words.first else { return (.unknown, .empty) }
            return follow(file, arguments: Array(words.dropFirst()), isSourced: true)
        case "echo": return (.yes, .text(ShellRun.echo(words)))
        case "printf": return (.yes, .text(ShellRun.printf(words)))
        case "cat":
            let files = words.filter { !$0.hasPrefix("-") }
            return (.unknown, files.isEmpty ? input : .files(files, with: nil))
        case "lsmod": return (.yes, .files(["/proc/modules"], with: nil))
        case "grep", "fgrep", "egrep":
            return (asksForModule(words, input) ? .loaded : .unknown, grep(words, input: input))
        case "nproc": return (.yes, .text(sources.cores.map { "\($0)" } ?? String(ShellRun.unknown)))
        case "command", "which", "type", "hash":
            let program = words.last.flatMap { $0.split(separator: "/").last } ?? ""
            return (["sysctl", "modprobe"].contains(program) ? .yes : .unknown, .unknown)
        default: return ShellRun.harmless.contains(name) ? (.yes, .empty) : nil
        }
        return (.yes, .empty)
    }

    private static func echo(_ words: [String]) -> String {
        let isOption = { (word: String) in
            word.count > 1 && word.hasPrefix("-") && word.dropFirst().allSatisfy { "neE".contains($0) }
        }
        let options = words.prefix(while: isOption)
        let end = options.contains { $0.contains("n") } ? "" : "\n"
        return words.dropFirst(options.count).joined(separator: " ") + end
    }

    private static func printf(_ words: [String]) -> String {
        let words = words.first == "--" ? Array(words.dropFirst()) : words
        guard let format = words.first else { return "" }
        var arguments = words.dropFirst()
        var text = ""
        var characters = format.makeIterator()
        while let character = characters.next() {
            if character == "%" {
                switch characters.next() {
                case "s", "d", "u", "i": text += arguments.popFirst() ?? ""
                case "%": text += "%"
                default: return String(unknown)
                }
            } else if character == "\\" {
                switch characters.next() {
                case "n": text += "\n"
                case "t": text += "\t"
                default: return String(unknown)
                }
            } else {
                text.append(character)
            }
        }
        return arguments.isEmpty || !format.contains("%") ? text : String(unknown)
    }

    /// `lsmod | grep -q nf_conntrack`, `grep -q nf_conntrack /proc/modules`.
    private func asksForModule(_ words: [String], _ input: ShellStream) -> Bool {
        let plain = words.filter { !$0.hasPrefix("-") }
        guard let word = plain.first, occurs("nf_conntrack", in: word), !words.contains("-v") else { return false }
        return plain.count > 1 ? plain[1] == "/proc/modules" : input == .files(["/proc/modules"], with: nil)
    }

    /// `fgrep WORD FILE`: the lines that hold a word as it is written.
    private func grep(_ words: [String], input: ShellStream) -> ShellStream {
        let plain = words.filter { !$0.hasPrefix("-") }
        let options = words.filter { $0.hasPrefix("-") }
        let isFixed =
            plain.first.map { !$0.contains { "[]*^$\\+?(){}|".contains($0) || $0 == ShellRun.unknown } } ?? false
        guard isFixed, options.allSatisfy({ ["-F", "-h", "-s", "--"].contains($0) }) else { return .unknown }
        if plain.count > 1 { return .files(Array(plain.dropFirst()), with: [plain[0]]) }
        guard case .files(let files, nil) = input else { return .unknown }
        return .files(files, with: [plain[0]])
    }

    // MARK: sysctl

    private mutating func sysctl(_ words: [String], line: Int, input: ShellStream) -> Result {
        for step in SysctlRun.of(words: words) ?? [] {
            switch step {
            case .assign(let key, let value): assign(key, value, line: line)
            case .run(let run) where run.files == ["-"] || run.files == ["/dev/stdin"]: apply(input, run, line: line)
            case .run(let run): apply(run)
            }
        }
        return (.yes, .unknown)
    }

    private mutating func assign(_ key: String, _ value: String, line: Int) {
        let path = "/proc/sys/" + SysctlSyntax.normalized(key)
        if let name = ShellText.setting(at: path, sources) { note(setting: name, value, line: line) }
    }

    private mutating func apply(_ run: SysctlRun) {
        let files = run.files ?? []
        if files.contains(where: { $0.contains(ShellRun.unknown) }) { return }
        for act in run.acts(in: sources) { note(act) }
    }

    /// `sysctl -p -`.
    private mutating func apply(_ input: ShellStream, _ run: SysctlRun, line: Int) {
        var run = run
        switch input {
        case .files(let files, let words):
            run.files = files
            if let words { run.filter = .lines(with: words) }
            apply(run)
        case .text(let text):
            for assignment in SysctlSyntax.parse(text, by: run.reader).assignments {
                if let value = assignment.value { assign(assignment.writtenAs, value, line: line) }
            }
        case .unknown: break
        }
    }

    /// What starts the service that applies sysctl configuration. systemd's is active from the boot on, and only a
    /// restart runs it again.
    private mutating func service(_ name: String, _ words: [String], line: Int) -> Result {
        let plain = words.filter { !$0.hasPrefix("-") }
        guard let call = ShellText.serviceCall(name, plain) else { return (.unknown, .unknown) }
        let services = ["systemd-sysctl", "procps", "sysctl", "procps.sh"]
        guard let service = call.services.first(where: services.contains) else { return (.unknown, .unknown) }
        let isSystemd = sources.initSystem == .systemd
        let verbs =
            isSystemd
            ? ["restart", "force-reload", "reload-or-restart", "try-restart"]
            : ["start", "restart", "force-reload", "reload"]
        guard verbs.contains(call.verb), isSystemd ? service != "sysctl" : true else { return (.unknown, .unknown) }
        let run = SysctlRun(reader: isSystemd ? .systemd : .procps, files: nil)
        for act in run.acts(in: sources) { note(act) }
        return (.yes, .empty)
    }

    // MARK: Modules

    private mutating func module(_ name: String, _ words: [String], line: Int) -> Result {
        guard let call = ModprobeCall(name, words) else { return (.yes, .unknown) }
        if call.removes {
            if call.modules.contains(where: { $0.replacing("-", with: "_") == "nf_conntrack" }) {
                isUnloaded = certainty == .certain
            }
            return (.unknown, .empty)
        }
        for module in call.modules {
            if name == "modprobe", !call.ignoresInstall, module.replacing("-", with: "_") == installed { continue }
            load(module, call.hashsize, line: line)
        }
        return (.yes, .empty)
    }

    private mutating func load(_ module: String, _ hashsize: UInt64? = nil, line: Int) {
        guard ModuleNames.brings(module, release: sources.release) else { return }
        let evidence = place.evidence(line)
        if let hashsize, module.replacing("-", with: "_") == "nf_conntrack" {
            note(.loadWith(hashsize: hashsize, isReload: isUnloaded, evidence))
        } else {
            note(isUnloaded ? .reload(evidence) : .load(module: module, evidence))
        }
        isUnloaded = false
    }

    // MARK: Shells

    private mutating func shell(_ words: [String], line: Int, input: ShellStream) -> Result {
        let options = words.prefix { $0.hasPrefix("-") && $0 != "-" && $0 != "--" }
        let rest = Array(words.dropFirst(options.count))
        if options.contains(where: { !$0.hasPrefix("--") && $0.contains("c") }) {
            guard let text = rest.first else { return (.unknown, .unknown) }
            return nested(text, line: line, arguments: Array(rest.dropFirst(2)))
        }
        if options.contains(where: { $0.contains("n") && !$0.hasPrefix("--") }) { return (.unknown, .unknown) }
        if let file = rest.first { return follow(file, arguments: Array(rest.dropFirst()), isSourced: false) }
        guard case .text(let text) = input else { return (.unknown, .unknown) }
        return nested(text, line: line)
    }

    // MARK: test

    private func condition(_ words: [String]) -> ShellTruth {
        if words.first == "!" { return condition(Array(words.dropFirst())).negated }
        if words.contains(where: { ["-a", "-o", "&&", "||", "(", ")", "=~", "<", ">"].contains($0) }) {
            return .unknown
        }
        switch words.count {
        case 0: return .no
        case 1: return words[0].contains(ShellRun.unknown) ? .unknown : ShellTruth(!words[0].isEmpty)
        case 2:
            let isUnknown = words[1].contains(ShellRun.unknown)
            switch words[0] {
            case "-n": return isUnknown ? .unknown : ShellTruth(!words[1].isEmpty)
            case "-z": return isUnknown ? .unknown : ShellTruth(words[1].isEmpty)
            case "-e", "-f", "-r", "-w", "-x", "-d", "-s", "-a": return isUnknown ? .unknown : exists(words[1])
            default: return .unknown
            }
        case 3:
            guard !words[0].contains(ShellRun.unknown), !words[2].contains(ShellRun.unknown) else { return .unknown }
            switch words[1] {
            case "=", "==": return ShellTruth(fnmatches(words[2], words[0]))
            case "!=": return ShellTruth(!fnmatches(words[2], words[0]))
            default: return ShellRun.compare(words)
            }
        default: return .unknown
        }
    }

    private static func compare(_ words: [String]) -> ShellTruth {
        guard let left = Int(words[0]), let right = Int(words[2]) else { return .unknown }
        switch words[1] {
        case "-eq": return ShellTruth(left == right)
        case "-ne": return ShellTruth(left != right)
        case "-lt": return ShellTruth(left < right)
        case "-le": return ShellTruth(left <= right)
        case "-gt": return ShellTruth(left > right)
        case "-ge": return ShellTruth(left >= right)
        default: return .unknown
        }
    }

    /// Whether a file is there. Settings are where the module is; programs that every host has need not be in a saved
    /// tree.
    private func exists(_ path: String) -> ShellTruth {
        let settings = ["/proc/sys/net/netfilter", "/proc/sys/net/nf_conntrack", "/sys/module/nf_conntrack"]
        if settings.contains(where: path.hasPrefix) { return .loaded }
        let name = path.split(separator: "/").last ?? ""
        if name == "sysctl" || name == "modprobe" { return .yes }
        if sources.tree.exists(path) { return .yes }
        return sources.tree.root.isEmpty && path.hasPrefix("/") ? .no : .unknown
    }
}
