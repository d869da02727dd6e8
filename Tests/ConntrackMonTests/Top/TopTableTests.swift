// SPDX-License-Identifier: GPL-3.0-or-later

import CNetfilter
import Glibc
import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

@Suite struct TopTableTests {
    /// A random entry out of few values each, so that many are alike.
    private func random(_ generator: inout SplitMix, hosts: UInt32) -> cnf_entry {
        func pick<T>(_ values: [T]) -> T { values[Int.random(in: values.indices, using: &generator)] }
        func address(_ v6: Bool) -> String {
            let host = UInt32.random(in: 0..<hosts, using: &generator)
            return v6
                ? "2001:db8:\(host & 7)::\(String(host, radix: 16))"
                : "10.\(host >> 16).\(host >> 8 & 255).\(host & 255)"
        }
        let v6 = Bool.random(using: &generator)
        let number = pick([IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, 253])
        return Entries.entry(
            from: address(v6), to: address(v6), protocol: number, port: number == 253 ? 0 : pick([0, 53, 443, 0x0800]),
            status: UInt32.random(in: 0..<64, using: &generator) | pick([0, 0, 0, 1 << 14, 3 << 14])
        ) {
            $0.tcp_state = number == IPPROTO_TCP ? pick([0, 1, 3, 7, 9]) : UInt8(CNF_NO_TCP_STATE)
            $0.zone = pick([0, 1, 0xffff])
            $0.mark = pick([0, 1, 0xffff_ffff])
            Entries.set(&$0.reply.source, address(v6))
            Entries.set(&$0.reply.destination, address(v6))
        }
    }

    /// What a plain dictionary from words to counts makes of the same entries, key by key and told in words.
    private func counted(_ entries: [cnf_entry], by grouping: TopGrouping) -> Set<String> {
        var counts: [[String]: (Int, Int, Int)] = [:]
        for entry in entries {
            let key = grouping.fields.map { PlainKey.word($0, entry, grouping) }
            var count = counts[key] ?? (0, 0, 0)
            count.0 += 1
            if entry.status & 2 == 0 { count.1 += 1 }
            if entry.status & 4 != 0 { count.2 += 1 }
            counts[key] = count
        }
        return Set(counts.map { "\($0.key.joined(separator: " ")): \($0.value.0) \($0.value.1) \($0.value.2)" })
    }

    private static let groupings: [TopGrouping] =
        TopField.allCases.map { TopGrouping([$0]) } + [
            TopGrouping(TopField.allCases), TopGrouping([]),
            TopGrouping([.source, .port], prefix4: 9, prefix6: 47),
            TopGrouping([.natSource, .destination, .natDestination], prefix4: 30, prefix6: 100),
            TopGrouping([.nat, .state, .source], prefix4: 0, prefix6: 0),
        ]

    @Test(arguments: groupings.indices)
    func `counts are those of a plain dictionary`(_ index: Int) {
        let grouping = Self.groupings[index]
        var generator = SplitMix(state: 20_261_124)
        for (count, hosts) in [(0, 1), (1, 1), (3000, 6), (6000, 100_000)] {
            let entries = (0..<count).map { _ in random(&generator, hosts: UInt32(hosts)) }
            let table = TopTable.counting(entries, by: grouping, batch: 97)
            let words = table.words()

            let difference = Set(words).symmetricDifference(counted(entries, by: grouping))
            #expect(difference.sorted().prefix(4) == [])
            #expect(words.count == table.groups)
            #expect(table.entries == UInt64(count))
            #expect(table.largest(0).map(\.entries) == table.largest(0).map(\.entries).sorted(by: >))
        }
    }

    @Test func `the largest are the first of all, whatever the limit`() {
        var generator = SplitMix(state: 7)
        let entries = (0..<6000).map { _ in random(&generator, hosts: 3000) }
        let table = TopTable.counting(entries, by: TopGrouping([.source]))
        let all = table.largest(0)

        #expect(all.count > 2500)
        for limit in [1, 2, 20, 511, 512, 1000, all.count - 1, all.count, all.count + 1] {
            #expect(table.largest(limit) == Array(all.prefix(limit)), "\(limit)")
        }
    }

    @Test func `groups of one size come in the order of their keys, in each run`() {
        let sources = ["10.0.0.9", "10.0.0.10", "2001:db8::1", "9.0.0.0"]
        let entries = (sources + ["10.0.0.10"]).map { Entries.tcp($0) }
        let orders = (0..<20).map { _ in
            TopTable.counting(entries.shuffled(), by: TopGrouping([.source])).largest(0).map {
                Address($0.key.family, $0.key.source).text
            }
        }

        #expect(Set(orders) == [["10.0.0.10", "9.0.0.0", "10.0.0.9", "2001:db8::1"]])
    }

    @Test func `no keys at all make one group of everything`() {
        let table = TopTable.counting([Entries.tcp("10.0.0.1"), Entries.tcp("10.0.0.2")], by: TopGrouping([]))

        #expect(table.words() == [": 2 0 2"])
    }
}

/// A field of an entry in words, told without the key.
private enum PlainKey {
    static func word(_ field: TopField, _ entry: cnf_entry, _ grouping: TopGrouping) -> String {
        let (snat, dnat) = (entry.status & 0x10 != 0, entry.status & 0x20 != 0)
        return switch field {
        case .source: address(entry.original.source, entry, grouping)
        case .destination: address(entry.original.destination, entry, grouping)
        case .natSource: snat ? address(entry.reply.destination, entry, grouping) : "-"
        case .natDestination: dnat ? address(entry.reply.source, entry, grouping) : "-"
        case .nat: snat ? (dnat ? "both" : "source") : dnat ? "destination" : "none"
        case .port:
            switch Int(entry.protocol) {
            case IPPROTO_TCP: "\(entry.original.destination_port)/tcp"
            case IPPROTO_UDP: "\(entry.original.destination_port)/udp"
            case IPPROTO_ICMP:
                "type=\(entry.original.destination_port >> 8),code=\(entry.original.destination_port & 255)/icmp"
            default: "-/253"
            }
        case .protocol: [6: "tcp", 17: "udp", 1: "icmp"][entry.protocol] ?? "253"
        case .zone: "\(entry.zone)"
        case .mark: "\(entry.mark)"
        case .assured: entry.status & 4 != 0 ? "yes" : "no"
        case .state:
            if entry.status & 1 << 15 != 0 {
                "HW_OFFLOAD"
            } else if entry.status & 1 << 14 != 0 {
                "OFFLOAD"
            } else if entry.protocol == 6 {
                [0: "NONE", 1: "SYN_SENT", 3: "ESTABLISHED", 7: "TIME_WAIT", 9: "SYN_SENT2"][entry.tcp_state] ?? "?"
            } else {
                entry.status & 4 != 0 ? "ASSURED" : entry.status & 2 != 0 ? "SEEN_REPLY" : "UNREPLIED"
            }
        }
    }

    /// Cut bit by bit.
    private static func address(_ field: some Any, _ entry: cnf_entry, _ grouping: TopGrouping) -> String {
        let v6 = Int32(entry.family) == AF_INET6
        let prefix = v6 ? grouping.prefix6 : grouping.prefix4
        var bytes = withUnsafeBytes(of: field) { Array($0) }
        for bit in prefix..<128 { bytes[bit / 8] &= ~(UInt8(0x80) >> UInt8(bit % 8)) }
        var text = [CChar](repeating: 0, count: 64)
        inet_ntop(v6 ? AF_INET6 : AF_INET, bytes, &text, 64)
        let word = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return prefix == (v6 ? 128 : 32) ? word : "\(word)/\(prefix)"
    }
}
