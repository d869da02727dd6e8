// SPDX-License-Identifier: GPL-3.0-or-later

internal import CRecord
internal import ConntrackModel

/// What NAT must keep apart by the source port alone: its address, where that goes, port, protocol and zone; and which of
/// the kernel's own ranges the port is of, since it keeps low ones low. IPv4, so that it is two words.
struct NATKey: Equatable, Sendable {
    /// Both addresses as they lie in memory: the NAT address in the lower half.
    var addresses: UInt64
    /// From below: port, protocol, range (8 bits), zone.
    var rest: UInt64

    init(addresses: UInt64, rest: UInt64) {
        self.addresses = addresses
        self.rest = rest
    }

    /// Of an event that has one (`EventInPlace.hasNATKey`).
    @inline(__always)
    init(_ event: EventInPlace) {
        self.init(
            addresses: event.natAddresses, port: event.natRemotePort, protocol: event.protocol, natPort: event.natPort,
            zone: event.natZone)
    }

    /// Of a dump's entry with IPS_SRC_NAT; nil for those that take no port.
    init?(_ entry: cnf_entry) {
        guard AddressFamily(record: entry.family) == .ipv4, IPProtocol(rawValue: entry.protocol).hasPorts else {
            return nil
        }
        let address = AddressWords(entry.reply.destination).high & 0xffff_ffff
        self.init(
            addresses: AddressWords(entry.reply.source).high << 32 | address, port: entry.reply.source_port,
            protocol: entry.protocol, natPort: entry.reply.destination_port, zone: entry.reply_zone)
    }

    /// From the model's words.
    init(_ pair: Survey.NATPair) {
        let remote = pair.destination.prefix.address.words.high
        let low = UInt64(pair.destination.port ?? 0) | UInt64(pair.destination.protocol?.rawValue ?? 0) << 16
        addresses = remote << 32 | pair.address.words.high & 0xffff_ffff
        rest = low | UInt64(pair.ownRange) << 24 | UInt64(pair.zone) << 32
    }

    @inline(__always)
    private init(addresses: UInt64, port: UInt16, protocol number: UInt8, natPort: UInt16, zone: UInt16) {
        self.addresses = addresses
        let range = UInt64(NATKey.ownRange(of: natPort))
        rest = UInt64(port) | UInt64(number) << 16 | range << 24 | UInt64(zone) << 32
    }

    /// As `NATPortRange.ownIndex`, where it is inlined.
    @inline(__always)
    private static func ownRange(of port: UInt16) -> Int { port >= 1024 ? 0 : port >= 512 ? 1 : 2 }

    /// The number of the kernel's own range.
    var ownRange: Int { Int(rest >> 24 & 0xff) }

    /// In the model's words.
    var pair: Survey.NATPair {
        let remote = Address(.ipv4, AddressWords(high: addresses >> 32))
        let destination = Flow.Endpoint(
            AddressPrefix(remote), protocol: IPProtocol(rawValue: UInt8(truncatingIfNeeded: rest >> 16)),
            port: UInt16(truncatingIfNeeded: rest))
        return Survey.NATPair(
            address: Address(.ipv4, AddressWords(high: addresses & 0xffff_ffff)), destination: destination,
            zone: UInt16(truncatingIfNeeded: rest >> 32), ownRange: ownRange)
    }

    /// What a summary of a dump has counted.
    init(counted key: HeavyHitters.Key) {
        self.init(addresses: key.words.high, rest: key.words.low)
    }

    /// For a summary of a dump.
    var counted: HeavyHitters.Key { HeavyHitters.Key(AddressWords(high: addresses, low: rest), tag: 0) }
}
