// SPDX-License-Identifier: GPL-3.0-or-later

import ArgumentParser
import ConntrackMon

// How values are written on the command line. Each says what it expects when it does not get it.

/// `250ms`, `10s`, `5m`, `1h`, `1.5s`; 0 needs no unit.
func parseDuration(_ text: String) throws -> Duration {
    let units = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600)]
    if text == "0" { return .zero }
    for (unit, seconds) in units where text.hasSuffix(unit) {
        guard let number = plainNumber(text.dropLast(unit.count)) else { break }
        let total = number * seconds
        guard total < 1e9 else { break }
        return .nanoseconds(Int64((total * 1e9).rounded()))
    }
    throw ValidationError("'\(text)' is no duration; write 250ms, 10s, 5m or 1h")
}

/// A duration that must not be 0.
func parseInterval(_ text: String) throws -> Duration {
    let duration = try parseDuration(text)
    guard duration >= .milliseconds(1) else { throw ValidationError("'\(text)' is too short; at least 1ms") }
    return duration
}

/// `75%` or `0.75`.
func parseShare(_ text: String) throws -> Double {
    let isPercent = text.hasSuffix("%")
    let number = plainNumber(isPercent ? text.dropLast() : text[...])
    guard let share = number.map({ isPercent ? $0 / 100 : $0 }), share >= 0, share <= 1 else {
        throw ValidationError("'\(text)' is no share; write 75% or 0.75")
    }
    return share
}

/// A share above 0.
func parseBudget(_ text: String) throws -> Double {
    let share = try parseShare(text)
    guard share > 0 else { throw ValidationError("'\(text)' would be to never listen; for that write --events none") }
    return share
}

/// `2.5us`: what a message costs, at most a millisecond.
func parseCost(_ text: String) throws -> Duration {
    for (unit, microseconds) in [("ns", 0.001), ("us", 1), ("ms", 1000)] where text.hasSuffix(unit) {
        guard let number = plainNumber(text.dropLast(2)) else { break }
        let nanoseconds = number * microseconds * 1000
        guard nanoseconds >= 1, nanoseconds <= 1e6 else { break }
        return .nanoseconds(Int64(nanoseconds.rounded()))
    }
    throw ValidationError("'\(text)' is no cost of a message; write 2.5us, from 1ns to 1ms")
}

/// One of the words of `Choice`.
func parseChoice<Choice: RawRepresentable<String> & CaseIterable>(_ text: String) throws -> Choice {
    if let choice = Choice(rawValue: text) { return choice }
    let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
    throw ValidationError("'\(text)' is none of: \(words)")
}

/// `new,destroy`, or `none`.
func parseEvents(_ text: String) throws -> EventGroups {
    if text == "none" { return [] }
    var groups: EventGroups = []
    for word in text.split(separator: ",", omittingEmptySubsequences: false) {
        switch word {
        case "new": groups.insert(.new)
        case "update": groups.insert(.update)
        case "destroy": groups.insert(.destroy)
        default: throw ValidationError("'\(word)' is no event; write any of new,update,destroy, or none")
        }
    }
    return groups
}

/// Bytes: `262144`, `256K`, `16M`.
func parseSize(_ text: String) throws -> UInt32 {
    let (digits, scale): (Substring, UInt32) =
        switch text.last {
        case "K": (text.dropLast(), 1 << 10)
        case "M": (text.dropLast(), 1 << 20)
        default: (text[...], 1)
        }
    guard isPlain(digits), let number = UInt32(digits), number > 0, number <= (1 << 30) / scale else {
        throw ValidationError("'\(text)' is no size; write bytes, 256K or 16M, at most 1024M")
    }
    return number * scale
}

/// `auto`, or a limit as nf_conntrack_max takes it.
func parseExpectedLimit(_ text: String) throws -> UInt64? {
    if text == "auto" { return nil }
    guard isPlain(text[...]), let limit = UInt64(text), limit <= UInt64(Int32.max) else {
        throw ValidationError("'\(text)' is no limit; write auto, or a number from 0 (unlimited) to 2147483647")
    }
    return limit
}

/// `auto`, or what a module that was never seen means.
func parseAbsent(_ text: String) throws -> AbsentMeaning? {
    text == "auto" ? nil : try parseChoice(text)
}

/// `source`, or several keys: `source,port`.
func parseFields(_ text: String) throws -> [TopField] {
    var fields: [TopField] = []
    for word in text.split(separator: ",", omittingEmptySubsequences: false) {
        let field: TopField = try parseChoice(String(word))
        guard !fields.contains(field) else { throw ValidationError("'\(word)' is there twice") }
        fields.append(field)
    }
    return fields
}

/// How many leading bits of an address of `whole` bits count.
func parsePrefix(_ text: String, whole: Int) throws -> Int {
    guard isPlain(text[...]), let bits = Int(text), bits <= whole else {
        throw ValidationError("'\(text)' is no prefix length; write a number from 0 to \(whole)")
    }
    return bits
}

/// How many rows to show; 0 = all.
func parseRowLimit(_ text: String) throws -> Int {
    guard isPlain(text[...]), let limit = Int32(text) else {
        throw ValidationError("'\(text)' is no number of rows; write 0 for all, or 20")
    }
    return Int(limit)
}

/// Digits only; Swift's own parsing takes a sign as well.
private func isPlain(_ text: Substring) -> Bool {
    text.allSatisfy { $0.isASCII && $0.isNumber }
}

/// Digits with at most one point; no sign, no exponent, no "inf".
private func plainNumber(_ text: Substring) -> Double? {
    guard !text.isEmpty, text.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }) else { return nil }
    return Double(text)
}
