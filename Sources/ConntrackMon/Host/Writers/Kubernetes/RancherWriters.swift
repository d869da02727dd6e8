// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// k3s and rke2. Both set the limit and both timeouts themselves when they start, from what kube-proxy is told by them, and
/// give kube-proxy 0 for each unless told otherwise (pkg/agent/run.go, pkg/agent/syssetup; since May 2021). They do so even
/// where kube-proxy is disabled. k3s has kube-proxy inside; rke2 makes a pod of it, which is seen like any other.
enum RancherWriters {
    static func all(_ sources: WriterSources) -> [Writer] {
        ["k3s", "rke2"].compactMap { RancherNode($0, sources)?.writer(sources) }
    }
}

/// One node's k3s or rke2 and its arguments.
private struct RancherNode {
    let name: String
    let evidence: Evidence
    let isRunning: Bool
    /// What kube-proxy is given.
    private var arguments: [KubeProxyFlags.Word] = []
    private var options: [String: String] = [:]
    private let read: (String) -> (file: String, text: String)?

    private static let fileLimit = 16

    /// nil where it is not there.
    init?(_ name: String, _ sources: WriterSources) {
        self.name = name
        let processes = KubeProcess.named([name, "\(name)-server", "\(name)-agent"], in: sources)
        let process = processes.lazy.map { ($0, RancherNode.words($0.words)) }.first { RancherNode.runs($0.1) }
        let unit = ["", "-server", "-agent"].lazy.compactMap { KubeUnit(name + $0, sources.tree) }
            .first { $0.isEnabled && RancherNode.runs($0.words) }
        let tree = sources.tree
        let configuration = "/etc/rancher/\(name)/config.yaml"
        isRunning = process != nil
        var words: [String] = []
        var isHidden = true
        if let (process, visible) = process {
            // They hide their arguments, which may hold a token: the unit has them.
            isHidden = RancherNode.arguments(visible).isEmpty
            words = isHidden ? unit?.words ?? visible : visible
            evidence = process.evidence
            read = process.read
        } else {
            read = { path in tree.text(path).map { (path, $0) } }
            if let unit {
                words = unit.words
                evidence = unit.evidence
            } else if !KubeProcess.areAll(sources), tree.exists(configuration) {
                evidence = Evidence(file: configuration, text: "")
            } else {
                return nil
            }
        }
        let given = RancherNode.arguments(words)
        let file = RancherNode.value("--config", in: given) ?? RancherNode.value("-c", in: given) ?? configuration
        takeFiles(file, tree)
        takeWords(given, in: isHidden ? unit : nil)
    }

    /// A title is one word: "/usr/local/bin/k3s server".
    private static func words(_ words: [String]) -> [String] {
        words.flatMap { $0.split(separator: " ").map(String.init) }
    }

    private static func runs(_ words: [String]) -> Bool {
        ["server", "agent"].contains(words.dropFirst().first { $0.first != "-" })
    }

    /// What stands behind "server" or "agent".
    private static func arguments(_ words: [String]) -> [String] {
        words.firstIndex { $0 == "server" || $0 == "agent" }.map { Array(words[($0 + 1)...]) } ?? []
    }

    private static func value(_ name: String, in words: [String]) -> String? {
        for (index, word) in words.enumerated() {
            if word.hasPrefix(name + "=") { return String(word.dropFirst(name.utf8.count + 1)) }
            if word == name, index + 1 < words.count { return words[index + 1] }
        }
        return nil
    }

    /// config.yaml and the files of config.yaml.d in the order of their names: a later one takes the place of an earlier
    /// one's key, or adds to it where the key ends in "+".
    private mutating func takeFiles(_ file: String, _ tree: FileTree) {
        let folder = file + ".d"
        let names = (tree.names(in: folder) ?? []).filter {
            let name = $0.lowercased()
            return name.hasSuffix(".yaml") || name.hasSuffix(".yml")
        }
        for path in [file] + names.prefix(Self.fileLimit).map({ "\(folder)/\($0)" }) {
            guard let (shown, text) = read(path), let root = YAMLText.documents(text)?.first else { continue }
            for entry in root.entries {
                let isMore = entry.key.last == "+"
                let key = isMore ? String(entry.key.dropLast()) : entry.key
                guard key == "kube-proxy-arg" else {
                    options[key] = entry.value.text ?? ""
                    continue
                }
                let words = entry.value.items.compactMap { item in
                    item.text.map {
                        KubeProxyFlags.Word(
                            text: $0, evidence: Evidence(file: shown, line: item.line, text: "\(entry.key): \($0)"))
                    }
                }
                arguments = isMore ? arguments + words : words
            }
        }
    }

    /// Those of the command line come after those of the files.
    private mutating func takeWords(_ words: [String], in unit: KubeUnit?) {
        func word(_ text: some StringProtocol) -> KubeProxyFlags.Word {
            let line = unit.map { Evidence(file: $0.file, line: $0.line, text: "--kube-proxy-arg=\(text)") }
            return .init(text: String(text), evidence: line)
        }
        var index = 0
        while index < words.count {
            let parts = words[index].split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let option = String(parts[0].drop { $0 == "-" })
            index += 1
            guard option == "kube-proxy-arg" else {
                if words[index - 1].hasPrefix("-") { options[option] = parts.count == 2 ? String(parts[1]) : "true" }
                continue
            }
            if parts.count == 2 {
                arguments.append(word(parts[1]))
            } else if index < words.count {
                arguments.append(word(words[index]))
                index += 1
            }
        }
    }

    private func isOn(_ option: String) -> Bool { options[option].map(KubeText.isTrue) ?? false }

    /// As they give it to kube-proxy: "name=value", with or without dashes; "+" and "-" at a name's end only order values.
    private func flags(_ defaults: [String]) -> KubeProxyFlags {
        let given = arguments.map { word -> KubeProxyFlags.Word in
            let text = word.text.hasPrefix("--") ? word.text.dropFirst(2) : word.text[...]
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            var name = parts[0]
            while let last = name.last, last == "+" || last == "-" { name.removeLast() }
            return .init(text: "--\(name)=\(parts.count == 2 ? parts[1] : "true")", evidence: word.evidence)
        }
        return KubeProxyFlags(defaults.map { .init(text: $0) } + given)
    }

    /// nil where it leaves everything alone.
    func writer(_ sources: WriterSources) -> Writer? {
        // Without privileges, or without an agent, it sets nothing.
        guard !isOn("rootless"), !isOn("disable-agent") else { return nil }
        let own = flags([])
        let load = Writer.Act.load(module: "nf_conntrack", nil)
        var acts = [load] + KubeProxySettings(own).ownActs(cores: sources.cores)
        let inner = flags([
            "--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0s",
            "--conntrack-tcp-timeout-close-wait=0s",
        ])
        let proxy = KubeProxy(
            name: name, flags: inner, evidence: evidence, version: nil, isRunning: isRunning, read: read)
        if name == "k3s", !isOn("disable-kube-proxy") { acts += proxy.writer(sources)?.acts ?? [] }
        return proxy.writer(acts, cure: KubeCure.arguments(of: name))
    }
}
