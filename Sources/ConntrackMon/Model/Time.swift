// SPDX-License-Identifier: GPL-3.0-or-later

/// Nanoseconds of CLOCK_BOOTTIME: never goes back, and goes on while the machine is suspended, so that a gap in
/// sampling shows. Every hold, rate and age is measured by it; the wall clock only stamps what is printed.
public struct MonotonicTime: Comparable, Hashable, Sendable {
    /// Nanoseconds since boot.
    public var nanoseconds: UInt64

    /// A point in time, `nanoseconds` after boot.
    public init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// Earlier means less.
    public static func < (left: Self, right: Self) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The time between two points; zero when `earlier` is the later one.
    public static func - (later: Self, earlier: Self) -> Duration {
        later > earlier ? .nanoseconds(later.nanoseconds - earlier.nanoseconds) : .zero
    }

    /// The point `duration` later.
    public static func + (time: Self, duration: Duration) -> Self {
        Self(nanoseconds: time.nanoseconds &+ UInt64(max(0, duration.inNanoseconds)))
    }
}

/// Nanoseconds since 1970, UTC (CLOCK_REALTIME). It may jump; nothing is decided by it.
public struct WallTime: Hashable, Sendable {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    public var nanoseconds: Int64

    /// A point in time, `nanoseconds` after 1970.
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Seconds since 1970.
    public var seconds: Double { Double(nanoseconds) / 1e9 }
}

/// One moment by both clocks; rules get it passed in and never ask for it.
public struct Moment: Hashable, Sendable {
    /// What durations are measured by.
    public var monotonic: MonotonicTime
    /// What is printed.
    public var wall: WallTime

    /// A moment by both clocks.
    public init(monotonic: MonotonicTime, wall: WallTime) {
        self.monotonic = monotonic
        self.wall = wall
    }

    /// The later one by what durations are measured by.
    package static func later(_ one: Moment, _ other: Moment) -> Moment {
        one.monotonic < other.monotonic ? other : one
    }

    /// Nanoseconds that the wall clock is ahead of the other one.
    package var wallOffset: Int64 { wall.nanoseconds - Int64(bitPattern: monotonic.nanoseconds) }

    /// The moment at `monotonic`, when the wall clock was so many nanoseconds ahead.
    package init(monotonic: MonotonicTime, wallOffset: Int64) {
        self.monotonic = monotonic
        wall = WallTime(nanoseconds: Int64(bitPattern: monotonic.nanoseconds) &+ wallOffset)
    }
}

extension Duration {
    /// Whole nanoseconds, up to 292 years.
    public var inNanoseconds: Int64 {
        let parts = components
        return parts.seconds.multipliedReportingOverflow(by: 1_000_000_000).overflow
            ? .max : parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000
    }

    /// Seconds with their fraction.
    public var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
