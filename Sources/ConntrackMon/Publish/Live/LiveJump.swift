// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// The time that `text` means: "10m", "1h30m", "90s" or "45" (seconds) before `from`, "+10m" after it, or the last "05:47" or
/// "05:47:02" (UTC) before `now`. nil for anything else.
func jumpTarget(_ text: String, from: WallTime, now: WallTime) -> WallTime? {
    let words = text.filter { $0 != " " && $0 != "Z" }
    if words.contains(":") { return clockTime(words, now: now) }
    let isForth = words.hasPrefix("+")
    let digits = words.hasPrefix("+") || words.hasPrefix("-") ? String(words.dropFirst()) : words
    guard let seconds = spanSeconds(digits) else { return nil }
    let step = seconds * 1_000_000_000
    return WallTime(nanoseconds: isForth ? from.nanoseconds + step : from.nanoseconds - step)
}

/// "1h30m", "90s", "45"; at most a week.
private func spanSeconds(_ text: String) -> Int64? {
    var total: Int64 = 0
    var number: Int64?
    for character in text {
        if let digit = character.wholeNumberValue, character.isASCII {
            number = (number ?? 0) * 10 + Int64(digit)
            guard let number, number <= 604_800 else { return nil }
            continue
        }
        guard let unit = ["s": 1, "m": 60, "h": 3600][character], let count = number else { return nil }
        total += count * Int64(unit)
        number = nil
    }
    let seconds = total + (number ?? 0)
    return seconds > 0 && seconds <= 604_800 ? seconds : nil
}

private func clockTime(_ text: String, now: WallTime) -> WallTime? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { Int64($0) }
    guard parts.count == 2 || parts.count == 3, let hour = parts[0], let minute = parts[1],
        let second = parts.count == 3 ? parts[2] : 0, (0..<24).contains(hour), (0..<60).contains(minute),
        (0..<60).contains(second)
    else { return nil }
    let day: Int64 = 86_400 * 1_000_000_000
    let midnight = now.nanoseconds - now.nanoseconds % day
    // The end of that second, so that what happened in it is included.
    let time = midnight + (hour * 3600 + minute * 60 + second) * 1_000_000_000 + 999_999_999
    return WallTime(nanoseconds: time > now.nanoseconds + 999_999_999 ? time - day : time)
}
