// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc

// A group's key as people and programs read it.

/// What stands where ports do.
enum TopPort {
    case port(UInt16)
    case icmp(type: UInt8, code: UInt8)
    case key(UInt16)
    case none

    init(_ key: TopKey) {
        let number = key.port
        switch protocolName(key.protocol) {
        case "tcp", "udp", "sctp", "dccp", "udplite": self = .port(number)
        case "icmp", "icmpv6": self = .icmp(type: UInt8(number >> 8), code: UInt8(truncatingIfNeeded: number))
        case "gre": self = .key(number)
        default: self = .none
        }
    }

    /// As conntrack(8) words it, without a blank.
    var text: String {
        switch self {
        case .port(let number): "\(number)"
        case .icmp(let type, let code): "type=\(type),code=\(code)"
        case .key(let number): "dstkey=0x\(String(number, radix: 16))"
        case .none: "-"
        }
    }
}

extension TopKey {
    var natKind: String {
        switch (has(Traits.sourceNAT), has(Traits.destinationNAT)) {
        case (false, false): "none"
        case (true, false): "source"
        case (false, true): "destination"
        case (true, true): "both"
        }
    }
}

extension TopGrouping {
    /// A field of a key, for people: a word without a blank.
    func word(_ field: TopField, of key: TopKey) -> String {
        switch field {
        case .source: text(of: key.source, in: key)
        case .destination: text(of: key.destination, in: key)
        case .port: "\(TopPort(key).text)/\(protocolName(key.protocol))"
        case .state: key.state.name
        case .protocol: protocolName(key.protocol)
        case .zone: "\(key.zone)"
        case .mark: "\(key.mark)"
        case .assured: key.has(TopKey.Traits.assured) ? "yes" : "no"
        case .nat: key.natKind
        case .natSource: key.has(TopKey.Traits.hasNATSource) ? text(of: key.natSource, in: key) : "-"
        case .natDestination: key.has(TopKey.Traits.hasNATDestination) ? text(of: key.natDestination, in: key) : "-"
        }
    }

    /// An address, with the prefix's length where it is less than a whole one.
    func text(of bits: AddressBits, in key: TopKey) -> String {
        let (prefix, whole) = key.isIPv6 ? (prefix6, 128) : (prefix4, 32)
        let address = bits.text(isIPv6: key.isIPv6)
        return prefix == whole ? address : "\(address)/\(prefix)"
    }
}

extension AddressBits {
    /// As inet_ntop(3) has it.
    func text(isIPv6: Bool) -> String {
        let bytes = [high.bigEndian, low.bigEndian]
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
            let address = inet_ntop(
                isIPv6 ? AF_INET6 : AF_INET, bytes, text.baseAddress, socklen_t(INET6_ADDRSTRLEN))
            return address.map { String(cString: $0) } ?? "?"
        }
    }
}
