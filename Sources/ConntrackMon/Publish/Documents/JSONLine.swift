// SPDX-License-Identifier: GPL-3.0-or-later

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
    private(set) var text = ""
    /// Something stands before what comes next in this object or array.
    private var isContinued = false

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
        text += members
    }

    /// `"name":7`.
    mutating func member(_ name: String, _ value: some FixedWidthInteger) {
        key(name)
        text += String(value)
    }

    /// `"name":0.25`; nothing for a number that JSON has not.
    mutating func member(_ name: String, _ value: Double) {
        guard value.isFinite else { return }
        key(name)
        text += value.description
    }

    /// `"name":true`.
    mutating func member(_ name: String, _ value: Bool) {
        key(name)
        text += value ? "true" : "false"
    }

    /// `"name":"value"`.
    mutating func member(_ name: String, _ value: String) {
        key(name)
        text += "\""
        // What needs no escape, as nearly everything here, is taken whole.
        if value.utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
            text += value
        } else {
            for scalar in value.unicodeScalars { text += JSONLine.escaped(scalar) }
        }
        text += "\""
    }

    private mutating func key(_ name: String) {
        // Piece by piece: an interpolation makes a string of its own first.
        text += isContinued ? ",\"" : "\""
        text += name
        text += "\":"
        isContinued = true
    }

    private mutating func separate() {
        if isContinued { text += "," }
        isContinued = true
    }

    private mutating func nested(_ open: String, _ close: String, _ body: (inout JSONLine) -> Void) {
        text += open
        isContinued = false
        body(&self)
        text += close
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
