// SPDX-License-Identifier: GPL-3.0-or-later

/// Who made the new entries, and to whom: of those events that were seen.
public struct Talkers: Equatable, Sendable {
    /// About the last minute; `TalkerWindow.span` says how long exactly.
    public var minute: TalkerWindow
    /// Since the monitor began.
    public var sinceStart: TalkerWindow

    /// What was counted in both stretches of time.
    package init(minute: TalkerWindow, sinceStart: TalkerWindow) {
        self.minute = minute
        self.sinceStart = sinceStart
    }
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

    /// `new` entries in `span`, and nobody listed yet.
    package init(span: Duration, new: UInt64, lost: UInt64 = 0) {
        self.span = span
        self.new = new
        self.lost = lost
    }

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

    /// A list; empty when nobody is named.
    package init(top: [Talker] = [], othersAtMost: UInt64 = 0) {
        self.top = top
        self.othersAtMost = othersAtMost
    }
}

/// One source, or one destination, and how many new entries it had.
public struct Talker: Equatable, Sendable {
    /// Who: an IPv4 source by its address, an IPv6 one by its /64; a destination by address, protocol and port.
    public var endpoint: Flow.Endpoint
    /// What is known for certain.
    public var atLeast: UInt64
    /// What it may have been.
    public var atMost: UInt64

    /// A talker with its bounds.
    public init(_ endpoint: Flow.Endpoint, atLeast: UInt64, atMost: UInt64) {
        self.endpoint = endpoint
        self.atLeast = atLeast
        self.atMost = atMost
    }

    /// IPPROTO_*; nil of a source.
    public var `protocol`: IPProtocol? { endpoint.protocol }
    /// The port; nil of a source, and of protocols that have none.
    public var port: UInt16? { endpoint.port }
    /// "203.0.113.9", "2001:db8::1"; an IPv6 source as its prefix, "2001:db8:0:2::/64".
    public var address: String { endpoint.prefix.text }
    /// A source's address; a destination's with port and protocol: "198.51.100.7:443/tcp", "198.51.100.7/icmp".
    public var name: String { endpoint.text }
}
