// SPDX-License-Identifier: GPL-3.0-or-later

internal import CRecord
internal import Glibc

/// Records as a busy host gives them: 200,000 events a second, each NEW followed by a DESTROY, and a look at the table
/// every 100 ms.
struct Feed {
    /// How many records it has made.
    private(set) var made = 0

    /// How many sources there are, a power of two; each keeps to one of 16 destinations.
    private let sources: UInt32

    private static let interval: UInt64 = 5000
    private static let recordsALook = 20_000

    /// `steady`: 256 sources, which the talkers' counters all hold. `flood`: each NEW from another source, the worst
    /// that can come.
    init?(kind: String) {
        switch kind {
        case "steady": sources = 256
        case "flood": sources = 1 << 31
        default: return nil
        }
    }

    /// Writes a record to each slot, `limit` at most; returns how many.
    mutating func fill(_ slots: UnsafeMutableBufferPointer<cnf_record>, atMost limit: Int) -> Int {
        let count = min(slots.count, limit)
        for index in 0..<count {
            slots.initializeElement(at: index, to: made % Feed.recordsALook == 0 ? look : event)
            made += 1
        }
        return count
    }

    private var time: UInt64 { 1_000_000_000 + UInt64(made) * Feed.interval }

    private var event: cnf_record {
        let number = UInt32(truncatingIfNeeded: made / 2)
        // An odd factor: every source comes once before the first comes again.
        let source = (number &* 2_654_435_761) & (sources - 1)
        var event = cnf_event()
        event.time_ns = time
        event.kind = UInt8(made % 2 == 0 ? CNF_NEW.rawValue : CNF_DESTROY.rawValue)
        event.family = UInt8(AF_INET)
        event.protocol = UInt8(IPPROTO_UDP)
        event.tcp_state = UInt8(CNF_NO_TCP_STATE)
        event.source_port = UInt16(1024 + number % 32768)
        event.destination_port = 53
        event.id = number
        withUnsafeMutableBytes(of: &event.source) { $0.storeBytes(of: source.bigEndian, as: UInt32.self) }
        withUnsafeMutableBytes(of: &event.destination) {
            $0.storeBytes(of: (0xc000_0200 | source & 15).bigEndian, as: UInt32.self)
        }
        return cnf_record(event: event)
    }

    private var look: cnf_record {
        var table = cnf_table()
        table.time_ns = time
        table.kind = UInt8(CNF_TABLE.rawValue)
        table.alive = 1
        table.entries = UInt64(made % 100_000)
        table.limit = 262_144
        return cnf_record(table: table)
    }
}
