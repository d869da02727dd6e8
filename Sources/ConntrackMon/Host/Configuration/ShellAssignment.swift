// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// `NAME=value` in a file that a shell reads: /etc/default/ufw, /etc/sysconfig/iptables-config.
struct ShellAssignment: Equatable {
    /// Without quotes, its words parted by single blanks.
    var value: String
    var evidence: Evidence

    /// The last one of a name; nil where there is none. What stands inside a command or a condition does not count.
    static func last(_ name: String, in file: String, of tree: FileTree) -> ShellAssignment? {
        guard let text = tree.text(file), text.contains(name) else { return nil }
        var found: ShellAssignment?
        for (number, line) in ModuleConfiguration.lines(of: text) {
            let line = line.hasPrefix("export ") ? String(line.dropFirst("export ".utf8.count)) : line
            guard line.hasPrefix(name + "=") else { continue }
            found = ShellAssignment(
                value: value(line.dropFirst(name.utf8.count + 1)),
                evidence: Evidence(file: file, line: number, text: line))
        }
        return found
    }

    /// Up to the first blank that no quotes hold, or a comment.
    private static func value(_ text: Substring) -> String {
        var (value, quote) = ("", Character?.none)
        for character in text {
            if character == quote {
                quote = nil
            } else if let open = quote {
                value.append(open == character ? " " : character)
            } else if character == "\"" || character == "'" {
                quote = character
            } else if character == ";" || character.isWhitespace {
                break
            } else {
                value.append(character)
            }
        }
        return value.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
