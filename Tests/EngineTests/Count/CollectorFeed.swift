// SPDX-License-Identifier: GPL-3.0-or-later

import CRecord
import Glibc
import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// Records as the ring would hand them over.
struct Feed: ~Copyable {
    var collector: Collector
    private(set) var looks: [TableLook] = []

    init(collector: consuming Collector = Collector(seed: .fixed)) {
        self.collector = collector
    }

    mutating func table(
        _ seconds: Double, entries: UInt64 = 100, limit: UInt64 = 1000, errno: Int32 = 0, unloaded: Bool = false
    ) {
        var record = cnf_table()
        record.time_ns = Moment.at(seconds).monotonic.nanoseconds
        record.wall_offset_ns = Moment.at(seconds).wallOffset
        record.kind = UInt8(CNF_TABLE.rawValue)
        record.entries = errno == 0 ? entries : 0
        record.limit = errno == 0 ? limit : 0
        record.entries_errno = errno
        record.limit_errno = errno
        record.unloaded = unloaded ? 1 : 0
        take([cnf_record(table: record)])
    }

    mutating func event(_ kind: cnf_kind, _ number: Int = IPPROTO_TCP, count: Int = 1, at seconds: Double = 0) {
        var record = cnf_record()
        record.event.kind = UInt8(kind.rawValue)
        record.event.protocol = UInt8(number)
        take(Array(repeating: record, count: count))
        let received = EventCounts(
            new: kind == CNF_NEW ? UInt64(count) : 0, update: kind == CNF_UPDATE ? UInt64(count) : 0,
            destroy: kind == CNF_DESTROY ? UInt64(count) : 0)
        counts(at: seconds) { $0.received = received }
    }

    /// What the reader tells of received and lost events.
    mutating func counts(at seconds: Double = 0, _ change: (inout PendingCounts) -> Void) {
        var pending = PendingCounts()
        change(&pending)
        var records: [cnf_record] = []
        pending.push(at: Moment.at(seconds).monotonic) {
            records.append(cnf_record(counts: $0))
            return true
        }
        take(records)
    }

    mutating func event(_ event: cnf_event) {
        take([cnf_record(event: event)])
    }

    mutating func take(_ records: [cnf_record]) {
        for record in records {
            switch UInt32(record.event.kind) {
            case CNF_NEW.rawValue: collector.countNew(record.event)
            case CNF_DESTROY.rawValue: collector.countDestroy(record.event)
            case CNF_TABLE.rawValue:
                let look = TableLook(record.table)
                collector.take(look)
                looks.append(look)
            case CNF_COUNTS.rawValue: collector.take(record.counts)
            case CNF_DUTY.rawValue: collector.take(record.duty)
            default: break
            }
        }
    }

    mutating func close(_ seconds: Double, _ change: (inout Around) -> Void = { _ in }) throws -> Sample {
        var around = Around(surroundings: Collector.Surroundings(moment: .at(seconds)))
        around.listening = true
        change(&around)
        if let statistics = around.statistics { collector.take(statistics) }
        let sample = collector.close(around.surroundings)
        return try #require(sample)
    }

    mutating func preview(_ seconds: Double, after last: Sample) throws -> Sample {
        var surroundings = Collector.Surroundings(moment: .at(seconds))
        surroundings.listening = true
        let sample = collector.preview(surroundings, after: last)
        return try #require(sample)
    }
}

/// All that a sample is closed with.
@dynamicMemberLookup struct Around {
    var surroundings: Collector.Surroundings
    var statistics: StatisticsReading?

    subscript<Value>(dynamicMember path: WritableKeyPath<Collector.Surroundings, Value>) -> Value {
        get { surroundings[keyPath: path] }
        set { surroundings[keyPath: path] = newValue }
    }
}
