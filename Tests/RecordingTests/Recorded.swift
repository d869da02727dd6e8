// SPDX-License-Identifier: GPL-3.0-or-later

import CRecord
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel
@testable import ConntrackRecording
@testable import ConntrackRing

extension RecordingStart {
    /// Of a host with settings that are not the defaults.
    static var example: RecordingStart {
        var rules = RuleSettings()
        rules.warn = 0.6
        rules.expectMax = 262_144
        rules.absent = .critical
        var plan = EnginePlan(
            identity: Identity(host: "fw1", netns: "host"), rules: rules, duration: .seconds(60), count: 7,
            hasConfiguration: true, hasDumps: true)
        plan.kernel = "6.1.0-56-cloud-amd64"
        plan.netnsInode = .max
        plan.netnsLabel = "blue"
        let fall = LimitWatch.Fall(
            from: 262_144, to: 65536, cause: .moduleReload, since: Moment.at(-9).monotonic, story: "was reloaded")
        let restored = Restored(
            limit: LimitWatch.Past(accepted: 262_144, fall: fall, cause: .whileDown, story: "while not watching"),
            parameters: ParameterWatch.Kept(accepted: ["acct": 1]), peakDay: 9, peakKnownFor: .seconds(5),
            firing: [
                KeptAlert(
                    name: .usageHigh, level: .warning, since: Moment.at(-3).wall, what: "w", known: Moment.at(-1).wall)
            ])
        return RecordingStart(plan: plan, seed: .fixed, restored: restored, at: .at(0))
    }
}

/// All that is read from `bytes`, and what was wrong with them.
func items(
    of bytes: [UInt8], _ reader: inout RecordingReader
) -> (items: [RecordingReader.Item], fault: String?, at: Int) {
    var items: [RecordingReader.Item] = []
    var offset = 0
    while offset < bytes.count {
        let step = bytes.withUnsafeBytes { reader.look(at: UnsafeRawBufferPointer(rebasing: $0[offset...])) }
        switch step {
        case .item(let item, let length):
            items.append(item)
            offset += length
        case .more: return (items, "cut", offset)
        case .fault(let what): return (items, what, offset)
        }
    }
    return (items, nil, offset)
}

func items(of bytes: [UInt8]) -> (items: [RecordingReader.Item], fault: String?, at: Int) {
    var reader = RecordingReader()
    return items(of: bytes, &reader)
}

/// A message of ctnetlink: a new TCP entry.
let newEntryMessage: [UInt8] = {
    func attribute(_ type: UInt16, _ payload: [UInt8]) -> [UInt8] {
        let length = UInt16(4 + payload.count)
        let head = withUnsafeBytes(of: (length, type)) { Array($0) }
        return head + payload + [UInt8](repeating: 0, count: (4 - payload.count % 4) % 4)
    }
    let nested: UInt16 = 0x8000
    let addresses = attribute(nested | 1, attribute(1, [192, 0, 2, 1]) + attribute(2, [198, 51, 100, 7]))
    let ports = attribute(nested | 2, attribute(1, [6]) + attribute(2, [0x9c, 0x40]) + attribute(3, [0x01, 0xbb]))
    let body = [2, 0, 0, 0] + attribute(nested | 1, addresses + ports) + attribute(12, [0, 0, 0, 9])
    let length = UInt32(16 + body.count)
    // nlmsg_type: subsystem 1, IPCTNL_MSG_CT_NEW; nlmsg_flags: NLM_F_CREATE | NLM_F_EXCL
    return withUnsafeBytes(of: (length, UInt16(0x100), UInt16(0x600), UInt32(0), UInt32(0))) { Array($0) } + body
}()

/// A recording of every kind of thing, and what was put into it.
func exampleRecording() -> (bytes: [UInt8], events: Int) {
    var writer = RecordingWriter()
    let road = MessageRoad(capacity: 1 << 16)
    writer.begin(.example)
    for record in exampleRecords { writer.take(record, road) }
    for index in 0..<3 {
        newEntryMessage.withUnsafeBytes { if let start = $0.baseAddress { road.put(start, length: $0.count) } }
        var event = cnf_event()
        event.time_ns = Moment.at(Double(index) + 0.123_456_789).monotonic.nanoseconds
        writer.take(cnf_record(event: event), road)
    }
    for name in ReadingName.allCases {
        for reading in name.examples { writer.take(reading, at: .at(4)) }
        writer.asked()
    }
    writer.end()
    return (writer.takeBytes(), 3)
}

/// A record of each kind but events, every field with a value of its own.
var exampleRecords: [cnf_record] {
    RecordKind.allCases.compactMap { kind in
        switch kind {
        case .event:
            return nil
        case .table:
            var table = cnf_table()
            (table.time_ns, table.kind, table.unloaded, table.unloads) = (
                86_400_000_000_001, UInt8(CNF_TABLE.rawValue), 1, 2
            )
            (table.loads, table.entries_errno, table.limit_errno, table.alive) = (3, -4, 5, 6)
            (table.counts_reloads, table.entries, table.limit) = (7, .max, 8)
            table.wall_offset_ns = 1_795_412_822_310_000_001
            return cnf_record(table: table)
        case .counts:
            var counts = cnf_counts()
            (counts.time_ns, counts.kind, counts.inexact) = (1, UInt8(CNF_COUNTS.rawValue), 2)
            (counts.received, counts.overrun, counts.truncated) = ((3, 4, 5), (6, 7, 8), (9, 10, 11))
            (counts.overrun_untyped, counts.malformed, counts.dropped) = (12, .max, 14)
            return cnf_record(counts: counts)
        case .duty:
            var duty = cnf_duty()
            (duty.time_ns, duty.kind, duty.over_budget, duty.hindrance) = (1, UInt8(CNF_DUTY.rawValue), 2, 3)
            (duty.ratio, duty.message_rate, duty.spent, duty.away) = (0.1, 1.0 / 3, 5e-300, 1e308)
            (duty.made, duty.span, duty.settled_at) = (-0.0, 2.5, .max)
            return cnf_record(duty: duty)
        case .status:
            var status = cnf_status()
            (status.time_ns, status.kind, status.state, status.operation) = (1, UInt8(CNF_STATUS.rawValue), 2, 3)
            (status.expected, status.code, status.not_bpf, status.bytes) = (4, -5, 6, .max)
            return cnf_record(status: status)
        }
    }
}
