// SPDX-License-Identifier: GPL-3.0-or-later

import CNetfilter
import Glibc
import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

extension EventRingTests {
    private static let records: UInt64 = 1_000_000

    /// A record that shows when a part of it was not written yet, or was already written over.
    private static func write(_ number: UInt64, to slot: UnsafeMutablePointer<cnf_record>) {
        var record = cnf_record()
        record.event.time_ns = number
        record.event.id = UInt32(truncatingIfNeeded: number)
        record.event.mark = checksum(number)
        record.event.destination.15 = UInt8(truncatingIfNeeded: number)
        slot.initialize(to: record)
    }

    private static func isWhole(_ event: cnf_event, _ number: UInt64) -> Bool {
        event.time_ns == number && event.id == UInt32(truncatingIfNeeded: number) && event.mark == checksum(number)
            && event.destination.15 == UInt8(truncatingIfNeeded: number)
    }

    private static func checksum(_ number: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: (number &* 0x9e37_79b9_7f4a_7c15) >> 32)
    }

    private static func produce(_ ring: SharedRing) {
        var next: UInt64 = 0
        while next < records {
            // Batches of changing size, so that both ends meet every distance between head and tail.
            let batch = next % 61 + 1
            let filled = ring.fill { slots in
                let count = min(Int(min(batch, records - next)), slots.count)
                guard let base = slots.baseAddress else { return 0 }
                for index in 0..<count { write(next + UInt64(index), to: base + index) }
                return count
            }
            next += UInt64(filled)
            if filled == 0 { sched_yield() }
        }
    }

    @Test(arguments: [2, 64, 4096])
    func `a million records cross two threads, each once, whole and in order`(_ capacity: Int) throws {
        let ring = SharedRing(capacity: capacity)
        let argument = Unmanaged.passRetained(ring)
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                EventRingTests.produce(Unmanaged<SharedRing>.fromOpaque(argument).takeRetainedValue())
                return nil
            }, argument.toOpaque())
        try #require(code == 0)

        var next: UInt64 = 0
        var broken = 0
        while next < Self.records {
            let count = ring.drain { records in
                for index in records.indices {
                    if !Self.isWhole(records[index].event, next) { broken += 1 }
                    next += 1
                }
            }
            if count == 0 { sched_yield() }
        }
        pthread_join(thread, nil)

        #expect(broken == 0)
        #expect(next == Self.records)
        #expect(ring.count == 0)
        #expect(ring.peak <= capacity)
    }
}
