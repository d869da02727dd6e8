// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// One line of a udev rules file, as systemd's udev takes it apart.
struct UdevRule: Equatable, Sendable {
    struct Token: Equatable, Sendable {
        var key: String
        /// What stands in braces: ENV{NAME}.
        var attribute: String?
        var mark: String
        var value: String

        var isMatch: Bool { mark == "==" || mark == "!=" }
    }

    var tokens: [Token]

    /// nil for a line that has a fault: nothing of it counts.
    init?(_ line: String) {
        let bytes = Array(line.utf8)
        var position = 0
        tokens = []
        func skip(_ isSkipped: (UInt8) -> Bool) {
            while position < bytes.count, isSkipped(bytes[position]) { position += 1 }
        }
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        while true {
            skip { isBlank($0) || $0 == UInt8(ascii: ",") }
            guard position < bytes.count else { break }
            let start = position
            skip { !isBlank($0) && !"{=!+-:".utf8.contains($0) }
            let key = String(decoding: bytes[start..<position], as: UTF8.self)
            var attribute: String?
            if position < bytes.count, bytes[position] == UInt8(ascii: "{") {
                guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "}")) else { return nil }
                attribute = String(decoding: bytes[(position + 1)..<end], as: UTF8.self)
                position = end + 1
            }
            skip(isBlank)
            let rest = String(decoding: bytes[position..<min(position + 2, bytes.count)], as: UTF8.self)
            guard let mark = ["==", "!=", "+=", "-=", ":=", "="].first(where: rest.hasPrefix), !key.isEmpty else {
                return nil
            }
            position += mark.utf8.count
            skip(isBlank)
            if position < bytes.count, bytes[position] == UInt8(ascii: "e") || bytes[position] == UInt8(ascii: "i") {
                position += 1
            }
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { return nil }
            position += 1
            var value: [UInt8] = []
            while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
                let isQuoted = bytes[position] == UInt8(ascii: "\\") && position + 1 < bytes.count
                if isQuoted, bytes[position + 1] == UInt8(ascii: "\"") { position += 1 }
                value.append(bytes[position])
                position += 1
            }
            guard position < bytes.count else { return nil }
            position += 1
            tokens.append(
                Token(key: key, attribute: attribute, mark: mark, value: String(decoding: value, as: UTF8.self)))
        }
        if tokens.isEmpty { return nil }
    }

    /// Whether a value fits one of the alternatives.
    static func matches(_ pattern: String, _ value: String) -> Bool {
        pattern.split(separator: "|", omittingEmptySubsequences: false).contains { fnmatches(String($0), value) }
    }

    /// The words of a program to run: udev runs no shell, and knows quotation marks alone.
    static func words(of command: String) -> [String] {
        var words: [String] = []
        var current: String?
        var quote: Character?
        for character in command {
            if let open = quote {
                if character == open { quote = nil } else { current = (current ?? "") + String(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                current = current ?? ""
            } else if character == " " || character == "\t" {
                if let word = current { words.append(word) }
                current = nil
            } else {
                current = (current ?? "") + String(character)
            }
        }
        return words + (current.map { [$0] } ?? [])
    }
}
