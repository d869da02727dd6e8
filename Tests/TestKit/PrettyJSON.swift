// SPDX-License-Identifier: GPL-3.0-or-later

/// JSON laid out for people: a member or an element a line, two blanks a level, keys sorted. Numbers and strings stay as
/// they are written, so that 1.0 and 1 are a difference.
public enum PrettyJSON {
    /// Why a text is no JSON.
    public struct Failure: Error, CustomStringConvertible {
        /// What stands where.
        public let description: String
    }

    /// Each document in `text`, one after another, laid out, with a line feed after each.
    public static func layOut(_ text: String) throws -> String {
        var reader = JSONReader(Array(text.utf8))
        var out = ""
        while reader.skipBlanks() {
            try write(reader.value(), level: 0, to: &out)
            out += "\n"
        }
        return out
    }

    private static func write(_ value: JSONReader.Value, level: Int, to out: inout String) {
        let inner = String(repeating: "  ", count: level + 1)
        let outer = String(repeating: "  ", count: level)
        switch value {
        case .plain(let text): out += text
        case .array(let elements) where elements.isEmpty: out += "[]"
        case .object(let members) where members.isEmpty: out += "{}"
        case .array(let elements):
            out += "["
            for (index, element) in elements.enumerated() {
                out += index == 0 ? "\n" : ",\n"
                out += inner
                write(element, level: level + 1, to: &out)
            }
            out += "\n\(outer)]"
        case .object(let members):
            out += "{"
            for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                out += index == 0 ? "\n" : ",\n"
                out += "\(inner)\(member.key): "
                write(member.value, level: level + 1, to: &out)
            }
            out += "\n\(outer)}"
        }
    }
}

/// Reads JSON (RFC 8259) by descent; keeps numbers and strings as they are written.
private struct JSONReader {
    indirect enum Value {
        case object([(key: String, value: Value)])
        case array([Value])
        /// A string with its quotes, a number, true, false, null.
        case plain(String)
    }

    private let bytes: [UInt8]
    private var place = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    /// False at the end.
    mutating func skipBlanks() -> Bool {
        while let byte = next, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { place += 1 }
        return next != nil
    }

    mutating func value() throws -> Value {
        _ = skipBlanks()
        switch next {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .plain(try string())
        default: return .plain(try word())
        }
    }

    private mutating func object() throws -> Value {
        var members: [(key: String, value: Value)] = []
        try list("{", "}") { reader in
            let key = try reader.string()
            if members.contains(where: { $0.key == key }) { throw reader.failure("the key \(key) a second time") }
            _ = reader.skipBlanks()
            try reader.take(":")
            members.append((key, try reader.value()))
        }
        return .object(members)
    }

    private mutating func array() throws -> Value {
        var elements: [Value] = []
        try list("[", "]") { elements.append(try $0.value()) }
        return .array(elements)
    }

    private mutating func list(
        _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ element: (inout JSONReader) throws -> Void
    ) throws {
        try take(open)
        _ = skipBlanks()
        if next == UInt8(ascii: close) { return try take(close) }
        while true {
            _ = skipBlanks()
            try element(&self)
            _ = skipBlanks()
            if next == UInt8(ascii: close) { return try take(close) }
            try take(",")
        }
    }

    private mutating func string() throws -> String {
        let start = place
        try take("\"")
        while let byte = next, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw failure("a control character in a string") }
            place += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        try take("\"")
        return String(decoding: bytes[start..<place], as: UTF8.self)
    }

    private mutating func word() throws -> String {
        let start = place
        while let byte = next, ![0x20, 0x09, 0x0a, 0x0d].contains(byte), !",:]}".utf8.contains(byte) { place += 1 }
        let word = String(decoding: bytes[start..<place], as: UTF8.self)
        guard ["true", "false", "null"].contains(word) || isNumber(word) else { throw failure("'\(word)', no value") }
        return word
    }

    private func isNumber(_ word: String) -> Bool {
        guard let first = word.utf8.first, first == UInt8(ascii: "-") || (0x30...0x39).contains(first) else {
            return false
        }
        return word.utf8.allSatisfy { (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) } && Double(word) != nil
    }

    private mutating func take(_ scalar: Unicode.Scalar) throws {
        guard next == UInt8(ascii: scalar) else { throw failure("no \(scalar)") }
        place += 1
    }

    private func failure(_ what: String) -> PrettyJSON.Failure {
        PrettyJSON.Failure(description: "\(what) at byte \(place) of \(bytes.count)")
    }
}
