// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

// How numbers are written. Each says what it expects when it does not get it.

extension ValueFormat where Value == Duration {
    /// `250ms`, `10s`, `5m`, `1h`, `1d`, `1.5s`, and as lines have it: `8m20s`, `3h05m`, `1d2h`; 0 needs no unit.
    static let duration = number("duration", durationOf, text: durationText(of:))

    /// A duration that must not be 0.
    static let interval = number(
        "duration",
        { text throws(OptionError) in
            let duration = try durationOf(text)
            guard duration >= .milliseconds(1) else { throw OptionError("'\(text)' is too short; at least 1ms") }
            return duration
        }, text: durationText(of:))

    /// `2.5us`: what a message costs, at most a millisecond.
    static let cost = number(
        "time",
        { text throws(OptionError) in
            for (unit, size) in [("ns", 1.0), ("us", 1e3), ("ms", 1e6)] where text.hasSuffix(unit) {
                guard let number = plainNumber(text.dropLast(2)) else { break }
                let nanoseconds = number * size
                guard nanoseconds >= 1, nanoseconds <= 1e6 else { break }
                return .nanoseconds(Int64(nanoseconds.rounded()))
            }
            throw OptionError("'\(text)' is no cost of a message; write 2.5us, from 1ns to 1ms")
        }, text: { decimal($0.inNanoseconds, digits: 3) + "us" })
}

/// The largest unit first, each once.
private let durationUnits = [("d", 86_400e9), ("h", 3600e9), ("m", 60e9), ("s", 1e9), ("ms", 1e6)]

private func durationOf(_ text: String) throws(OptionError) -> Duration {
    if text == "0" { return .zero }
    guard let nanoseconds = nanosecondsOf(text[...]), nanoseconds < 1e18 else {
        throw OptionError("'\(text)' is no duration; write 250ms, 10s, 5m, 1h, 1d or 1h30m")
    }
    return .nanoseconds(Int64(nanoseconds.rounded()))
}

/// nil = no duration. Each unit is smaller than the one before it, and only the last number may have a fraction.
private func nanosecondsOf(_ text: Substring) -> Double? {
    var rest = text
    var units = durationUnits[...]
    var total = 0.0
    while !rest.isEmpty {
        let digits = rest.prefix { !$0.isLetter }
        rest = rest.dropFirst(digits.count)
        let word = rest.prefix { $0.isLetter }
        rest = rest.dropFirst(word.count)
        guard let number = plainNumber(digits), rest.isEmpty || isPlain(digits),
            let index = units.firstIndex(where: { $0.0 == word })
        else { return nil }
        total += number * units[index].1
        units = units[(index + 1)...]
    }
    return text.isEmpty ? nil : total
}

/// In the largest unit that divides it; minutes and hours from two of them on: 60s, 15m.
private func durationText(of duration: Duration) -> String {
    let nanoseconds = duration.inNanoseconds
    let seconds = nanoseconds / 1_000_000_000
    guard nanoseconds % 1_000_000_000 == 0 else { return decimal(nanoseconds, digits: 6) + "ms" }
    for (unit, size) in [("h", Int64(3600)), ("m", 60)] where seconds % size == 0 && seconds >= 2 * size {
        return "\(seconds / size)\(unit)"
    }
    return "\(seconds)s"
}

extension ValueFormat where Value == Double {
    /// `75%` or `0.75`.
    static let share = number("share", shareOf, text: shareText)

    /// A share above 0.
    static let budget = number(
        "share",
        { text throws(OptionError) in
            let share = try shareOf(text)
            guard share > 0 else {
                throw OptionError("'\(text)' would be to never listen; for that write --events none")
            }
            return share
        }, text: shareText)
}

private func shareOf(_ text: String) throws(OptionError) -> Double {
    let isPercent = text.hasSuffix("%")
    let number = plainNumber(isPercent ? text.dropLast() : text[...])
    guard let share = number.map({ isPercent ? $0 / 100 : $0 }), share >= 0, share <= 1 else {
        throw OptionError("'\(text)' is no share; write 75% or 0.75")
    }
    return share
}

