// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import FoundationEssentials

/// One line of JSON: snake case, sorted keys, no escaped slashes. Values here are finite numbers, strings and containers
/// of them, which cannot fail to encode.
package func encodeJSON(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "+Inf", negativeInfinity: "-Inf", nan: "NaN")
    guard let data = try? encoder.encode(value) else { return "{}" }
    return String(decoding: data, as: UTF8.self)
}

/// One line of JSON written member by member, for what comes by the million: an encoder takes 9 µs and a kilobyte for each
/// of `top`'s rows. Keys are written as they are, in the order of the calls.
struct JSONLine {
    /// What is not in `written` yet: an array takes a few bytes more cheaply than a string.
    private var bytes: [UInt8] = []
    private var written = ""
    /// Something stands before what comes next in this object or array.
    private var isContinued = false

    /// All that was written.
    mutating func text() -> String {
        flush()
        return written
    }

    /// `{...}`: an element of an array, or the whole line.
    mutating func object(_ body: (inout JSONLine) -> Void) {
        separate()
        nested("{", "}", body)
    }

    /// `"name":{...}`.
    mutating func object(_ name: String, _ body: (inout JSONLine) -> Void) {
        key(name)
        nested("{", "}", body)
    }

    /// `"name":[...]`.
    mutating func array(_ name: String, _ body: (inout JSONLine) -> Void) {
        key(name)
        nested("[", "]", body)
    }

    /// All members of the object that `value` encodes to.
    mutating func members(of value: some Encodable) {
        let members = encodeJSON(value).dropFirst().dropLast()
        guard !members.isEmpty else { return }
        separate()
        put(String(members))
    }

    /// `"name":7`.
    mutating func member(_ name: String, _ value: some FixedWidthInteger) {
        key(name)
        put(String(value))
    }

    /// `"name":0.25`; nothing for a number that JSON has not.
    mutating func member(_ name: String, _ value: Double) {
        guard value.isFinite else { return }
        key(name)
        put(value.description)
    }

    /// `"name":true`.
    mutating func member(_ name: String, _ value: Bool) {
        key(name)
        put(value ? "true" : "false")
    }

    /// `"name":"value"`.
    mutating func member(_ name: String, _ value: String) {
        key(name)
        put("\"")
        // What needs no escape, as nearly everything here, is taken whole.
        if value.utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
            put(value)
        } else {
            for scalar in value.unicodeScalars { put(JSONLine.escaped(scalar)) }
        }
        put("\"")
    }

    private mutating func flush() {
        written += String(decoding: bytes, as: UTF8.self)
        bytes.removeAll(keepingCapacity: true)
    }

    @inline(__always)
    private mutating func put(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func key(_ name: String) {
        // In large pieces, so that a document is not held twice in the end.
        if bytes.count > 1 << 16 { flush() }
        put(isContinued ? ",\"" : "\"")
        put(name)
        put("\":")
        isContinued = true
    }

    private mutating func separate() {
        if isContinued { put(",") }
        isContinued = true
    }

    private mutating func nested(_ open: String, _ close: String, _ body: (inout JSONLine) -> Void) {
        put(open)
        isContinued = false
        body(&self)
        put(close)
        isContinued = true
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\"", "\\": return "\\\(scalar)"
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        case _ where scalar.value < 0x20:
            let digits = String(scalar.value, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: return String(scalar)
        }
    }
}
