// SPDX-License-Identifier: GPL-3.0-or-later

package import CRecord
internal import ConntrackModel

// Records of the ring that are no events, field by field. Each is told once, for writing and for reading.

/// Goes through the fields of a record.
private protocol FieldVisitor {
    mutating func field<Value: LosslessStringConvertible>(_ name: String, _ value: inout Value) throws(RecordingFault)
}

private struct FieldWriter: FieldVisitor {
    var lines: JournalLines

    mutating func field<Value: LosslessStringConvertible>(_ name: String, _ value: inout Value) {
        lines.add(name, value)
    }
}

private struct FieldReader: FieldVisitor {
    let fields: JournalFields

    func field<Value: LosslessStringConvertible>(_ name: String, _ value: inout Value) throws(RecordingFault) {
        value = try fields.value(name)
    }
}

private func visit(_ record: inout cnf_table, _ visitor: inout some FieldVisitor) throws(RecordingFault) {
    try visitor.field("TIME_NS", &record.time_ns)
    try visitor.field("WALL_OFFSET_NS", &record.wall_offset_ns)
    try visitor.field("ENTRIES", &record.entries)
    try visitor.field("LIMIT", &record.limit)
    try visitor.field("ENTRIES_ERRNO", &record.entries_errno)
    try visitor.field("LIMIT_ERRNO", &record.limit_errno)
    try visitor.field("UNLOADED", &record.unloaded)
    try visitor.field("UNLOADS", &record.unloads)
    try visitor.field("LOADS", &record.loads)
    try visitor.field("ALIVE", &record.alive)
    try visitor.field("COUNTS_RELOADS", &record.counts_reloads)
}

private func visit(_ record: inout cnf_counts, _ visitor: inout some FieldVisitor) throws(RecordingFault) {
    try visitor.field("TIME_NS", &record.time_ns)
    try visitor.field("INEXACT", &record.inexact)
    try visitor.field("RECEIVED_NEW", &record.received.0)
    try visitor.field("RECEIVED_UPDATE", &record.received.1)
    try visitor.field("RECEIVED_DESTROY", &record.received.2)
    try visitor.field("OVERRUN_NEW", &record.overrun.0)
    try visitor.field("OVERRUN_UPDATE", &record.overrun.1)
    try visitor.field("OVERRUN_DESTROY", &record.overrun.2)
    try visitor.field("OVERRUN_UNTYPED", &record.overrun_untyped)
    try visitor.field("TRUNCATED_NEW", &record.truncated.0)
    try visitor.field("TRUNCATED_UPDATE", &record.truncated.1)
    try visitor.field("TRUNCATED_DESTROY", &record.truncated.2)
    try visitor.field("MALFORMED", &record.malformed)
    try visitor.field("DROPPED", &record.dropped)
}

private func visit(_ record: inout cnf_duty, _ visitor: inout some FieldVisitor) throws(RecordingFault) {
    try visitor.field("TIME_NS", &record.time_ns)
    try visitor.field("OVER_BUDGET", &record.over_budget)
    try visitor.field("HINDRANCE", &record.hindrance)
    try visitor.field("RATIO", &record.ratio)
    try visitor.field("MESSAGE_RATE", &record.message_rate)
    try visitor.field("SPENT", &record.spent)
    try visitor.field("AWAY", &record.away)
    try visitor.field("MADE", &record.made)
    try visitor.field("SPAN", &record.span)
    try visitor.field("SETTLED_AT_NS", &record.settled_at)
}

private func visit(_ record: inout cnf_status, _ visitor: inout some FieldVisitor) throws(RecordingFault) {
    try visitor.field("TIME_NS", &record.time_ns)
    try visitor.field("STATE", &record.state)
    try visitor.field("OPERATION", &record.operation)
    try visitor.field("EXPECTED", &record.expected)
    try visitor.field("ERRNO", &record.code)
    try visitor.field("NOT_BPF_ERRNO", &record.not_bpf)
    try visitor.field("BUFFER_BYTES", &record.bytes)
}

/// Kinds of records as a recording names them.
package enum RecordKind: String, CaseIterable, Sendable {
    case event, table, counts, duty, status

    /// Of a record; nil = of none that this program knows.
    package init?(_ record: cnf_record) {
        switch UInt32(record.event.kind) {
        case CNF_NEW.rawValue, CNF_UPDATE.rawValue, CNF_DESTROY.rawValue: self = .event
        case CNF_TABLE.rawValue: self = .table
        case CNF_COUNTS.rawValue: self = .counts
        case CNF_DUTY.rawValue: self = .duty
        case CNF_STATUS.rawValue: self = .status
        default: return nil
        }
    }
}

