// SPDX-License-Identifier: GPL-3.0-or-later

import CRecord
import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel
@testable import ConntrackRecording
@testable import ConntrackRing

/// What is recorded comes back as it was.
@Suite struct RecordingTests {
    @Test(arguments: ReadingName.allCases)
    func `a reading comes back with all of its fields`(_ name: ReadingName) {
        let examples = name.examples
        var writer = RecordingWriter()
        writer.begin(.example)
        for reading in examples { writer.take(reading, at: .at(1.000_000_001)) }
        let (items, fault, _) = items(of: writer.takeBytes())
        let found = items.compactMap { item in
            if case .reading(let reading, let at) = item { (reading, at) } else { nil }
        }

        #expect(fault == nil)
        #expect(found.map { String(reflecting: $0.0) } == examples.map { String(reflecting: $0) })
        #expect(found.allSatisfy { $0.1 == .at(1.000_000_001) && ReadingName($0.0) == name })
    }

    @Test func `a record of each kind comes back bit by bit`() {
        let (items, fault, _) = items(of: exampleRecording().bytes)
        let found = items.compactMap { item in if case .record(let record) = item { record } else { nil } }
        let others = found.filter { $0.event.kind >= CNF_EVENT_KINDS }

        #expect(fault == nil)
        #expect(others.map(bytes) == exampleRecords.map(bytes))
        #expect(Set(exampleRecords.compactMap { RecordKind($0) }).count == RecordKind.allCases.count - 1)
    }

    @Test func `an event comes back with the time of its record, to the nanosecond`() {
        let (items, _, _) = items(of: exampleRecording().bytes)
        let events = items.compactMap { item in
            if case .record(let record) = item, RecordKind(record) == .event { record.event } else { nil }
        }

        #expect(
            events.map(\.time_ns)
                == (0..<3).map { Moment.at(Double($0) + 0.123_456_789).monotonic.nanoseconds })
        #expect(events.allSatisfy { $0.source_port == 40_000 && $0.destination_port == 443 && $0.id == 9 })
    }

    @Test func `an event whose message was lost on its way is kept as its record`() {
        var writer = RecordingWriter()
        writer.begin(.example)
        let record = cnf_record(event: .new("2001:db8::1", at: 3))
        writer.take(record, MessageRoad(capacity: 4096))
        let (items, fault, _) = items(of: writer.takeBytes())
        let found = items.compactMap { item in if case .record(let record) = item { record } else { nil } }

        #expect(fault == nil)
        #expect(found.map(bytes) == [bytes(record)])
        #expect(writer.withoutMessage == 1)
    }

    @Test func `the start comes back`() throws {
        let (items, _, _) = items(of: exampleRecording().bytes)
        let starts = items.compactMap { item in if case .start(let start) = item { start } else { nil } }

        #expect(starts.count == 1)
        #expect(String(reflecting: starts) == String(reflecting: [RecordingStart.example]))
    }

    @Test func `a file that goes on begins with what was known last`() {
        var writer = RecordingWriter()
        writer.begin(.example)
        writer.take(.settings([("nf_conntrack_max", 1)]), at: .at(1))
        writer.take(.settings([("nf_conntrack_max", 2)]), at: .at(2))
        writer.take(.tick, at: .at(3))
        writer.end()
        _ = writer.takeBytes()
        writer.begin(.example)
        let found = items(of: writer.takeBytes()).items.compactMap { item in
            if case .reading(let reading, let at) = item { (String(describing: reading), at) } else { nil }
        }

        #expect(found.map(\.0) == [String(describing: Reading.settings([("nf_conntrack_max", 2)]))])
        #expect(found.map(\.1) == [.at(2)])
    }

    @Test func `what is missing is known`() {
        var writer = RecordingWriter()
        let road = MessageRoad(capacity: 4096)
        writer.begin(.example)
        let start = writer.takeBytes()
        for _ in 0..<5 { writer.take(cnf_record(event: .new("192.0.2.1")), road) }
        writer.discard()
        writer.gap(events: 5, others: 0)
        writer.take(.tick, at: .at(1))
        var reader = RecordingReader()
        let (_, fault, _) = items(of: start + writer.takeBytes(), &reader)

        #expect(fault == nil)
        #expect(reader.missing == 5)
    }
}

private func bytes(_ record: cnf_record) -> [UInt8] {
    withUnsafeBytes(of: record) { Array($0) }
}
