// SPDX-License-Identifier: GPL-3.0-or-later

/// The source ports that NAT picks from.
public struct NATPortRange: Hashable, Sendable {
    /// The first port.
    public var lowest: UInt16
    /// The last port.
    public var highest: UInt16
    /// A narrower one than the kernel's own, as the ports that it chose show; false = the kernel's own, which it takes where
    /// the rule names none.
    public var isObserved = false

    /// A range of ports.
    public init(lowest: UInt16, highest: UInt16, isObserved: Bool = false) {
        self.lowest = lowest
        self.highest = highest
        self.isObserved = isObserved
    }

    /// How many ports it has.
    public var count: UInt64 { UInt64(highest) - UInt64(min(lowest, highest)) + 1 }

    /// "1024-65535".
    public var text: String { "\(lowest)-\(highest)" }

    /// The kernel's own ranges, by what the source port is to begin with: it keeps a low one low. Source:
    /// nf_nat_l4proto_unique_tuple in net/netfilter/nf_nat_core.c, since 2.6 with other names.
    package static let own = [
        NATPortRange(lowest: 1024, highest: 65535), NATPortRange(lowest: 600, highest: 1023),
        NATPortRange(lowest: 1, highest: 511),
    ]

    /// The number of the kernel's own range that `port` belongs to.
    package static func ownIndex(of port: UInt16) -> Int { port >= 1024 ? 0 : port >= 512 ? 1 : 2 }
}

/// How many of its ports one NAT address uses towards one destination. Each entry there needs one of its own: destinations
/// do not share, and neither do protocols or zones.
public struct NATPortUse: Equatable, Sendable {
    /// What the source became.
    public var address: Address
    /// Where it really goes, after any DNAT: address, port, protocol.
    public var destination: Flow.Endpoint
    /// The conntrack zone of the reply direction.
    public var zone: UInt16
    /// Entries that live.
    public var used: UInt64
    /// What they take ports from.
    public var range: NATPortRange
    /// What the last dump counted, at some time not long before; nil = it has not told.
    package var surveyed: UInt64?

    /// From its parts.
    public init(
        address: Address, destination: Flow.Endpoint, zone: UInt16 = 0, used: UInt64, range: NATPortRange,
        surveyed: UInt64? = nil
    ) {
        self.address = address
        self.destination = destination
        self.zone = zone
        self.used = used
        self.range = range
        self.surveyed = surveyed
    }

    /// How many ports there are.
    public var available: UInt64 { range.count }
    /// How many are not used.
    public var left: UInt64 { available - min(used, available) }
    /// used / available, at most 1.
    public var ratio: Double { min(1, Double(used) / Double(available)) }
    /// The destination's port.
    public var port: UInt16? { destination.port }
    /// IPPROTO_*.
    public var `protocol`: IPProtocol? { destination.protocol }

    /// "192.0.2.1 -> 198.51.100.7:443/tcp", with its zone where that is not 0.
    public var name: String {
        "\(address.text) -> \(destination.text)\(zone == 0 ? "" : " in zone \(zone)")"
    }

    /// "61800 of 64512 ports (95.8%), 2712 left".
    package var words: String {
        "\(used) of \(available) ports (\(percent(ratio))), \(left) left"
    }
}

/// What is known of the ports of NAT.
public struct NATPorts: Equatable, Sendable {
    /// Those that use most of what they have, first; those with a few entries are left out.
    public var uses: [NATPortUse] = []
    /// What a pair may have more than is told, since the last dump did not list it.
    public var unlisted: UInt64 = 0
    /// Events lost since the last dump: any figure may be wrong by so much.
    public var lost: UInt64 = 0

    /// None used.
    public init() {}
}