/// In per cent, with as many digits as it takes to be the same number again.
private func shareText(_ share: Double) -> String {
    for digits in 0...12 {
        let percent = fixed(share * 100, digits)
        if Double(percent).map({ $0 / 100 }) == share { return percent + "%" }
    }
    return "\(share)"
}

extension ValueFormat where Value == UInt32 {
    /// Bytes: `262144`, `256K`, `16M`.
    static let size = number(
        "size",
        { text throws(OptionError) in
            let (digits, scale): (Substring, UInt32) =
                switch text.last {
                case "K": (text.dropLast(), 1 << 10)
                case "M": (text.dropLast(), 1 << 20)
                default: (text[...], 1)
                }
            guard isPlain(digits), let number = UInt32(digits), number > 0, number <= (1 << 30) / scale else {
                throw OptionError("'\(text)' is no size; write bytes, 256K or 16M, at most 1024M")
            }
            return number * scale
        },
        text: { bytes in
            bytes % (1 << 20) == 0 ? "\(bytes >> 20)M" : bytes % (1 << 10) == 0 ? "\(bytes >> 10)K" : "\(bytes)"
        })
}

extension ValueFormat where Value == UInt64? {
    /// `auto` for nil, or a limit as nf_conntrack_max takes it.
    static let limit = number(
        "limit",
        { text throws(OptionError) in
            if text == "auto" { return nil }
            guard isPlain(text[...]), let limit = UInt64(text), limit <= UInt64(Int32.max) else {
                throw OptionError("'\(text)' is no limit; write auto, or a number from 0 (unlimited) to 2147483647")
            }
            return limit
        }, text: { $0.map(String.init) ?? "auto" })
}

extension ValueFormat where Value == Int {
    /// So many entries of a table: at most what nf_conntrack_max can be.
    static let entries = number(
        "entries",
        { text throws(OptionError) in
            guard isPlain(text[...]), let entries = Int(text), (1...Int(Int32.max)).contains(entries) else {
                throw OptionError("'\(text)' is no number of entries; write one from 1 to 2147483647")
            }
            return entries
        }, text: { "\($0)" })

    /// A whole number; what it must be is checked with the other settings.
    static func whole(_ placeholder: String) -> Self {
        number(
            placeholder,
            { text throws(OptionError) in
                guard let number = Int(text) else { throw OptionError("'\(text)' is no whole number") }
                return number
            }, text: { "\($0)" })
    }

    /// How many leading bits of an address of `whole` bits count.
    static func prefix(of whole: Int) -> Self {
        number(
            "bits",
            { text throws(OptionError) in
                guard isPlain(text[...]), let bits = Int(text), bits <= whole else {
                    throw OptionError("'\(text)' is no prefix length; write a number from 0 to \(whole)")
                }
                return bits
            }, text: { "\($0)" })
    }

    /// How many rows to show; 0 = all.
    static let rows = number(
        "count",
        { text throws(OptionError) in
            guard isPlain(text[...]), let limit = Int32(text) else {
                throw OptionError("'\(text)' is no number of rows; write 0 for all, or 20")
            }
            return Int(limit)
        }, text: { "\($0)" })
}

extension ValueFormat {
    fileprivate static func number(
        _ placeholder: String, _ parse: @escaping @Sendable (String) throws(OptionError) -> Value,
        text: @escaping @Sendable (Value) -> String
    ) -> Self {
        Self(placeholder: placeholder, isNumber: true, parse: parse, text: text)
    }
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

/// `value` with its last `digits` digits behind a point, without needless zeros: 2500 with 3 is "2.5".
private func decimal(_ value: Int64, digits: Int) -> String {
    let scale = (0..<digits).reduce(Int64(1)) { product, _ in product * 10 }
    guard value % scale != 0 else { return "\(value / scale)" }
    var fraction = String(scale + value % scale).dropFirst()
    while fraction.hasSuffix("0") { fraction.removeLast() }
    return "\(value / scale).\(fraction)"
}
