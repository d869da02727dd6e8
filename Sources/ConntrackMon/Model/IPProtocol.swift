// SPDX-License-Identifier: GPL-3.0-or-later

/// An IP protocol by its number (IPPROTO_*).
@frozen public struct IPProtocol: RawRepresentable, Hashable, Sendable {
    /// The number in the IP header.
    public var rawValue: UInt8

    /// A protocol by its number.
    @inlinable
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// IPPROTO_ICMP.
    @inlinable public static var icmp: Self { Self(rawValue: 1) }
    /// IPPROTO_TCP.
    @inlinable public static var tcp: Self { Self(rawValue: 6) }
    /// IPPROTO_UDP.
    @inlinable public static var udp: Self { Self(rawValue: 17) }
    /// IPPROTO_DCCP.
    @inlinable public static var dccp: Self { Self(rawValue: 33) }
    /// IPPROTO_GRE.
    @inlinable public static var gre: Self { Self(rawValue: 47) }
    /// IPPROTO_ICMPV6.
    @inlinable public static var icmpv6: Self { Self(rawValue: 58) }
    /// IPPROTO_SCTP.
    @inlinable public static var sctp: Self { Self(rawValue: 132) }
    /// IPPROTO_UDPLITE.
    @inlinable public static var udplite: Self { Self(rawValue: 136) }

    /// Whether its packets go from port to port. What records of other protocols have in the place of a port differs with
    /// each connection (GRE's key) or tells kinds of message apart (ICMP's type).
    @inlinable
    public var hasPorts: Bool {
        switch rawValue {
        case 6, 17, 33, 132, 136: true
        default: false
        }
    }

    /// As /etc/protocols and conntrack(8) call it; its number when it has no name here.
    public var name: String {
        switch self {
        case .tcp: "tcp"
        case .udp: "udp"
        case .icmp: "icmp"
        case .icmpv6: "icmpv6"
        case .sctp: "sctp"
        case .dccp: "dccp"
        case .gre: "gre"
        case .udplite: "udplite"
        default: "\(rawValue)"
        }
    }
}

/// The name of an IP protocol by its number.
public func protocolName(_ number: UInt8) -> String {
    IPProtocol(rawValue: number).name
}
