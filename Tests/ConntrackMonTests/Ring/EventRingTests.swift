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

/// The ring between reader and main thread. Also run under ThreadSanitizer.
@Suite struct EventRingTests {
    @Test func `records keep their order across the wrap-around`() {
        let ring = SharedRing(capacity: 8)
        var next: UInt64 = 0
        var seen: [UInt64] = []
        for batch in [5, 3, 6, 1, 6, 4, 2, 5, 4] {
            for _ in 0..<batch {
                #expect(ring.push(next))
                next += 1
            }
            seen += ring.rows(meanwhile: next).flatMap { $0 }
            next += 1
        }
        seen += ring.rows().flatMap { $0 }

        #expect(seen == Array(0..<next))
    }

    @Test func `a full ring refuses and loses nothing that is in it`() {
        let ring = SharedRing(capacity: 4)
        for number in 0..<4 as Range<UInt64> { #expect(ring.push(number)) }
        #expect(!ring.push(4))
        #expect(ring.fill { $0.count } == 0)
        #expect(ring.count == 4)

        #expect(ring.rows() == [[0, 1, 2, 3]])
        #expect(ring.count == 0)
        #expect(ring.push(5))
        #expect(ring.rows() == [[5]])
    }

    @Test func `what lies across the end is lent in two rows`() {
        let ring = SharedRing(capacity: 4)
        for number in 0..<3 as Range<UInt64> { _ = ring.push(number) }
        #expect(ring.rows(meanwhile: 3) == [[0, 1, 2]])
        for number in 4..<6 as Range<UInt64> { _ = ring.push(number) }

        #expect(ring.rows() == [[3], [4, 5]])
    }

    @Test func `an empty ring starts again at its first slot`() {
        let ring = SharedRing(capacity: 4)
        var first: [UnsafeMutablePointer<cnf_record>?] = []
        for _ in 0..<3 {
            ring.fill { slots in
                first.append(slots.baseAddress)
                slots.initializeElement(at: 0, to: SharedRing.record(7))
                return 1
            }
            #expect(ring.rows() == [[7]])
        }

        #expect(Set(first).count == 1)
    }

    @Test func `free slots are offered in a row up to the end, then from the start`() {
        let ring = SharedRing(capacity: 4)
        for number in 0..<2 as Range<UInt64> { _ = ring.push(number) }
        _ = ring.rows(meanwhile: 2)
        var offers: [Int] = []
        for _ in 0..<3 {
            ring.fill { slots in
                offers.append(slots.count)
                for index in slots.indices { slots.initializeElement(at: index, to: SharedRing.record(9)) }
                return slots.count
            }
        }

        #expect(offers == [1, 2, 0])
    }

    @Test func `only as many are published as were filled`() {
        let ring = SharedRing(capacity: 4)
        ring.fill { slots in
            slots.initializeElement(at: 0, to: SharedRing.record(1))
            return 1
        }
        #expect(ring.fill { _ in 0 } == 0)

        #expect(ring.rows() == [[1]])
    }

    @Test func `an empty ring lends nothing`() {
        let ring = SharedRing(capacity: 2)
        #expect(ring.rows() == [])
        #expect(ring.drain { _ in } == 0)
    }

    @Test func `the peak is the most that ever waited`() {
        let ring = SharedRing(capacity: 8)
        #expect(ring.peak == 0)
        for number in 0..<5 as Range<UInt64> { _ = ring.push(number) }
        _ = ring.rows()
        for number in 0..<3 as Range<UInt64> { _ = ring.push(number) }

        #expect(ring.peak == 5)
        #expect(ring.count == 3)
    }

    @Test(arguments: [
        (2, true), (65536, true), (1 << 24, true), (1, false), (0, false), (-2, false), (3, false), (65535, false),
        (1 << 25, false), (Int.min, false),
    ])
    func `a capacity is a power of two from 2 to 2^24`(_ capacity: Int, _ accepted: Bool) {
        #expect(EventRing.accepts(capacity: capacity) == accepted)
    }

    @Test func `another capacity ends the process`() async {
        await #expect(processExitsWith: .signal(SIGILL)) {
            _ = EventRing(capacity: 3)
        }
    }

    @Test func `filling more than was offered ends the process`() async {
        await #expect(processExitsWith: .signal(SIGILL)) {
            _ = EventRing(capacity: 2).fill { $0.count + 1 }
        }
    }
}
