// SPDX-License-Identifier: GPL-3.0-or-later

/// Reads flow values, quoted texts and keys of YAML, byte by byte. Pure.
struct YAMLScanner {
    private let bytes: ArraySlice<UInt8>
    private var place: Int
    private(set) var line: Int
    private static let depthLimit = 32

    init(_ bytes: ArraySlice<UInt8>, line: Int = 0) {
        self.bytes = bytes
        place = bytes.startIndex
        self.line = line
    }

    var rest: ArraySlice<UInt8> { bytes[place...] }
    var isAtEnd: Bool { place == bytes.endIndex }
    /// Whether a blank or the end comes next.
    var isAtBlank: Bool { isAtEnd || bytes[place] == 0x20 || bytes[place] == 0x09 || bytes[place] == 0x0a }

    mutating func take(_ byte: UInt8) -> Bool {
        guard !isAtEnd, bytes[place] == byte else { return false }
        place += 1
        return true
    }

    /// Comments with them.
    mutating func skipBlanks() {
        var isComment = false
        while !isAtEnd {
            let isStart = place == bytes.startIndex || [0x20, 0x09, 0x0a].contains(bytes[place - 1])
            if bytes[place] == UInt8(ascii: "#"), isStart { isComment = true }
            guard isComment || isAtBlank else { return }
            if bytes[place] == 0x0a { (isComment, line) = (false, line + 1) }
            place += 1
        }
    }

    mutating func skipBlanksOfLine() {
        while !isAtEnd, bytes[place] == 0x20 || bytes[place] == 0x09 { place += 1 }
    }

    /// Whether nothing but a comment comes in this line.
    var isAtLineEnd: Bool { isAtEnd || bytes[place] == 0x0a || bytes[place] == UInt8(ascii: "#") }

    /// The text up to a colon that ends a key; nil where there is none.
    mutating func plainKey() -> String? {
        var end = place
        while end < bytes.endIndex {
            let isLast = end + 1 == bytes.endIndex
            if bytes[end] == UInt8(ascii: ":"), isLast || bytes[end + 1] == 0x20 || bytes[end + 1] == 0x09 {
                guard end > place, !"{[|>&*!%@`\t".utf8.contains(bytes[place]) else { return nil }
                defer { place = end }
                return String(decoding: bytes[place..<end].reversed().drop { $0 == 0x20 }.reversed(), as: UTF8.self)
            }
            if bytes[end] == UInt8(ascii: "#"), end > place, bytes[end - 1] == 0x20 { return nil }
            end += 1
        }
        return nil
    }

    /// A text in quotes of either kind; nil where it is not closed.
    mutating func quoted() -> String? {
        guard !isAtEnd else { return nil }
        let quote = bytes[place]
        let isDouble = quote == UInt8(ascii: "\"")
        place += 1
        var text: [UInt8] = []
        while !isAtEnd {
            let byte = bytes[place]
            place += 1
            if byte == quote {
                guard !isDouble, take(quote) else { return String(decoding: text, as: UTF8.self) }
                text.append(quote)
            } else if isDouble, byte == UInt8(ascii: "\\"), !isAtEnd {
                text += escaped()
            } else {
                if byte == 0x0a { line += 1 }
                text.append(byte == 0x0a ? 0x20 : byte)
            }
        }
        return nil
    }

    private mutating func escaped() -> [UInt8] {
        let byte = bytes[place]
        place += 1
        switch byte {
        case UInt8(ascii: "n"): return [0x0a]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "r"): return [0x0d]
        case UInt8(ascii: "u"):
            guard bytes.endIndex - place >= 4,
                let number = UInt32(String(decoding: bytes[place..<place + 4], as: UTF8.self), radix: 16),
                let scalar = Unicode.Scalar(number)
            else { return [] }
            place += 4
            return Array(String(Character(scalar)).utf8)
        default: return [byte]
        }
    }

    /// A flow value: `{...}`, `[...]`, a quoted or plain text; nil where it is not closed or not to be understood.
    mutating func flow(depth: Int) -> YAMLNode? {
        skipBlanks()
        guard depth < YAMLScanner.depthLimit, !isAtEnd else { return nil }
        let start = line
        if take(UInt8(ascii: "{")) { return flowMap(start, depth) }
        if take(UInt8(ascii: "[")) { return flowList(start, depth) }
        if bytes[place] == UInt8(ascii: "\"") || bytes[place] == UInt8(ascii: "'") {
            return quoted().map { YAMLNode(line: start, content: .scalar($0)) }
        }
        let text = plain()
        return YAMLNode(line: start, content: ["", "~", "null"].contains(text) ? .null : .scalar(text))
    }

    private mutating func flowMap(_ start: Int, _ depth: Int) -> YAMLNode? {
        var entries: [YAMLNode.Entry] = []
        while true {
            skipBlanks()
            guard !isAtEnd else { return nil }
            if take(UInt8(ascii: "}")) { return YAMLNode(line: start, content: .map(entries)) }
            let isQuoted = bytes[place] == UInt8(ascii: "\"") || bytes[place] == UInt8(ascii: "'")
            guard let key = isQuoted ? quoted() : plain() else { return nil }
            skipBlanks()
            var value: YAMLNode? = YAMLNode(line: line, content: .null)
            if take(UInt8(ascii: ":")) { value = flow(depth: depth + 1) }
            guard let value else { return nil }
            entries.append(.init(key: key, value: value))
            skipBlanks()
            guard take(UInt8(ascii: ",")) || !isAtEnd && bytes[place] == UInt8(ascii: "}") else { return nil }
        }
    }

    private mutating func flowList(_ start: Int, _ depth: Int) -> YAMLNode? {
        var items: [YAMLNode] = []
        while true {
            skipBlanks()
            guard !isAtEnd else { return nil }
            if take(UInt8(ascii: "]")) { return YAMLNode(line: start, content: .list(items)) }
            guard let item = flow(depth: depth + 1) else { return nil }
            items.append(item)
            skipBlanks()
            guard take(UInt8(ascii: ",")) || !isAtEnd && bytes[place] == UInt8(ascii: "]") else { return nil }
        }
    }

    /// A plain text inside a flow value.
    private mutating func plain() -> String {
        let start = place
        while !isAtEnd, !",]}\n".utf8.contains(bytes[place]) {
            let isEnd = place + 1 == bytes.endIndex || [0x20, 0x0a].contains(bytes[place + 1])
            if bytes[place] == UInt8(ascii: ":"), isEnd { break }
            place += 1
        }
        return String(decoding: bytes[start..<place].reversed().drop { $0 == 0x20 }.reversed(), as: UTF8.self)
    }

    /// A plain text without the comment behind it.
    static func withoutComment(_ bytes: ArraySlice<UInt8>) -> String {
        var end = bytes.startIndex
        while end < bytes.endIndex {
            if bytes[end] == UInt8(ascii: "#"), end == bytes.startIndex || bytes[end - 1] == 0x20 { break }
            end += 1
        }
        return String(
            decoding: bytes[..<end].reversed().drop { $0 == 0x20 || $0 == 0x09 }.reversed(), as: UTF8.self)
    }
}
