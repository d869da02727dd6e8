// SPDX-License-Identifier: GPL-3.0-or-later

/// Who made the new entries, and to whom: of those events that were seen.
public struct Talkers: Equatable, Sendable {
    /// About the last minute; `TalkerWindow.span` says how long exactly.
    public var minute: TalkerWindow
    /// Since the monitor began.
    public var sinceStart: TalkerWindow
}

/// What was counted in some time.
public struct TalkerWindow: Equatable, Sendable {
    /// How long.
    public var span: Duration
    /// New entries seen.
    public var new: UInt64
    /// Events of any kind lost meanwhile: what they were about is not known.
    public var lost: UInt64 = 0
    /// Who made most of them.
    public var sources = TalkerList()
    /// Where most of them went, as the packet that made the entry had it: before any NAT.
    public var destinations = TalkerList()

    /// What `talker` made for certain, as a share of all that was seen; nil when nothing was.
    public func share(of talker: Talker) -> Double? {
        new > 0 ? Double(talker.atLeast) / Double(new) : nil
    }
}

/// The first few of a list of talkers.
public struct TalkerList: Equatable, Sendable {
    /// Those with most, highest first.
    public var top: [Talker] = []
    /// What anybody who is not in `top` can have at most.
    public var othersAtMost: UInt64 = 0
}

/// One source, or one destination, and how many new entries it had.
public struct Talker: Equatable, Sendable {
    /// What is known for certain.
    public var atLeast: UInt64
    /// What it may have been.
    public var atMost: UInt64

    private let key: HeavyHitters.Key

    init(key: HeavyHitters.Key, atLeast: UInt64, atMost: UInt64) {
        self.key = key
        self.atLeast = atLeast
        self.atMost = atMost
    }

    /// AF_INET or AF_INET6.
    public var family: UInt8 { key.family }
    /// IPPROTO_*; nil of a source.
    public var `protocol`: UInt8? { key.protocol }
    /// The port; nil of a source, and of protocols that have none.
    public var port: UInt16? { key.port }
    /// "203.0.113.9", "2001:db8::1"; an IPv6 source as its prefix, "2001:db8:0:2::/64".
    public var address: String { key.addressText }
    /// A source's address; a destination's with port and protocol: "198.51.100.7:443/tcp", "198.51.100.7/icmp".
    public var name: String { key.text }
}
