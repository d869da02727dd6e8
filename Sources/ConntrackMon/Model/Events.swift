// SPDX-License-Identifier: GPL-3.0-or-later

/// Events counted, by kind. Cumulative or of one interval.
public struct EventCounts: Equatable, Sendable {
    /// Entries confirmed.
    public var new: UInt64 = 0
    /// Entries changed.
    public var update: UInt64 = 0
    /// Entries gone.
    public var destroy: UInt64 = 0

    /// All of them.
    public var total: UInt64 { new + update + destroy }

    /// Counts; none by default.
    public init(new: UInt64 = 0, update: UInt64 = 0, destroy: UInt64 = 0) {
        self.new = new
        self.update = update
        self.destroy = destroy
    }

    package static func - (now: Self, before: Self) -> Self {
        Self(new: now.new - before.new, update: now.update - before.update, destroy: now.destroy - before.destroy)
    }

    package static func += (counts: inout Self, more: Self) {
        counts.new += more.new
        counts.update += more.update
        counts.destroy += more.destroy
    }
}

/// Events the monitor did not get to count, by why.
public struct LostEvents: Equatable, Sendable {
    /// Dropped by the kernel: the socket's receive buffer or the BPF ring was full.
    public var overrun: UInt64 = 0
    /// Longer than our receive buffer, or than the largest record of the BPF ring.
    public var truncated: UInt64 = 0
    /// Not decodable.
    public var malformed: UInt64 = 0
    /// Decoded, but our ring was full.
    public var dropped: UInt64 = 0

    /// All of them.
    public var total: UInt64 { overrun + truncated + malformed + dropped }

    /// Nothing lost.
    public init(overrun: UInt64 = 0, truncated: UInt64 = 0, malformed: UInt64 = 0, dropped: UInt64 = 0) {
        self.overrun = overrun
        self.truncated = truncated
        self.malformed = malformed
        self.dropped = dropped
    }

    package static func - (now: Self, before: Self) -> Self {
        Self(
            overrun: now.overrun - before.overrun, truncated: now.truncated - before.truncated,
            malformed: now.malformed - before.malformed, dropped: now.dropped - before.dropped)
    }

    package static func += (lost: inout Self, more: Self) {
        lost.overrun += more.overrun
        lost.truncated += more.truncated
        lost.malformed += more.malformed
        lost.dropped += more.dropped
    }
}
