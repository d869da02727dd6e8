// SPDX-License-Identifier: GPL-3.0-or-later

package import CRecord
package import ConntrackEngine
package import ConntrackModel
internal import Glibc

/// Entries to count, as a dump gives them.
package enum Entries {
    /// One of `source` -> 192.0.2.1:443.
    package static func tcp(_ source: String, state: UInt8 = 3, status: UInt32 = 0x0e) -> cnf_entry {
        entry(from: source, to: "192.0.2.1", port: 443, status: status) { $0.tcp_state = state }
    }

    /// One with `more` set, IPv6 where the addresses are.
    package static func entry(
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
    package static func set(_ field: inout some Any, _ address: String) {
        withUnsafeMutableBytes(of: &field) {
            _ = inet_pton(address.contains(":") ? AF_INET6 : AF_INET, address, $0.baseAddress)
        }
    }
}

extension TopTable {
    /// The groups of `entries`, counted in batches of `batch`.
    package static func counting(_ entries: [cnf_entry], by grouping: TopGrouping, batch: Int = 256) -> TopTable {
        var random = SplitMix(state: 9)
        var table = TopTable(grouping, random: &random)
        for start in stride(from: 0, to: entries.count, by: batch) {
            table.add(entries[start..<min(start + batch, entries.count)].span)
        }
        return table
    }
}
