// SPDX-License-Identifier: GPL-3.0-or-later

package import CRecord
package import ConntrackModel

/// Events received and lost that no record has told of yet.
package struct PendingCounts: Equatable, Sendable {
    /// Decoded into a slot of the ring.
    package var received = EventCounts()
    /// The BPF ring was full.
    package var overrun = EventCounts()
    /// The socket's receive buffer was full: the kernel does not say of what kind.
    package var overrunUntyped: UInt64 = 0
    /// Longer than our receive buffer, or than the largest record of the BPF ring.
    package var truncated = EventCounts()
    /// Not decodable.
    package var malformed: UInt64 = 0
    /// Decoded, but our ring was full.
    package var dropped: UInt64 = 0
    /// From now on the kernel does not say how many it dropped.
    package var becameInexact = false

    /// None.
    package init() {}

    /// Nothing is to be told.
    package var isEmpty: Bool { self == PendingCounts() }

    /// Tells of them by `push`, which says whether there was room; what does not fit a record is kept.
    package mutating func push(at time: MonotonicTime, _ push: (cnf_counts) -> Bool) {
        guard !isEmpty else { return }
        var record = cnf_counts()
        record.time_ns = time.nanoseconds
        record.kind = UInt8(CNF_COUNTS.rawValue)
        record.inexact = becameInexact ? 1 : 0
        record.received = received.clamped
        record.overrun = overrun.clamped
        record.overrun_untyped = UInt32(clamping: overrunUntyped)
        record.truncated = truncated.clamped
        record.malformed = UInt32(clamping: malformed)
        record.dropped = UInt32(clamping: dropped)
        guard push(record) else { return }
        becameInexact = false
        received -= EventCounts(record.received)
        overrun -= EventCounts(record.overrun)
        overrunUntyped -= UInt64(record.overrun_untyped)
        truncated -= EventCounts(record.truncated)
        malformed -= UInt64(record.malformed)
        dropped -= UInt64(record.dropped)
    }
}

extension EventCounts {
    fileprivate var clamped: (UInt32, UInt32, UInt32) {
        (UInt32(clamping: new), UInt32(clamping: update), UInt32(clamping: destroy))
    }

    fileprivate static func -= (counts: inout Self, less: Self) {
        counts = counts - less
    }
}
