// SPDX-License-Identifier: GPL-3.0-or-later

/// What the entries of one group have in common, of a fixed size: a table has a million groups. What is not grouped by is 0.
@frozen public struct TopKey: Equatable, Sendable {
    /// The original direction's source, its prefix.
    public var source = AddressWords()
    /// The original direction's destination, its prefix.
    public var destination = AddressWords()
    /// What the source is translated to, its prefix.
    public var natSource = AddressWords()
    /// What the destination is translated to, its prefix.
    public var natDestination = AddressWords()
    /// Everything but addresses.
    public var traits = TopTraits()

    /// A key of which nothing is known.
    @inlinable
    public init() {}
}

/// Everything of a key but addresses, as two numbers.
@frozen public struct TopTraits: Equatable, Sendable {
    /// mark, port, zone: 32, 16, 16 bits.
    public var numbers: UInt64
    /// protocol, state, family, flags as below, family of natSource, of natDestination: 8 bits each.
    public var kinds: UInt64

    /// Traits from their numbers.
    @inlinable
    public init(numbers: UInt64 = 0, kinds: UInt64 = 0) {
        self.numbers = numbers
        self.kinds = kinds
    }

    /// IPS_ASSURED.
    @inlinable public static var assured: UInt64 { 1 << 24 }
    /// IPS_SRC_NAT.
    @inlinable public static var sourceNAT: UInt64 { 1 << 25 }
    /// IPS_DST_NAT.
    @inlinable public static var destinationNAT: UInt64 { 1 << 26 }
    /// There is a natSource.
    @inlinable public static var hasNATSource: UInt64 { 1 << 27 }
    /// There is a natDestination.
    @inlinable public static var hasNATDestination: UInt64 { 1 << 28 }
}

extension TopKey {
    /// The conntrack mark.
    package var mark: UInt32 { UInt32(traits.numbers >> 32) }
    /// What the destination has in the place of a port.
    package var port: Flow.Port {
        Flow.Port(ofDestination: UInt16(truncatingIfNeeded: traits.numbers >> 16), protocol: `protocol`)
    }
    /// The conntrack zone.
    package var zone: UInt16 { UInt16(truncatingIfNeeded: traits.numbers) }
    /// The IP protocol.
    package var `protocol`: IPProtocol { IPProtocol(rawValue: UInt8(truncatingIfNeeded: traits.kinds)) }
    /// The state.
    package var state: TopState { TopState(rawValue: UInt8(truncatingIfNeeded: traits.kinds >> 8)) }
    /// Of the three families, some are not grouped by or do not apply; the others are the same.
    package var family: AddressFamily {
        AddressFamily(record: UInt8(truncatingIfNeeded: traits.kinds >> 16 | traits.kinds >> 32 | traits.kinds >> 40))
    }

    /// Whether a flag of `TopTraits` is set.
    package func has(_ flag: UInt64) -> Bool { traits.kinds & flag != 0 }
}

/// A state's number: TCP's as the kernel has them, then those of entries that have none.
@frozen public struct TopState: RawRepresentable, Equatable, Sendable {
    /// enum tcp_conntrack, or one of those below.
    public var rawValue: UInt8

    /// A state by its number.
    @inlinable
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// No TCP: no packet came in reply.
    @inlinable public static var unreplied: Self { Self(rawValue: 0x80) }
    /// No TCP: packets went both ways.
    @inlinable public static var seenReply: Self { Self(rawValue: 0x81) }
    /// No TCP: a full table spares it.
    @inlinable public static var assured: Self { Self(rawValue: 0x82) }
    /// A flow table forwards it.
    @inlinable public static var offload: Self { Self(rawValue: 0x83) }
    /// A network card forwards it.
    @inlinable public static var hardwareOffload: Self { Self(rawValue: 0x84) }

    /// What it is called; its number when this program does not know it.
    package var name: String {
        switch self {
        case .unreplied: "UNREPLIED"
        case .seenReply: "SEEN_REPLY"
        case .assured: "ASSURED"
        case .offload: "OFFLOAD"
        case .hardwareOffload: "HW_OFFLOAD"
        default: TCPState(rawValue: rawValue).name
        }
    }
}
