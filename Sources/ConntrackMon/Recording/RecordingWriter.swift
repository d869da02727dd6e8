// SPDX-License-Identifier: GPL-3.0-or-later

package import CRecord
package import ConntrackModel
package import ConntrackRing

/// Makes a recording of what an engine is given, in its order, in memory.
///
/// An event is its message, with the time of its record; the reader decodes it again. What is beside the events is a journal
/// entry each. Between the two clocks a packet's time is reckoned with the newest look that stands before it in the file,
/// so that whoever reads it reckons back to the same nanosecond.
package struct RecordingWriter: Sendable {
    /// What a file that begins later begins with, beside its start.
    private struct Lasting: Sendable {
        var readings: [ReadingName: (reading: Reading, moment: Moment)] = [:]
        var records: [RecordKind: cnf_record] = [:]
    }

    private var blocks: PcapngWriter
    private var lasting = Lasting()
    private var wallOffset: Int64 = 0
    private var newest = MonotonicTime(nanoseconds: 0)
    /// Ring records of this file so far.
    private var records: UInt64 = 0
    /// Of this file so far.
    private var received: UInt64 = 0
    private var lost: UInt64 = 0

    /// Events and other observations among the bytes that were not taken yet.
    package private(set) var untaken = (events: UInt64(0), others: UInt64(0))
    /// Events whose message found no room on its way: their record is kept instead, which is all that a replay needs.
    package private(set) var withoutMessage: UInt64 = 0

    /// Nothing yet, and room for `capacity` bytes.
    package init(capacity: Int = 0) {
        blocks = PcapngWriter(capacity: capacity)
    }

    /// How many bytes were not taken yet.
    package var count: Int { blocks.bytes.count }

    /// Hands over what was made: whole blocks.
    package mutating func takeBytes() -> [UInt8] {
        untaken = (0, 0)
        return blocks.takeBytes()
    }

    /// Leaves out what was not taken, and counts it.
    package mutating func discard() {
        blocks.removeAll()
        untaken = (0, 0)
    }

    // MARK: Beginning and end

    /// Begins a file; one that goes on with what an earlier file began has what was known last, so that it can be read alone.
    package mutating func begin(_ start: RecordingStart) {
        blocks.begin()
        blocks.journal(start.entry)
        wallOffset = start.moment.wallOffset
        newest = start.moment.monotonic
        (records, received, lost) = (0, 0, 0)
        let (known, seen) = (lasting.readings, lasting.records)
        for kind in [RecordKind.table, .status, .duty] {
            if let record = seen[kind] { takeOther(record) }
        }
        for name in ReadingName.allCases {
            if let (reading, moment) = known[name] { take(reading, at: moment) }
        }
    }

    /// Ends a file.
    package mutating func end() {
        blocks.statistics(received: received, dropped: lost, at: wall(newest))
    }

    /// Says what of this recording could not be written.
    package mutating func gap(events: UInt64, others: UInt64) {
        let moment = Moment(monotonic: newest, wallOffset: wallOffset)
        var lines = JournalLines(
            "gap", at: moment,
            "\(events) events and \(others) other observations are missing here: the disk was too slow")
        lines.add("EVENTS", events)
        lines.add("OTHERS", others)
        blocks.journal(lines.text)
    }

    // MARK: Observations

    /// A batch of the ring; `messages` has the message of each event.
    package mutating func take(_ batch: borrowing Span<cnf_record>, _ messages: MessageRoad) {
        for index in batch.indices { take(batch[index], messages) }
    }

    /// One record of the ring.
    package mutating func take(_ record: cnf_record, _ messages: MessageRoad) {
        guard UInt32(record.event.kind) < CNF_EVENT_KINDS else {
            takeOther(record)
            return
        }
        let time = MonotonicTime(nanoseconds: record.event.time_ns)
        newest = max(newest, time)
        records += 1
        untaken.events += 1
        messages.take { message in
            if let message {
                blocks.packet(message, at: wall(time))
            } else {
                withoutMessage += 1
                if let entry = journalEntry(of: record, wallOffset: wallOffset) { blocks.journal(entry) }
            }
        }
    }

    private mutating func takeOther(_ record: cnf_record) {
        guard let kind = RecordKind(record) else { return }
        newest = max(newest, MonotonicTime(nanoseconds: record.event.time_ns))
        records += 1
        untaken.others += 1
        lasting.records[kind] = record
        if kind == .table { wallOffset = record.table.wall_offset_ns }
        if let entry = journalEntry(of: record, wallOffset: wallOffset) { blocks.journal(entry) }
        guard kind == .counts else { return }
        let new = lostEvents(record.counts)
        lost += new
        let counted = record.counts.received
        received += new + UInt64(counted.0) + UInt64(counted.1) + UInt64(counted.2)
        // Where something is lost it is said at once, for files that end before their end.
        if new > 0 { blocks.statistics(received: received, dropped: lost, at: wall(newest)) }
    }

    /// A reading that was begun at `moment`.
    package mutating func take(_ reading: Reading, at moment: Moment) {
        newest = max(newest, moment.monotonic)
        let name = ReadingName(reading)
        if name.isLasting { lasting.readings[name] = (reading, moment) }
        untaken.others += 1
        blocks.journal(journalEntry(of: reading, at: moment, after: records))
    }

    /// The engine's wants were taken: which of them are under way is part of what it goes by.
    package mutating func asked() {
        untaken.others += 1
        var lines = JournalLines(
            "asked", at: Moment(monotonic: newest, wallOffset: wallOffset), "readings are asked for")
        lines.add("AFTER", records)
        blocks.journal(lines.text)
    }

    private func wall(_ time: MonotonicTime) -> UInt64 {
        UInt64(bitPattern: Moment(monotonic: time, wallOffset: wallOffset).wall.nanoseconds)
    }
}
