// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc

/// A point in time to give up at.
public struct Deadline: Sendable {
    private let end: ContinuousClock.Instant

    /// The point `limit` from now.
    public init(_ limit: Duration) {
        end = ContinuousClock.now + limit
    }

    /// Whether it has come.
    public var passed: Bool {
        ContinuousClock.now >= end
    }

    /// What is left, rounded up, as poll(2) wants it; 0 when it has passed.
    public var milliseconds: Int32 {
        let left = ContinuousClock.now.duration(to: end)
        guard left > .zero else { return 0 }
        return Int32(
            clamping: left.components.seconds * 1000 + (left.components.attoseconds + 999_999_999_999_999)
                / 1_000_000_000_000_000)
    }
}

/// Whether `condition` becomes true within `limit`. Looks every two milliseconds: for what nothing announces; where a
/// descriptor can be waited for, wait for that.
public func eventually(within limit: Duration = .seconds(10), _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = Deadline(limit)
    while true {
        if try condition() { return true }
        if deadline.passed { return false }
        poll(nil, 0, 2)
    }
}
