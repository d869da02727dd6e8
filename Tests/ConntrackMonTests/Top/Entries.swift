// SPDX-License-Identifier: GPL-3.0-or-later

import CNetfilter
import Glibc

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// Entries to count, as a dump gives them.
enum Entries {
    /// One of `source` -> 192.0.2.1:443.
    static func tcp(_ source: String, state: UInt8 = 3, status: UInt32 = 0x0e) -> cnf_entry {
        entry(from: source, to: "192.0.2.1", port: 443, status: status) { $0.tcp_state = state }
    }

    /// One with `more` set, IPv6 where the addresses are.
    static func entry(
        from source: String, to destination: String, protocol: Int = IPPROTO_TCP, port: UInt16 = 0, status: UInt32 = 0,
        _ more: (inout cnf_entry) -> Void = { _ in }
    ) -> cnf_entry {
        var entry = cnf_entry()
        entry.family = UInt8(source.contains(":") ? AF_INET6 : AF_INET)
        entry.protocol = UInt8(`protocol`)
        entry.tcp_state = UInt8(CNF_NO_TCP_STATE)
        entry.status = status
        entry.original.destination_port = port
        set(&entry.original.source, source)
        set(&entry.original.destination, destination)
        set(&entry.reply.source, destination)
        set(&entry.reply.destination, source)
        more(&entry)
        return entry
    }

    /// Puts an address into a record's field.
    static func set(_ field: inout some Any, _ address: String) {
        withUnsafeMutableBytes(of: &field) {
            _ = inet_pton(address.contains(":") ? AF_INET6 : AF_INET, address, $0.baseAddress)
        }
    }
}

extension TopTable {
    /// The groups of `entries`, counted in batches of `batch`.
    static func counting(_ entries: [cnf_entry], by grouping: TopGrouping, batch: Int = 256) -> TopTable {
        var random = SplitMix(state: 9)
        var table = TopTable(grouping, random: &random)
        for start in stride(from: 0, to: entries.count, by: batch) {
            table.add(entries[start..<min(start + batch, entries.count)].span)
        }
        return table
    }

    /// The words of each group with its entries, unreplied and assured.
    func words(limit: Int = 0) -> [String] {
        largest(limit).map { row in
            let words = grouping.fields.map { grouping.word($0, of: row.key) }
            return "\(words.joined(separator: " ")): \(row.entries) \(row.unreplied) \(row.assured)"
        }
    }
}

/// Numbers that are the same in each run, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
