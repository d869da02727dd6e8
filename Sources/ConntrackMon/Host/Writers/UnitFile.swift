// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What a unit's file and its drop-ins say, as systemd reads them.
struct UnitFile: Sendable {
    struct Entry: Sendable {
        var section: String
        var key: String
        var value: String
        var evidence: Evidence
    }

    private(set) var entries: [Entry] = []
    /// What %i stands for.
    private let instance: String

    /// - Parameter files: The unit's file, then its drop-ins.
    init(_ files: [String], instance: String, in tree: FileTree) {
        self.instance = instance
        for file in files {
            guard let text = tree.text(file), text.utf8.count <= 256 << 10 else { continue }
            var section = ""
            for (number, line) in ModuleConfiguration.lines(of: text) {
                if line.hasPrefix("[") {
                    section = line
                    continue
                }
                guard let equals = line.firstIndex(of: "=") else { continue }
                let key = line[..<equals].split(separator: " ").joined()
                let value = line[line.index(after: equals)...].drop { $0 == " " }
                let evidence = Evidence(file: file, line: number, text: line)
                entries.append(Entry(section: section, key: key, value: String(value), evidence: evidence))
            }
        }
    }

    /// The values of a key; an empty one takes back those before it.
    func values(_ key: String) -> [Entry] {
        entries.filter { $0.key == key }.reduce(into: []) { values, entry in
            if entry.value.isEmpty { values = [] } else { values.append(entry) }
        }
    }

    /// What commands see, and whether all of it could be read.
    private func environment(in tree: FileTree) -> (variables: [String: String], isWhole: Bool) {
        var words = values("Environment").flatMap { UdevRule.words(of: $0.value) }
        var isWhole = true
        for entry in values("EnvironmentFile") {
            let path = entry.value.hasPrefix("-") ? String(entry.value.dropFirst()) : entry.value
            guard let text = tree.text(path), text.utf8.count <= 64 << 10 else {
                isWhole = false
                continue
            }
            words += ModuleConfiguration.lines(of: text).flatMap { UdevRule.words(of: $0.text) }
        }
        let variables = words.reduce(into: [String: String]()) { variables, word in
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if parts.count == 2 { variables[parts[0]] = parts[1] }
        }
        return (variables, isWhole)
    }

    /// The commands of Exec lines, with their words.
    func commands(_ key: String, in tree: FileTree) -> [(words: [String], isPrivileged: Bool, evidence: Evidence)] {
        let environment = environment(in: tree)
        return values(key).flatMap { entry -> [(words: [String], isPrivileged: Bool, evidence: Evidence)] in
            split(entry.value).map { words in
                var words = words
                let flags = words[0].prefix { "@-:+!|".contains($0) }
                words[0] = String(words[0].dropFirst(flags.count))
                if flags.contains("@"), words.count > 1 { words.remove(at: 1) }
                words = words.flatMap { expanded($0, environment) }
                return (words, flags.contains("+"), entry.evidence)
            }.filter { !$0.words.isEmpty }
        }
    }

    /// A semicolon by itself parts commands.
    private func split(_ value: String) -> [[String]] {
        UnitFile.words(of: value).split(separator: ";").map(Array.init)
    }

    /// Words as systemd.service(5) has them: quoted by either mark, with backslashes as in C.
    static func words(of text: String) -> [String] {
        var words: [String] = []
        var current: String?
        var quote: Character?
        var characters = text.makeIterator()
        while let character = characters.next() {
            if character == "\\" {
                guard let next = characters.next() else { break }
                let known: [Character: String] = ["n": "\n", "t": "\t", "s": " ", "\\": "\\", "\"": "\"", "'": "'"]
                current = (current ?? "") + (known[next] ?? "\\\(next)")
            } else if let open = quote {
                if character == open { quote = nil } else { current = (current ?? "") + String(character) }
            } else if character == "'" || character == "\"", current == nil {
                quote = character
                current = ""
            } else if character == " " || character == "\t" {
                if let word = current { words.append(word) }
                current = nil
            } else {
                current = (current ?? "") + String(character)
            }
        }
        return words + (current.map { [$0] } ?? [])
    }

    /// Specifiers and variables replaced; a variable by itself becomes words.
    private func expanded(_ word: String, _ environment: (variables: [String: String], isWhole: Bool)) -> [String] {
        // What is not set is empty.
        let missing = environment.isWhole ? nil : String(ShellRun.unknown)
        if word.hasPrefix("$"), !word.hasPrefix("${"), !word.hasPrefix("$$"), word.count > 1 {
            let value = environment.variables[String(word.dropFirst())]
            return value.map { UdevRule.words(of: $0) } ?? missing.map { [$0] } ?? []
        }
        var result = ""
        var rest = word[...]
        while let character = rest.popFirst() {
            switch (character, rest.first) {
            case ("%", "%"), ("$", "$"):
                result.append(character)
                rest.removeFirst()
            case ("%", let letter?) where letter.isLetter:
                result += "iI".contains(letter) ? instance : String(ShellRun.unknown)
                rest.removeFirst()
            case ("$", "{"):
                guard let end = rest.firstIndex(of: "}") else {
                    result.append(character)
                    continue
                }
                let name = String(rest[rest.index(after: rest.startIndex)..<end])
                result += environment.variables[name] ?? missing ?? ""
                rest = rest[rest.index(after: end)...]
            default: result.append(character)
            }
        }
        return [result]
    }
}
