// SPDX-License-Identifier: GPL-3.0-or-later

import CNetfilter
import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// What a full ring does not take.
@Suite struct UnsaidTests {
    private let now = Moment.at(0).monotonic

    private func drain(_ ring: borrowing EventRing) -> [cnf_record] {
        var records: [cnf_record] = []
        ring.drain { row in
            for index in row.indices { records.append(row[index]) }
        }
        return records
    }

    private func kinds(_ records: [cnf_record]) -> [UInt32] { records.map { UInt32($0.event.kind) } }

    private func look(unloaded: UInt8 = 0, unloads: UInt8 = 0, loads: UInt8 = 0) -> cnf_table {
        var look = cnf_table()
        look.kind = UInt8(CNF_TABLE.rawValue)
        (look.unloaded, look.unloads, look.loads) = (unloaded, unloads, loads)
        return look
    }

    @Test func `status, counts and duty are told, and only once`() {
        let ring = EventRing(capacity: 16)
        var unsaid = Unsaid()
        #expect(unsaid.isEmpty)
        unsaid.tell(.listening(.bpf(ring: 1)))
        unsaid.tell(EventDuty(settledAt: now))
        unsaid.counts.received.new = 1
        #expect(!unsaid.isEmpty)
        unsaid.push(to: ring, at: now)
        unsaid.tell(.listening(.bpf(ring: 1)))
        unsaid.tell(EventDuty(settledAt: now))
        unsaid.push(to: ring, at: now)

        #expect(unsaid.isEmpty)
        #expect(kinds(drain(ring)) == [CNF_STATUS.rawValue, CNF_COUNTS.rawValue, CNF_DUTY.rawValue])
    }

    @Test func `that nothing is listened to from the start need not be told`() {
        let ring = EventRing(capacity: 2)
        var unsaid = Unsaid()
        unsaid.tell(.off)
        unsaid.push(to: ring, at: now)

        #expect(ring.count == 0)
    }

    @Test func `a full ring loses no count, no status and no proof of an unload`() throws {
        let ring = EventRing(capacity: 2)
        var unsaid = Unsaid()
        for _ in 0..<2 { unsaid.tell(look(), to: ring) }
        unsaid.tell(.listening(.bpf(ring: 1)))
        unsaid.tell(.failed(EventObstacle(.receive, 5)))
        for _ in 0..<3 {
            unsaid.counts.received.new += 10
            unsaid.counts.dropped += 1
            unsaid.tell(look(unloaded: 1, unloads: 2, loads: 1), to: ring)
            unsaid.tell(look(unloads: 100), to: ring)
            unsaid.push(to: ring, at: now)
        }
        #expect(!unsaid.isEmpty)
        #expect(kinds(drain(ring)) == [CNF_TABLE.rawValue, CNF_TABLE.rawValue])
        unsaid.push(to: ring, at: now)
        let told = drain(ring)
        unsaid.push(to: ring, at: now)
        let proof = try #require(drain(ring).first?.table)

        #expect(kinds(told) == [CNF_STATUS.rawValue, CNF_COUNTS.rawValue])
        #expect(EventStatus(told[0].status) == .failed(EventObstacle(.receive, 5)))
        #expect(told[1].counts.received.0 == 30)
        #expect(told[1].counts.dropped == 3)
        // As many as a byte holds.
        #expect((proof.unloaded, proof.unloads, proof.loads) == (1, 255, 3))
        #expect(unsaid.isEmpty)
        unsaid.tell(look(), to: ring)
        #expect(drain(ring).first?.table.unloaded == 0)
    }

    @Test func `whatever room there is, every event is told of in the end`() {
        let ring = EventRing(capacity: 4)
        var unsaid = Unsaid()
        var (sent, told): (UInt64, UInt64) = (0, 0)
        for step in 0..<1000 {
            let came = UInt64(step * 7919 % 101)
            sent += came
            unsaid.counts.received.destroy += came
            unsaid.tell(look(), to: ring)
            unsaid.push(to: ring, at: now)
            guard step % 5 == 0 || step == 999 else { continue }
            for record in drain(ring) where UInt32(record.event.kind) == CNF_COUNTS.rawValue {
                told += UInt64(record.counts.received.2)
            }
        }
        unsaid.push(to: ring, at: now)
        told += drain(ring).reduce(0) { $0 + UInt64($1.counts.received.2) }

        #expect(told == sent)
        #expect(unsaid.isEmpty)
    }
}
