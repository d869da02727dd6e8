// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
package import CRecord
package import ConntrackModel

/// Gives back what a recording holds, in its order. Pure: bytes are handed in.
package struct RecordingReader {
    /// What was recorded.
    package enum Item {
        /// The engine begins.
        case start(RecordingStart)
        /// A record of the ring.
        case record(cnf_record)
        /// A reading that was begun at a moment.
        case reading(Reading, at: Moment)
        /// The engine's wants were taken.
        case asked
        /// Something else, which is passed over.
        case nothing
    }

    /// What became of a look at some bytes.
    package enum Step {
        /// What they begin with, and how many of them it takes.
        case item(Item, length: Int)
        /// There are too few bytes to tell: so many are needed.
        case more(Int)
        /// It is no recording, or damaged here: "a block of 7 bytes".
        case fault(String)
    }

    private var capture = CaptureReader()
    private var wallOffset: Int64 = 0
    private var records: UInt64 = 0

    /// The file has its start; packets before it are of a capture that others made.
    package private(set) var isRecording = false
    /// Messages of events.
    package private(set) var events: UInt64 = 0
    /// Packets that are no message of an event.
    package private(set) var others: UInt64 = 0
    /// Packets that did not decode.
    package private(set) var malformed: UInt64 = 0
    /// Records that the recording itself says are missing.
    package private(set) var missing: UInt64 = 0

    /// Nothing read yet.
    package init() {}

    /// Looks at what `bytes` begin with.
    package mutating func look(at bytes: UnsafeRawBufferPointer) -> Step {
        switch capture.look(at: bytes) {
        case .more(let count): return .more(count)
        case .fault(let what): return .fault(what)
        case .piece(.other, let length): return .item(.nothing, length: length)
        case .piece(.packet(let message, let time), let length):
            return .item(packet(UnsafeRawBufferPointer(rebasing: bytes[message]), at: time), length: length)
        case .piece(.journal(let body), let length):
            do throws(RecordingFault) {
                return .item(try entry(JournalFields(UnsafeRawBufferPointer(rebasing: bytes[body]))), length: length)
            } catch {
                return .fault("an entry \(error)")
            }
        }
    }

    private mutating func packet(_ message: UnsafeRawBufferPointer, at wall: UInt64) -> Item {
        guard let start = message.baseAddress else { return .nothing }
        let time = UInt64(bitPattern: Int64(bitPattern: wall) &- wallOffset)
        var event = cnf_event()
        switch cnf_decode(start, message.count, time, &event) {
        case 1:
            events += 1
            records += 1
            return .record(cnf_record(event: event))
        case 0: others += 1
        default: malformed += 1
        }
        return .nothing
    }

    private mutating func entry(_ fields: JournalFields) throws(RecordingFault) -> Item {
        guard let kind = fields.kind else { return .nothing }
        if kind == "start" {
            let start = try RecordingStart(fields)
            isRecording = true
            wallOffset = start.moment.wallOffset
            records = 0
            return .start(start)
        }
        guard isRecording else { throw RecordingFault("before the start of its recording") }
        switch kind {
        case "reading":
            try follow(fields)
            let (reading, moment) = try reading(fields)
            return .reading(reading, at: moment)
        case "asked":
            try follow(fields)
            return .asked
        default:
            // What a later version adds is passed over.
            guard let kind = RecordKind(rawValue: String(kind)) else { return .nothing }
            let record = try record(of: kind, fields)
            records += 1
            if kind == .table { wallOffset = record.table.wall_offset_ns }
            return .record(record)
        }
    }

    /// How many records should have come by now.
    private mutating func follow(_ fields: JournalFields) throws(RecordingFault) {
        let after: UInt64 = try fields.value("AFTER")
        if after > records { missing += after - records }
        records = after
    }
}
