// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What a service of the host starts: a systemd unit's or an OpenRC script's command, its variables replaced.
struct KubeUnit {
    var file: String
    var line: Int?
    var words: [String]
    /// It is started at boot.
    var isEnabled: Bool

    var evidence: Evidence { Evidence(file: file, line: line, text: words.joined(separator: " ")) }

    private static let folders = [
        "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
        "/lib/systemd/system",
    ]
    private static let dropInLimit = 8
    private static let fileLimit = 8
    /// Longer lines are not looked at.
    private static let lineLimit = 1 << 13

    /// The unit of a name without ".service"; nil where there is none, or its command can't be told.
    init?(_ name: String, _ tree: FileTree) {
        let unit = name + ".service"
        if let folder = Self.folders.first(where: { tree.exists("\($0)/\(unit)") }) {
            self.init(unit: unit, in: folder, tree)
        } else {
            self.init(script: name, tree)
        }
    }

    private init?(unit: String, in folder: String, _ tree: FileTree) {
        // By their names over all folders, a name in a higher one first.
        var dropIns: [String: String] = [:]
        for folder in Self.folders.map({ "\($0)/\(unit).d" }) {
            for name in (tree.names(in: folder) ?? []).filter({ $0.hasSuffix(".conf") }).prefix(Self.dropInLimit)
            where dropIns[name] == nil {
                dropIns[name] = "\(folder)/\(name)"
            }
        }
        let files = ["\(folder)/\(unit)"] + dropIns.sorted { FileTree.isBefore($0.key, $1.key) }.map(\.value)
        var variables: [String: String] = [:]
        var count = 0
        var command: (text: String, file: String, line: Int)?
        for file in files {
            for (number, text) in ModuleConfiguration.lines(of: file, in: tree)
            where text.utf8.count <= Self.lineLimit {
                let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2 else { continue }
                let value = String(parts[1]).trimmed
                switch String(parts[0]).trimmed {
                case "ExecStart": command = value.isEmpty ? nil : (value, file, number)
                case "Environment":
                    for word in Self.split(value) { Self.assign(word, to: &variables) }
                case "EnvironmentFile" where count < Self.fileLimit:
                    count += 1
                    let path = value.first == "-" ? String(value.dropFirst()) : value
                    for (_, text) in ModuleConfiguration.lines(of: path, in: tree) {
                        Self.assign(text, to: &variables)
                    }
                default: break
                }
            }
        }
        guard let command else { return nil }
        let wants = (tree.names(in: "/etc/systemd/system") ?? []).filter {
            $0.hasSuffix(".wants") || $0.hasSuffix(".requires")
        }
        (file, line) = (command.file, command.line)
        // "-", "@", "+", "!" and ":" before a program say how it is run.
        let text = command.text.drop { "-@+!:".contains($0) }
        words = Self.split(text).flatMap { Self.expanded($0, variables) }
        isEnabled = wants.contains { Self.isListed(unit, in: "/etc/systemd/system/\($0)", tree) }
    }

    /// OpenRC: the command_args of /etc/init.d/NAME.
    private init?(script name: String, _ tree: FileTree) {
        let path = "/etc/init.d/\(name)"
        let start = "command_args="
        guard
            let found = ModuleConfiguration.lines(of: path, in: tree).first(where: {
                $0.text.hasPrefix(start) && $0.text.utf8.count <= Self.lineLimit
            })
        else { return nil }
        (file, line) = (path, found.number)
        words = [name] + Self.split(Self.split(found.text.dropFirst(start.utf8.count)).joined(separator: " "))
        isEnabled = (tree.names(in: "/etc/runlevels") ?? []).contains {
            Self.isListed(name, in: "/etc/runlevels/\($0)", tree)
        }
    }

    /// By name: the link may lead to a folder that was not saved.
    private static func isListed(_ name: String, in folder: String, _ tree: FileTree) -> Bool {
        tree.names(in: folder)?.contains(name) ?? false
    }

    private static func assign(_ text: some StringProtocol, to variables: inout [String: String]) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, variables.count < 256, text.utf8.count <= lineLimit else { return }
        var value = String(parts[1]).trimmed
        if let quote = value.first, quote == "\"" || quote == "'", value.count > 1, value.last == quote {
            value = String(value.dropFirst().dropLast())
        }
        variables[String(parts[0]).trimmed] = value
    }

    /// `$NAME` as a word of its own is split at blanks, `${NAME}` anywhere is not, as systemd does.
    private static func expanded(_ word: String, _ variables: [String: String]) -> [String] {
        if word.first == "$", word.dropFirst().allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) {
            return split(variables[String(word.dropFirst())] ?? "")
        }
        var text = word
        var count = 0
        while count < 16, let start = text.firstRange(of: "${"), let end = text[start.upperBound...].firstIndex(of: "}")
        {
            text.replaceSubrange(start.lowerBound...end, with: variables[String(text[start.upperBound..<end])] ?? "")
            count += 1
        }
        return [text]
    }

    /// Words, with quotes of both kinds around a whole or a part of one taken away.
    static func split(_ text: some StringProtocol) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        for letter in text {
            if let open = quote {
                if letter == open { quote = nil } else { word = (word ?? "") + String(letter) }
            } else if letter == "\"" || letter == "'" {
                (quote, word) = (letter, word ?? "")
            } else if letter.isWhitespace {
                if let done = word { words.append(done) }
                word = nil
            } else {
                word = (word ?? "") + String(letter)
            }
        }
        return words + (word.map { [$0] } ?? [])
    }
}
