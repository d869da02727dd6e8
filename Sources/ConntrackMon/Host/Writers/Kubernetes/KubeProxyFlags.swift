// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// The words that a kube-proxy is started with. Pure.
struct KubeProxyFlags: Equatable, Sendable {
    struct Flag: Equatable, Sendable {
        var value: String
        var evidence: Evidence?
    }

    /// One word, and where it stands; nil where the writer's own evidence says it.
    struct Word: Equatable, Sendable {
        var text: String
        var evidence: Evidence?
    }

    private var values: [String: Flag] = [:]

    /// What may stand alone.
    private static let switches: Set<String> = ["cleanup", "help", "version", "conntrack-tcp-be-liberal", "init-only"]
    /// Flags in whose value something may stand that looks like one of the flags here.
    private static let others: Set<String> = [
        "config", "write-config-to", "conntrack-max-per-core", "conntrack-min", "conntrack-max",
        "conntrack-tcp-timeout-established", "conntrack-tcp-timeout-close-wait", "conntrack-udp-timeout",
        "conntrack-udp-timeout-stream",
    ]

    init(_ words: [String]) { self.init(words.map { Word(text: $0, evidence: nil) }) }

    /// `--flag=value`, `--flag value`, `--flag` of a switch; the last one counts. An underscore is a dash to it.
    init(_ words: [Word]) {
        var index = 0
        while index < words.count {
            let word = words[index]
            index += 1
            if word.text == "--" { break }
            guard word.text.hasPrefix("--") else { continue }
            let parts = word.text.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0]).replacing("_", with: "-")
            if parts.count == 2 {
                values[name] = Flag(value: String(parts[1]), evidence: word.evidence)
            } else if Self.switches.contains(name) {
                values[name] = Flag(value: "true", evidence: word.evidence)
            } else if Self.others.contains(name), index < words.count {
                values[name] = Flag(value: words[index].text, evidence: word.evidence)
                index += 1
            }
        }
    }

    subscript(name: String) -> Flag? { values[name] }

    /// The configuration it reads instead of its flags: of those that concern conntrack none counts then.
    var config: String? { values["config"].flatMap { $0.value.isEmpty ? nil : $0.value } }

    /// Whether it ends before it sets anything.
    var onlyExits: Bool {
        ["cleanup", "help", "version"].contains { values[$0].map { KubeText.isTrue($0.value) } ?? false }
            || values["write-config-to"].map { !$0.value.isEmpty } ?? false
    }
}
