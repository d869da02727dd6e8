// SPDX-License-Identifier: GPL-3.0-or-later

internal import CRecord
internal import Glibc

// What talkers are told apart by: 16 bytes of address, and in the tag, from below, the family, a bit that marks destinations,
// the protocol and the port.

private let destinationBit: UInt32 = 0x80

extension HeavyHitters.Key {
    /// An IPv4 source counts by its address, an IPv6 one by its /64: whoever has one IPv6 address has as many as he likes.
    @inline(__always)
    init(sourceOf event: cnf_event) {
        // The second half of an IPv4 address's 16 bytes is zero, and the second half of an IPv6 address is beyond the /64.
        self.init(high: words(event).4, low: 0, tag: UInt32(event.family))
    }

    /// A destination counts by address, protocol and port.
    @inline(__always)
    init(destinationOf event: cnf_event) {
        let (_, _, _, _, _, _, high, low) = words(event)
        let port = hasPorts(event.protocol) ? UInt32(event.destination_port) : 0
        let number = UInt32(event.protocol)
        self.init(high: high, low: low, tag: port << 16 | number << 8 | destinationBit | UInt32(event.family))
    }

    var family: UInt8 { UInt8(tag & (destinationBit - 1)) }
    /// nil of a source.
    var `protocol`: UInt8? { tag & destinationBit == 0 ? nil : UInt8(tag >> 8 & 0xff) }
    var port: UInt16? { self.protocol.map(hasPorts) == true ? UInt16(tag >> 16) : nil }

    private var bytes: AddressBytes { unsafeBitCast((high, low), to: AddressBytes.self) }

    var addressText: String {
        let isPrefix = self.protocol == nil && Int32(family) == AF_INET6
        return ConntrackMon.addressText(family: family, bytes) + (isPrefix ? "/64" : "")
    }

    var text: String {
        guard let number = self.protocol else { return addressText }
        let address = port.map { ConntrackMon.addressText(family: family, bytes, port: $0) } ?? addressText
        return "\(address)/\(protocolName(number))"
    }
}

/// An event as eight words, of which the last four are its addresses: as tuples of bytes they would be read byte by byte.
@inline(__always)
private func words(_ event: cnf_event) -> (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) {
    unsafeBitCast(event, to: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64).self)
}

/// TCP, UDP, DCCP, SCTP and UDP-Lite. What events of other protocols have in the place of a port differs with each
/// connection (GRE's key) or tells kinds of message apart (ICMP's type).
@inline(__always)
private func hasPorts(_ number: UInt8) -> Bool {
    switch number {
    case 6, 17, 33, 132, 136: true
    default: false
    }
}
