// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What the commands of a shell script, or of a line that a program gives to a shell or runs itself, do to conntrack.
enum ShellText {
    /// What a script does, from its first line on.
    static func acts(
        ofScript text: String, in file: String, arguments: [String] = [], sources: WriterSources
    ) -> [Writer.Act] {
        guard ScriptText.concernsUs(text), sources.shell.read(text) else { return [] }
        var run = ShellRun(sources, place: ShellPlace(file: file, text: text), arguments: arguments)
        run.run(ShellParser.parse(text))
        return run.acts
    }

    /// What one command line does; `evidence` is where it stands.
    static func acts(
        ofCommand line: String, at evidence: Evidence, variables: [String: String] = [:], sources: WriterSources
    ) -> [Writer.Act] {
        guard sources.shell.read(line) else { return [] }
        var run = ShellRun(sources, place: ShellPlace(evidence))
        run.variables.merge(variables) { $1 }
        run.run(ShellParser.parse(line))
        return run.acts
    }

    /// What a command does that is run without a shell: its words are taken as they are.
    static func acts(ofWords words: [String], at evidence: Evidence, sources: WriterSources) -> [Writer.Act] {
        var run = ShellRun(sources, place: ShellPlace(evidence))
        _ = run.run(words: words, line: 1, input: .empty)
        return run.acts
    }

    // MARK: Commands

    /// The name of the setting that a file is, be it the hash size under the name that the module has for it.
    static func setting(at path: String, _ sources: WriterSources) -> String? {
        let parts = path.split(separator: "/")
        let clean = parts.joined(separator: "/")
        let module = "sys/module/nf_conntrack/parameters/hashsize"
        if clean == module { return SettingNames.buckets }
        guard clean.hasPrefix("proc/sys/") else { return nil }
        let below = String(clean.dropFirst("proc/sys/".count))
        return sources.names.exists(below) ? parts.last.map(String.init) : nil
    }

    /// Those that run the command in their words: their options with a value of its own, and how many words of theirs
    /// come before it.
    private static let wrappers: [String: (values: Set<String>, words: Int)] = [
        "sudo": (["-u", "-g", "-p", "-C", "-h", "-r", "-t"], 0), "doas": (["-u", "-C"], 0), "nice": (["-n"], 0),
        "ionice": (["-c", "-n", "-p"], 0), "env": (["-u", "-C"], 0), "exec": (["-a"], 0), "nohup": ([], 0),
        "setsid": ([], 0), "time": ([], 0), "builtin": ([], 0), "busybox": ([], 0), "toybox": ([], 0),
        "daemon": ([], 0),
        "timeout": (["-s", "-k"], 1), "chrt": ([], 1), "taskset": ([], 1), "flock": (["-w", "-E"], 1),
        "action": ([], 1),
        "stdbuf": (["-i", "-o", "-e"], 0), "chronic": ([], 0), "systemd-cat": (["-t", "-p"], 0), "eatmydata": ([], 0),
        "command": ([], 0),
    ]

    /// The words of the command that another one runs: `sudo -n sysctl -p`; nil where it runs none.
    static func unwrapped(_ words: [String]) -> [String]? {
        guard let first = words.first, let name = first.split(separator: "/").last.map(String.init),
            let wrapper = wrappers[name]
        else { return nil }
        var rest = words.dropFirst()
        if name == "command", let option = rest.first, option.lowercased() == "-v" { return nil }
        while let word = rest.first {
            let isAssignment = (name == "env" || name == "sudo") && word.contains("=") && !word.hasPrefix("/")
            guard word.hasPrefix("-") || isAssignment else { break }
            rest.removeFirst()
            if wrapper.values.contains(word) { _ = rest.popFirst() }
            if word == "--" { break }
        }
        rest = rest.dropFirst(wrapper.words)
        // `flock FILE -c 'text'`.
        if name == "flock", rest.first == "-c" { return ["sh"] + rest }
        return rest.isEmpty ? nil : Array(rest)
    }

    /// What is asked of which services: `systemctl restart a b`, `service a restart`, `/etc/init.d/a restart`.
    static func serviceCall(_ name: String, _ words: [String]) -> (verb: String, services: [String])? {
        func service(_ word: String) -> String { word.hasSuffix(".service") ? String(word.dropLast(8)) : word }
        switch name {
        case "systemctl", "initctl":
            guard words.count > 1 else { return nil }
            return (words[0], words.dropFirst().map(service))
        case "service", "rc-service", "invoke-rc.d":
            guard words.count > 1 else { return nil }
            return (words[1], [service(words[0])])
        case "start", "restart": return words.first.map { (name, [$0]) }
        default: return words.first.map { ($0, [name]) }
        }
    }

    /// The module that the kernel loads for a rule of iptables that needs nf_conntrack.
    static func module(ofRule words: [String]) -> String? {
        for (option, value) in zip(words, words.dropFirst()) {
            switch (option, value) {
            case ("-m", "conntrack"), ("-m", "state"), ("-m", "connlimit"), ("-m", "connbytes"), ("-m", "connmark"),
                ("--match", "conntrack"), ("--match", "state"):
                return "xt_conntrack"
            case ("-t", "nat"), ("--table", "nat"): return "iptable_nat"
            case ("-j", "CT"), ("--jump", "CT"): return "xt_CT"
            default: break
            }
        }
        return nil
    }
}
