// SPDX-License-Identifier: GPL-3.0-or-later

/// What led to a critical alert and what came just after, kept for whoever looks at it later: the last minutes of looks and
/// intervals, all that was said meanwhile, and what is known at its end.
public struct Incident: Sendable {
    /// The table at one look.
    public struct Look: Equatable, Sendable {
        /// When.
        public var wall: WallTime
        /// nf_conntrack_count; nil where it was not there or could not be read.
        public var entries: UInt64?
        /// nf_conntrack_max, 0 = unlimited; nil likewise.
        public var limit: UInt64?

        /// A look.
        public init(wall: WallTime, entries: UInt64?, limit: UInt64?) {
            self.wall = wall
            self.entries = entries
            self.limit = limit
        }
    }

    /// What one interval counted, a second. What is not known is nil.
    public struct Interval: Equatable, Sendable {
        /// Its end.
        public var wall: WallTime
        /// New entries.
        public var new: Double?
        /// Entries gone.
        public var destroy: Double?
        /// Events lost in it, whatever the reason.
        public var lost: UInt64
        /// Growth of the kernel's statistics.
        public var stats: StatValues?

        /// What `sample` says.
        public init(_ sample: Sample) {
            wall = sample.moment.wall
            new = sample.newPerSecond
            destroy = sample.destroyPerSecond
            lost = sample.lostNow.total
            stats = sample.statsNow
        }
    }

    /// The alert that it is about; nil = somebody asked for it.
    public var cause: Announcement?
    /// In their order.
    public var looks: [Look]
    /// In their order.
    public var intervals: [Interval]
    /// In their order.
    public var said: [Announcement]
    /// What is known at its end.
    public var report: Report

    /// From its parts.
    public init(
        cause: Announcement?, looks: [Look], intervals: [Interval], said: [Announcement], report: Report
    ) {
        self.cause = cause
        self.looks = looks
        self.intervals = intervals
        self.said = said
        self.report = report
    }
}
