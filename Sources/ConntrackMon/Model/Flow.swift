// SPDX-License-Identifier: GPL-3.0-or-later

/// What a packet that opened a connection had: conntrack's tuple of the original direction.
public struct Flow: Hashable, Sendable {
    /// Who sent it.
    public var source: Address
    /// To whom, before any translation.
    public var destination: Address
    /// The IP protocol.
    public var `protocol`: IPProtocol
    /// What the source has in the place of a port.
    public var sourcePort: Port
    /// What the destination has in the place of a port.
    public var destinationPort: Port

    /// `sourceNumber` and `destinationNumber` are what records carry in the places of the ports: see `Port`.
    public init(
        source: Address, destination: Address, protocol: IPProtocol, sourceNumber: UInt16, destinationNumber: UInt16
    ) {
        self.source = source
        self.destination = destination
        self.protocol = `protocol`
        sourcePort = Port(ofSource: sourceNumber, protocol: `protocol`)
        destinationPort = Port(ofDestination: destinationNumber, protocol: `protocol`)
    }

    /// What stands where ports do.
    public enum Port: Hashable, Sendable {
        /// A port: TCP, UDP, UDP-Lite, SCTP, DCCP.
        case number(UInt16)
        /// What ICMP and ICMPv6 have at the destination.
        case icmp(type: UInt8, code: UInt8)
        /// What ICMP and ICMPv6 have at the source: the id of an echo.
        case identifier(UInt16)
        /// A key of GRE (of PPTP).
        case key(UInt16)
        /// Nothing: other protocols.
        case none

        /// The destination's, of a record: for ICMP type << 8 | code.
        public init(ofDestination number: UInt16, protocol: IPProtocol) {
            switch `protocol` {
            case .icmp, .icmpv6: self = .icmp(type: UInt8(number >> 8), code: UInt8(truncatingIfNeeded: number))
            default: self = .of(number, `protocol`)
            }
        }

        /// The source's, of a record: for ICMP the id.
        public init(ofSource number: UInt16, protocol: IPProtocol) {
            switch `protocol` {
            case .icmp, .icmpv6: self = .identifier(number)
            default: self = .of(number, `protocol`)
            }
        }

        private static func of(_ number: UInt16, _ protocol: IPProtocol) -> Self {
            if `protocol`.hasPorts { return .number(number) }
            return `protocol` == .gre ? .key(number) : .none
        }
    }

    /// Where flows come from or go to, as far as it is told apart: an address or a prefix, a protocol, a port.
    public struct Endpoint: Hashable, Sendable {
        /// The address, or the prefix that counts as one.
        public var prefix: AddressPrefix
        /// nil = whatever it is.
        public var `protocol`: IPProtocol?
        /// nil = whatever it is, and for protocols without.
        public var port: UInt16?

        /// An end; `port` only beside a protocol that has ports.
        public init(_ prefix: AddressPrefix, protocol: IPProtocol? = nil, port: UInt16? = nil) {
            self.prefix = prefix
            self.protocol = `protocol`
            self.port = port
        }

        /// "203.0.113.9", "2001:db8:0:2::/64", "198.51.100.7:443/tcp", "198.51.100.7/icmp".
        public var text: String {
            guard let `protocol` else { return prefix.text }
            return "\(port.map { prefix.address.text(port: $0) } ?? prefix.text)/\(`protocol`.name)"
        }
    }
}