/// The entry of a record; nil where this program knows none such. `wallOffset`: between the two clocks.
func journalEntry(of record: cnf_record, wallOffset: Int64) -> String? {
    let time = MonotonicTime(nanoseconds: record.event.time_ns)
    let moment = Moment(monotonic: time, wallOffset: wallOffset)
    guard let kind = RecordKind(record) else { return nil }
    func written(_ message: String, _ fields: (inout FieldWriter) throws(RecordingFault) -> Void) -> String {
        var writer = FieldWriter(lines: JournalLines(kind.rawValue, at: moment, message))
        try? fields(&writer)
        return writer.lines.text
    }
    switch kind {
    case .event:
        // Its message was not kept; the engine needs the record alone.
        var lines = JournalLines(kind.rawValue, at: moment, "an event whose message was not kept")
        lines.add("RECORD", withUnsafeBytes(of: record) { $0.map { hex($0) }.joined() })
        return lines.text
    case .table:
        var table = record.table
        return written(words(table)) { writer throws(RecordingFault) in try visit(&table, &writer) }
    case .counts:
        var counts = record.counts
        let lost = lostEvents(counts)
        let received = UInt64(counts.received.0) + UInt64(counts.received.1) + UInt64(counts.received.2)
        return written("\(received) events received, \(lost) lost") { writer throws(RecordingFault) in
            try visit(&counts, &writer)
        }
    case .duty:
        var duty = record.duty
        return written("events are listened to for \(duty.ratio) of the time") { writer throws(RecordingFault) in
            try visit(&duty, &writer)
        }
    case .status:
        var status = record.status
        return written("how it stands with the events: state \(status.state)") { writer throws(RecordingFault) in
            try visit(&status, &writer)
        }
    }
}

private func words(_ table: cnf_table) -> String {
    let entries = table.entries_errno == 0 ? "\(table.entries)" : "an unknown number"
    let limit = table.limit_errno == 0 ? limitText(table.limit) : "unknown"
    let reload = table.unloaded != 0 || table.unloads > 0 ? "; nf_conntrack was unloaded" : ""
    return "conntrack table: \(entries) of \(limit)\(reload)"
}

/// How many messages were lost, of all kinds.
func lostEvents(_ counts: cnf_counts) -> UInt64 {
    let overrun = UInt64(counts.overrun.0) + UInt64(counts.overrun.1) + UInt64(counts.overrun.2)
    let truncated = UInt64(counts.truncated.0) + UInt64(counts.truncated.1) + UInt64(counts.truncated.2)
    return overrun + UInt64(counts.overrun_untyped) + truncated + UInt64(counts.malformed) + UInt64(counts.dropped)
}

/// The record that an entry tells of.
func record(of kind: RecordKind, _ fields: JournalFields) throws(RecordingFault) -> cnf_record {
    var reader = FieldReader(fields: fields)
    switch kind {
    case .event:
        return try recordOfEvent(fields)
    case .table:
        var table = cnf_table()
        table.kind = UInt8(CNF_TABLE.rawValue)
        try visit(&table, &reader)
        guard table.time_ns < 1 << 62, abs(table.wall_offset_ns / 2) < 1 << 61 else {
            throw RecordingFault("of no time that can be")
        }
        return cnf_record(table: table)
    case .counts:
        var counts = cnf_counts()
        counts.kind = UInt8(CNF_COUNTS.rawValue)
        try visit(&counts, &reader)
        return cnf_record(counts: counts)
    case .duty:
        var duty = cnf_duty()
        duty.kind = UInt8(CNF_DUTY.rawValue)
        try visit(&duty, &reader)
        return cnf_record(duty: duty)
    case .status:
        var status = cnf_status()
        status.kind = UInt8(CNF_STATUS.rawValue)
        try visit(&status, &reader)
        return cnf_record(status: status)
    }
}

private func recordOfEvent(_ fields: JournalFields) throws(RecordingFault) -> cnf_record {
    let digits = Array(try fields.text("RECORD").utf8)
    var record = cnf_record()
    guard digits.count == 2 * MemoryLayout<cnf_record>.size else { throw RecordingFault("with half a record") }
    let isWhole = withUnsafeMutableBytes(of: &record) { bytes in
        for index in bytes.indices {
            guard let high = nibble(digits[2 * index]), let low = nibble(digits[2 * index + 1]) else { return false }
            bytes[index] = high << 4 | low
        }
        return true
    }
    guard isWhole, RecordKind(record) == .event else { throw RecordingFault("with a record of another kind") }
    return record
}

private func hex(_ byte: UInt8) -> String {
    String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
}

private func nibble(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    default: nil
    }
}
