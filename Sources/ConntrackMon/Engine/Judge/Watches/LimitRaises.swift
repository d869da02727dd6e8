// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// The limit as it was accepted before each time it was raised in the last minute.
struct LimitRaises: Sendable {
    private static let lasts = Duration.seconds(60)

    private var all: [(from: UInt64, at: MonotonicTime)] = []

    /// The limit was raised from what was accepted till then.
    mutating func add(from limit: UInt64, at time: MonotonicTime) {
        all.removeAll { time - $0.at >= LimitRaises.lasts }
        all.append((limit, time))
    }

    /// The latest raise that a write of `limit` takes back and no more: it was accepted then, or less was. That raise and
    /// those after it are over.
    mutating func undone(by limit: UInt64, at time: MonotonicTime) -> (from: UInt64, at: MonotonicTime)? {
        all.removeAll { time - $0.at >= LimitRaises.lasts }
        guard let index = all.lastIndex(where: { !isLess(limit, $0.from) }) else { return nil }
        let raise = all[index]
        all.removeSubrange((raise.from == limit ? index : index + 1)...)
        return raise
    }
}
