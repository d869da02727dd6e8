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
    @inline(__always) var sourceHigh: UInt64 { record.load(fromByteOffset: 32, as: UInt64.self) }
    @inline(__always) var destination: AddressWords {
        AddressWords(
            high: record.load(fromByteOffset: 48, as: UInt64.self),
            low: record.load(fromByteOffset: 56, as: UInt64.self))
    }
}
