// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

// What talkers are told apart by: an address, and in the tag, from below, the family, a bit that marks destinations, the
// protocol and the port.

private let destinationBit: UInt32 = 0x80

extension HeavyHitters.Key {
    /// An IPv4 source counts by its address, an IPv6 one by its /64: whoever has one IPv6 address has as many as he likes.
    @inline(__always)
    init(sourceOf event: EventInPlace) {
        self.init(source: event.sourceHigh, family: event.family)
    }

    /// A source by the first eight bytes of its address: of an IPv4 address the others are zero, and of an IPv6 address
    /// beyond the /64.
    @inline(__always)
    init(source high: UInt64, family: UInt8) {
        self.init(AddressWords(high: high), tag: UInt32(family))
    }

    /// A destination counts by address, protocol and port.
    @inline(__always)
    init(destinationOf event: EventInPlace) {
        let port = IPProtocol(rawValue: event.protocol).hasPorts ? UInt32(event.destinationPort) : 0
        let number = UInt32(event.protocol)
        self.init(
            event.destination, tag: port << 16 | number << 8 | destinationBit | UInt32(event.family))
    }

    /// A destination by its parts.
    init(destination: AddressWords, port: UInt16, protocol number: UInt8, family: UInt8) {
        let port = IPProtocol(rawValue: number).hasPorts ? UInt32(port) : 0
        self.init(destination, tag: port << 16 | UInt32(number) << 8 | destinationBit | UInt32(family))
    }

    /// Who is counted, in the model's words.
    var endpoint: Flow.Endpoint {
        let address = Address(AddressFamily(record: UInt8(tag & (destinationBit - 1))), words)
        guard tag & destinationBit != 0 else {
            return Flow.Endpoint(AddressPrefix(address, length: address.family == .ipv6 ? 64 : nil))
        }
        let number = IPProtocol(rawValue: UInt8(truncatingIfNeeded: tag >> 8))
        return Flow.Endpoint(
            AddressPrefix(address), protocol: number, port: number.hasPorts ? UInt16(tag >> 16) : nil)
    }
}
