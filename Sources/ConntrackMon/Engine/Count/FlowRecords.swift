// SPDX-License-Identifier: GPL-3.0-or-later

package import CRecord
internal import ConntrackModel

// From C's records to the model's words for flows.

extension cnf_event {
    /// Its addresses: of two words each, the source's first; of IPv4 without what is of NAT. An event is read as eight words, of which these are the last
    /// four: as tuples of bytes they would be read byte by byte.
    @inline(__always)
    var addresses: (source: AddressWords, destination: AddressWords) {
        typealias Words = (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)
        let words = unsafeBitCast(self, to: Words.self)
        let isWhole = family == AddressFamily.ipv6.rawValue
        return (
            AddressWords(high: words.4, low: isWhole ? words.5 : 0),
            AddressWords(high: words.6, low: isWhole ? words.7 : 0)
        )
    }
}

extension Flow {
    /// What the packet that made the entry had. Not for every event: it costs more than counting one.
    package init(_ event: cnf_event) {
        let family = AddressFamily(record: event.family)
        self.init(
            source: Address(family, event.addresses.source), destination: Address(family, event.addresses.destination),
            protocol: IPProtocol(rawValue: event.protocol), sourceNumber: event.source_port,
            destinationNumber: event.destination_port)
    }

    /// The original direction of an entry.
    package init(_ entry: cnf_entry) {
        self.init(entry.original, family: entry.family, protocol: entry.protocol)
    }

    /// One direction of an entry.
    package init(_ tuple: cnf_tuple, family: UInt8, protocol: UInt8) {
        let family = AddressFamily(record: family)
        self.init(
            source: Address(family, AddressWords(tuple.source)),
            destination: Address(family, AddressWords(tuple.destination)),
            protocol: IPProtocol(rawValue: `protocol`), sourceNumber: tuple.source_port,
            destinationNumber: tuple.destination_port)
    }
}
