// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// A file as Python's ConfigParser reads it for tuned: "=" alone separates, "#" behind a blank begins a comment, keys
/// keep their case. Pure.
struct TunedConfig: Equatable {
    struct Option: Equatable {
        var key: String
        var value: String
        /// Counted from 1.
        var line: Int
        /// The line as it stands.
        var text: String
    }

    struct Section: Equatable {
        var name: String
        var options: [Option]

        subscript(key: String) -> String? { options.last { $0.key == key }?.value }
    }

    /// In the order in which they first come; options too.
    private(set) var sections: [Section] = []
    /// A line that is no option, or one before any section: tuned refuses a profile with such a file, and what includes
    /// it.
    private(set) var isFaulty = false

    private static let lineLimit = 4096

    /// - Parameter header: The section of lines that come before any header, as in files of variables.
    init(_ text: String, header: String? = nil) {
        if let header { sections.append(Section(name: header, options: [])) }
        var current = header == nil ? nil : 0 as Int?
        var indent: Int?
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            guard index < TunedConfig.lineLimit else { break }
            let content = TunedConfig.withoutComment(line)
            guard !content.isEmpty else { continue }
            let blanks = line.prefix { $0 == " " || $0 == "\t" }.count
            // A line that is indented deeper than its option goes on with its value.
            if let current, let option = indent, blanks > option, let last = sections[current].options.indices.last {
                sections[current].options[last].value += "\n" + content
                continue
            }
            if content.hasPrefix("["), let end = content.firstIndex(of: "]") {
                current = section(String(content[content.index(after: content.startIndex)..<end]))
                indent = nil
                continue
            }
            indent = blanks
            let equals = content.firstIndex(of: "=")
            guard let current, let equals else {
                isFaulty = true
                continue
            }
            let option = Option(
                key: content[..<equals].trimmed, value: content[content.index(after: equals)...].trimmed,
                line: index + 1, text: line.trimmed)
            set(option, in: current)
        }
    }

    subscript(name: String) -> Section? { sections.first { $0.name == name } }

    private mutating func section(_ name: String) -> Int {
        if let known = sections.firstIndex(where: { $0.name == name }) { return known }
        sections.append(Section(name: name, options: []))
        return sections.count - 1
    }

    /// The last one of a key counts, at the place of the first.
    private mutating func set(_ option: Option, in section: Int) {
        if let known = sections[section].options.firstIndex(where: { $0.key == option.key }) {
            sections[section].options[known] = option
        } else {
            sections[section].options.append(option)
        }
    }

    private static func withoutComment(_ line: Substring) -> String {
        let content = line.trimmed
        guard content.first != "#", content.first != ";" else { return "" }
        var isAfterBlank = false
        for index in content.indices {
            if content[index] == "#", isAfterBlank { return content[..<index].trimmed }
            isAfterBlank = content[index].isWhitespace
        }
        return content
    }
}
