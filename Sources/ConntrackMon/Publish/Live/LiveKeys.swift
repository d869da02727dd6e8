// SPDX-License-Identifier: GPL-3.0-or-later

/// A key that was pressed.
package enum LiveKey: Equatable, Sendable {
    /// One that gives an ASCII character.
    case character(Character)
    case enter, escape, tab, backTab, backspace
    case up, down, left, right, pageUp, pageDown, home, end
}

/// Takes keys out of what a terminal sends.
struct LiveKeyReader: Sendable {
    private var rest: [UInt8] = []

    /// An escape has come and nothing after it: a key of its own unless more comes at once.
    var isWaiting: Bool { !rest.isEmpty }

    /// The keys in `bytes`, and in what was left before.
    mutating func take(_ bytes: [UInt8]) -> [LiveKey] {
        rest += bytes
        var keys: [LiveKey] = []
        while let (key, length) = LiveKeyReader.first(rest) {
            if let key { keys.append(key) }
            rest.removeFirst(length)
        }
        // Nothing that a key sends is as long.
        if rest.count > 32 { rest = [] }
        return keys
    }

    /// Nothing more came: what waits is the escape key.
    mutating func finish() -> [LiveKey] {
        defer { rest = [] }
        return rest == [0x1b] ? [.escape] : []
    }

    /// The first key and how many bytes it takes; nil when more must come. A nil key is one that means nothing.
    private static func first(_ bytes: [UInt8]) -> (LiveKey?, Int)? {
        guard let byte = bytes.first else { return nil }
        switch byte {
        case 0x1b: return sequence(bytes)
        case 0x0d, 0x0a: return (.enter, 1)
        case 0x09: return (.tab, 1)
        case 0x7f, 0x08: return (.backspace, 1)
        case 0x20...0x7e: return (.character(Character(Unicode.Scalar(byte))), 1)
        default: return (nil, 1)
        }
    }

    private static let letters: [UInt8: LiveKey] = [
        UInt8(ascii: "A"): .up, UInt8(ascii: "B"): .down, UInt8(ascii: "C"): .right, UInt8(ascii: "D"): .left,
        UInt8(ascii: "H"): .home, UInt8(ascii: "F"): .end, UInt8(ascii: "Z"): .backTab,
    ]
    private static let numbers: [String: LiveKey] = [
        "1": .home, "4": .end, "5": .pageUp, "6": .pageDown, "7": .home, "8": .end,
    ]

    /// ESC [ PARAMETERS LETTER, ESC O LETTER.
    private static func sequence(_ bytes: [UInt8]) -> (LiveKey?, Int)? {
        guard bytes.count > 1 else { return nil }
        guard bytes[1] == UInt8(ascii: "[") || bytes[1] == UInt8(ascii: "O") else { return (.escape, 1) }
        guard let end = bytes[2...].firstIndex(where: { $0 >= 0x40 && $0 <= 0x7e }) else { return nil }
        guard bytes[end] == UInt8(ascii: "~") else { return (letters[bytes[end]], end + 1) }
        let parameter = String(decoding: bytes[2..<end].prefix { $0 != UInt8(ascii: ";") }, as: UTF8.self)
        return (numbers[parameter], end + 1)
    }
}
