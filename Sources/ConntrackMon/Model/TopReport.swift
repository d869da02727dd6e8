// SPDX-License-Identifier: GPL-3.0-or-later

/// One group of entries.
public struct TopRow: Equatable, Sendable {
    /// What they have in common.
    package var key: TopKey
    /// How many; a table holds fewer than 2^31.
    package var entries: UInt32
    /// Of these, how many have seen no packet in reply.
    package var unreplied: UInt32
    /// Of these, how many are assured.
    package var assured: UInt32

    /// A group with its counts.
    package init(key: TopKey, entries: UInt32, unreplied: UInt32, assured: UInt32) {
        self.key = key
        self.entries = entries
        self.unreplied = unreplied
        self.assured = assured
    }
}

/// Which entries were counted, and of how many.
public struct TopFilter: Equatable, Sendable {
    /// The options, as they are written: "--proto tcp --dport 443".
    package var text: String
    /// How many entries the dump gave, wanted or not.
    package var dumped: UInt64

    /// Both.
    package init(text: String, dumped: UInt64) {
        self.text = text
        self.dumped = dumped
    }
}

/// What `top` found: the largest groups of one dump.
public struct TopReport: Equatable, Sendable {
    /// How the entries are grouped.
    public let grouping: TopGrouping
    /// When the dump had ended.
    package var moment: Moment
    /// Whose table it is.
    package var identity: Identity
    /// How many entries there are in all groups.
    package var entries: UInt64
    /// Entries that did not hold together and are in no group.
    package var truncated: UInt64
    /// What they were chosen by, where not every entry was wanted.
    package var filter: TopFilter?
    /// nf_conntrack_max; 0 = unlimited, nil = unknown.
    package var limit: UInt64?
    /// From the request to the dump's end.
    package var seconds: Double
    /// The hash was resized while it was walked.
    package var isInterrupted: Bool
    /// How many groups there are.
    package var groups: Int
    /// The largest.
    package var rows: [TopRow]

    /// A report of a dump that ended at `moment`.
    package init(
        grouping: TopGrouping, moment: Moment, identity: Identity, entries: UInt64, truncated: UInt64, limit: UInt64?,
        seconds: Double, isInterrupted: Bool, groups: Int, rows: [TopRow]
    ) {
        self.grouping = grouping
        self.moment = moment
        self.identity = identity
        self.entries = entries
        self.truncated = truncated
        self.limit = limit
        self.seconds = seconds
        self.isInterrupted = isInterrupted
        self.groups = groups
        self.rows = rows
    }

    /// What `count` is of all entries.
    package func share(of count: UInt64) -> Double {
        entries == 0 ? 0 : Double(count) / Double(entries)
    }
}
