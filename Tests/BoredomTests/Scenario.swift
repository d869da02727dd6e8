// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackModel

/// A host as it is at the start.
struct HostPlan: Sendable {
    var limit: UInt64 = 262_144
    var buckets: UInt64 = 65_536
    var flows: [Flows]
    /// The share of the expired entries that packets meet, a second.
    var met = 0.05
    /// Seconds between two sweeps of the kernel.
    var sweepsEvery = 20.0
    /// Statistics that grow all the time, a second.
    var statistics: [Stat: Double] = [.found: 40, .invalid: 0.3]
    /// What sysctl configuration asks for.
    var configured: UInt64?
    var origin = LimitOrigin(memory: 8 << 30)
    /// Events are told one by one as well, so many of a kind a look at most: who makes them is then known.
    var toldEach = 0
}

/// What happens to a host.
enum Happening: Sendable {
    /// Connections that were open are closed; their entries stay `timeout` seconds.
    case close(Int, of: String, timeout: Double)
    /// Connections are opened that stay open.
    case open(Int, of: String)
    /// New entries of one moment.
    case burst(Int, of: String)
    /// From now on there is this times the usual of `of`.
    case factor(Double, of: String)
    /// The machine stands still.
    case suspend(seconds: Double)
    /// Somebody writes nf_conntrack_max.
    case limit(UInt64)
    /// Somebody writes another setting.
    case setting(String, UInt64)
    /// nf_conntrack is unloaded, and loaded again after `gone` seconds with its default.
    case reload(gone: Double, limit: UInt64)
    /// Rules that have connections tracked go, or come.
    case tracking(Bool)
    /// A program deletes all entries.
    case flush
    /// A program deletes some entries.
    case delete(Int, of: String)
    /// A statistic grows by so many more a second, for so many seconds.
    case statistic(Stat, perSecond: Double, for: Double)
    /// What is read from a disk takes this long from now on.
    case disk(seconds: Double)
    /// So many of the next events are lost in the kernel.
    case lose(Int)
    /// Sweeps come so many seconds apart from now on.
    case sweeps(every: Double)
}

/// A line that must be said: which, no later than so many seconds after when, and what it must name.
struct Expected: Sendable {
    /// As Announcement.brief.
    var line: String
    var after: Clock
    var within: Double
    var names: [String]

    init(_ line: String, after: Clock, within: Double, _ names: String...) {
        (self.line, self.after, self.within, self.names) = (line, after, within, names)
    }
}

/// A host, how long it is watched, what happens when, and all that may be said of it.
struct Scenario: Sendable, CustomTestStringConvertible {
    struct Event: Sendable {
        var at: Clock
        var words: String
        var happenings: [Happening]

        init(_ at: Clock, _ words: String, _ happenings: Happening...) {
            (self.at, self.words, self.happenings) = (at, words, happenings)
        }
    }

    var name: String
    var lasts: Clock
    /// Seconds between two looks, and between two samples.
    var looks = 1.0
    var interval = 1.0
    var host: HostPlan
    var happens: [Event] = []
    /// In this order, and nothing else.
    var says: [Expected] = []

    var testDescription: String { name }
}
