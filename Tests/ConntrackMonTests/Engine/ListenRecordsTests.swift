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

/// What the reader tells through the ring: there and back.
@Suite struct ListenRecordsTests {
    private let now = Moment.at(7).monotonic

    private static let obstacles = EventObstacle.Operation.allCases.flatMap {
        [EventObstacle($0), EventObstacle($0, 1)]
    }

    @Test(
        arguments: [
            .off, .listening(.bpf(ring: 8_388_608)), .listening(.netlink(receiveBuffer: 33_554_432, notBPF: nil)),
            .listening(.netlink(receiveBuffer: 4096, notBPF: 22)),
        ]
            + obstacles.flatMap {
                [.unavailable($0, expected: false), .unavailable($0, expected: true), .failed($0)]
            } as [EventStatus])
    func `a status comes back as it was`(_ status: EventStatus) {
        let record = cnf_status(status, at: now)

        #expect(record.kind == UInt8(CNF_STATUS.rawValue))
        #expect(record.time_ns == now.nanoseconds)
        #expect(EventStatus(record) == status)
    }

    @Test func `a status that this program does not know is none`() {
        var record = cnf_status(.failed(EventObstacle(.receive, 5)), at: now)
        record.operation = 0
        #expect(EventStatus(record) == nil)
        record.operation = 200
        #expect(EventStatus(record) == nil)
        record.state = 200
        #expect(EventStatus(record) == nil)
    }

    @Test(arguments: [nil] + EventHindrance.allCases)
    func `a duty comes back as it was`(_ hindrance: EventHindrance?) {
        let limits = EventBudget.Limits(share: 0.05, cost: .nanoseconds(2500))
        var duty = EventDuty(settledAt: Moment.at(6).monotonic)
        duty.budget = 0.05
        duty.cost = 2.5e-6
        duty.ratio = 0.3
        duty.isOverBudget = true
        duty.hindrance = hindrance
        duty.messageRate = 123_456.75
        duty.spent = 1.25
        duty.away = 3.5
        duty.made = 1e9 + 0.5
        duty.span = 12
        let record = cnf_duty(duty, at: now)

        #expect(record.kind == UInt8(CNF_DUTY.rawValue))
        #expect(record.time_ns == now.nanoseconds)
        #expect(EventDuty(record, limits) == duty)
    }

    @Test func `a hindrance that this program does not know is none`() {
        var record = cnf_duty()
        record.hindrance = 200

        #expect(EventDuty(record, EventBudget.Limits()).hindrance == nil)
    }

    private func push(_ pending: inout PendingCounts, hasRoom: Bool = true) -> cnf_counts? {
        var told: cnf_counts?
        pending.push(at: now) {
            told = $0
            return hasRoom
        }
        return told
    }

    private var each: PendingCounts {
        var pending = PendingCounts()
        pending.received = EventCounts(new: 1, update: 2, destroy: 3)
        pending.overrun = EventCounts(new: 10, update: 20, destroy: 30)
        pending.overrunUntyped = 40
        pending.truncated = EventCounts(new: 100, update: 200, destroy: 300)
        pending.malformed = 400
        pending.dropped = 500
        return pending
    }

    @Test func `each count is at its place`() throws {
        var pending = each
        let record = try #require(push(&pending))

        #expect(record.kind == UInt8(CNF_COUNTS.rawValue))
        #expect(record.time_ns == now.nanoseconds)
        #expect(record.inexact == 0)
        #expect(EventCounts(record.received) == EventCounts(new: 1, update: 2, destroy: 3))
        #expect(EventCounts(record.overrun) == EventCounts(new: 10, update: 20, destroy: 30))
        #expect(record.overrun_untyped == 40)
        #expect(EventCounts(record.truncated) == EventCounts(new: 100, update: 200, destroy: 300))
        #expect(LostEvents(record) == LostEvents(overrun: 100, truncated: 600, malformed: 400, dropped: 500))
        #expect(pending.isEmpty)
        #expect(push(&pending) == nil)
    }

    @Test func `counts that find no room are kept and added to the next`() throws {
        var pending = each
        _ = push(&pending, hasRoom: false)
        #expect(pending == each)
        pending.received.new += 5
        let record = try #require(push(&pending))

        #expect(record.received.0 == 6)
    }

    @Test func `what does not fit 32 bits goes into the next record`() throws {
        var pending = PendingCounts()
        let all = UInt64(UInt32.max) * 2 + 7
        pending.received.destroy = all
        pending.dropped = 3
        let records = try (0..<3).map { _ in try #require(push(&pending)) }

        #expect(records.map(\.received.2) == [UInt32.max, UInt32.max, 7])
        #expect(records.map(\.dropped) == [3, 0, 0])
        #expect(pending.isEmpty)
    }

    @Test func `that the kernel does not say how many is told once`() throws {
        var pending = PendingCounts()
        pending.becameInexact = true
        #expect(push(&pending, hasRoom: false)?.inexact == 1)
        #expect(push(&pending)?.inexact == 1)

        #expect(pending.isEmpty)
    }
}
