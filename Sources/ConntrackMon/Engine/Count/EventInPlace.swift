// SPDX-License-Identifier: GPL-3.0-or-later

internal import CRecord
internal import ConntrackModel

/// An event where it lies in the ring. Only what is looked at is loaded, and an address as two words: of a `cnf_event`
/// taken as a value the compiler loads every byte of the addresses by itself (Swift 6.3), 25 instructions more an event.
/// The places are those of CRecord.h; CRecord.c asserts them.
struct EventInPlace {
    private let record: UnsafeRawPointer

    @inline(__always)
    init(_ record: UnsafeRawPointer) {
        self.record = record
    }

    @inline(__always) var timeNanoseconds: UInt64 { record.load(as: UInt64.self) }
    @inline(__always) var kind: UInt32 { UInt32(record.load(fromByteOffset: 8, as: UInt8.self)) }
    @inline(__always) var family: UInt8 { record.load(fromByteOffset: 9, as: UInt8.self) }
    @inline(__always) var `protocol`: UInt8 { record.load(fromByteOffset: 10, as: UInt8.self) }
    @inline(__always) var tcpState: TCPState { TCPState(rawValue: record.load(fromByteOffset: 11, as: UInt8.self)) }
    @inline(__always) var destinationPort: UInt16 { record.load(fromByteOffset: 16, as: UInt16.self) }
    @inline(__always) var flags: UInt8 { record.load(fromByteOffset: 18, as: UInt8.self) }
    @inline(__always) var status: EntryStatus {
        EntryStatus(rawValue: record.load(fromByteOffset: 20, as: UInt32.self))
    }
    @inline(__always) var sourcePort: UInt16 { record.load(fromByteOffset: 14, as: UInt16.self) }
    @inline(__always) var sourceHigh: UInt64 { record.load(fromByteOffset: 32, as: UInt64.self) }
    /// Of IPv4 its second half is of NAT.
    @inline(__always) var destination: AddressWords {
        AddressWords(
            high: record.load(fromByteOffset: 48, as: UInt64.self),
            low: family == AddressFamily.ipv6.rawValue ? record.load(fromByteOffset: 56, as: UInt64.self) : 0)
    }
}

// What NAT made of it: cnf_nat of CRecord.h, and the addresses before it.
extension EventInPlace {
    /// Whether there is any of that: IPv4, with ports. Only of one whose status says that its source is translated.
    @inline(__always) var hasNATKey: Bool {
        family == AddressFamily.ipv4.rawValue && IPProtocol(rawValue: self.protocol).hasPorts && natAddresses != 0
    }
    /// The NAT address and where it leads, four bytes each.
    @inline(__always) var natAddresses: UInt64 { record.load(fromByteOffset: 40, as: UInt64.self) }
    @inline(__always) var natRemotePort: UInt16 { record.load(fromByteOffset: 56, as: UInt16.self) }
    @inline(__always) var natPort: UInt16 { record.load(fromByteOffset: 58, as: UInt16.self) }
    @inline(__always) var natZone: UInt16 { record.load(fromByteOffset: 60, as: UInt16.self) }
}
