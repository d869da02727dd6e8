// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc

// Numbers and times as people read them. `String(format:)` would bring ICU and 45 MB with it.

/// `value` with `digits` digits after the point, rounded half away from zero; 1e15 and beyond as Swift prints it.
public func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite, value.magnitude < 1e15 else { return "\(value)" }
    let scale = (0..<digits).reduce(1.0) { product, _ in product * 10 }
    let scaled = UInt64((value.magnitude * scale).rounded(.toNearestOrAwayFromZero))
    let whole = scaled / UInt64(scale)
    let sign = value < 0 && scaled != 0 ? "-" : ""
    guard digits > 0 else { return "\(sign)\(whole)" }
    return "\(sign)\(whole).\(padded(Int64(scaled % UInt64(scale)), digits))"
}

/// A number whose thousands are set apart, as a person reads it: "1,048,576". Not for what is to be typed.
public func grouped(_ value: UInt64) -> String {
    let digits = String(value)
    var text = ""
    for (index, digit) in digits.enumerated() {
        if index > 0 && (digits.utf8.count - index) % 3 == 0 { text += "," }
        text.append(digit)
    }
    return text
}

/// A share as a percentage: "76.7%", with a second digit below 10 % and none lost above 1000 %.
public func percent(_ share: Double) -> String {
    let value = share * 100
    return fixed(value, value < 10 ? 2 : value < 1000 ? 1 : 0) + "%"
}

/// A duration in the largest unit that keeps it readable: "0.4s", "128.1s", "12m30s", "3h05m", "2d4h".
public func readable(seconds: Double) -> String {
    guard seconds < 1e15 else { return "forever" }
    let tenths = (max(0, seconds) * 10).rounded()
    let whole = Int(max(0, seconds).rounded())
    if tenths < 6000 { return fixed(tenths / 10, 1) + "s" }
    switch whole {
    case ..<3600: return "\(whole / 60)m\(padded(Int64(whole % 60), 2))s"
    case ..<86400: return "\(whole / 3600)h\(padded(Int64(whole % 3600 / 60), 2))m"
    default: return "\(whole / 86400)d\(whole % 86400 / 3600)h"
    }
}

/// A duration as flags have it, to the millisecond: "100ms", "2s".
public func durationText(_ duration: Duration) -> String {
    let milliseconds = duration.inNanoseconds / 1_000_000
    return milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms"
}

/// RFC 3339, UTC, milliseconds: "2026-11-24T05:47:02.310Z".
public func rfc3339(_ time: WallTime) -> String {
    var seconds = time_t(time.nanoseconds / 1_000_000_000)
    let milliseconds = max(0, time.nanoseconds % 1_000_000_000 / 1_000_000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    let date =
        "\(padded(Int64(parts.tm_year) + 1900, 4))-\(padded(Int64(parts.tm_mon) + 1, 2))-\(padded(Int64(parts.tm_mday), 2))"
    let clock = "\(padded(Int64(parts.tm_hour), 2)):\(padded(Int64(parts.tm_min), 2)):\(padded(Int64(parts.tm_sec), 2))"
    return "\(date)T\(clock).\(padded(milliseconds, 3))Z"
}

/// A number with leading zeros.
private func padded(_ value: Int64, _ width: Int) -> String {
    let text = String(value)
    return text.count >= width ? text : String(repeating: "0", count: width - text.count) + text
}

/// A limit as people say it.
public func limitText(_ limit: UInt64) -> String {
    limit == 0 ? "unlimited (0)" : "\(limit)"
}
