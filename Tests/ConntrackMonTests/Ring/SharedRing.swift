// SPDX-License-Identifier: GPL-3.0-or-later

import CNetfilter

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// An EventRing that macros and two threads can hold.
final class SharedRing: Sendable {
    private let ring: EventRing

    init(capacity: Int) {
        ring = EventRing(capacity: capacity)
    }

    var count: Int { ring.count }
    var peak: Int { ring.peak }

    func push(_ number: UInt64) -> Bool {
        ring.push(SharedRing.record(number))
    }

    @discardableResult
    func fill(_ body: (UnsafeMutableBufferPointer<cnf_record>) -> Int) -> Int {
        ring.fill(body)
    }

    @discardableResult
    func drain(_ body: (borrowing Span<cnf_record>) -> Void) -> Int {
        ring.drain(body)
    }

    /// The numbers of all records, in the rows in which they were lent. `meanwhile` is pushed before the first row is given
    /// back, so that the ring is never empty.
    func rows(meanwhile: UInt64? = nil) -> [[UInt64]] {
        var rows: [[UInt64]] = []
        ring.drain { records in
            if rows.isEmpty, let meanwhile { _ = push(meanwhile) }
            rows.append(records.indices.map { records[$0].event.time_ns })
        }
        return rows
    }

    /// A record that bears `number` as its time.
    static func record(_ number: UInt64) -> cnf_record {
        var record = cnf_record()
        record.event.time_ns = number
        return record
    }
}
