// SPDX-License-Identifier: GPL-3.0-or-later

package import CRecord
package import ConntrackModel

/// Counts entries by what they have in common, while a dump streams past: feed it batches, then ask for the largest
/// groups. Exact. An entry costs a hash and a comparison and allocates nothing; memory grows with the groups alone.
///
/// A group lies in `rows` as its counts and those numbers of its key that this grouping uses: 40 bytes by source. `index`
/// finds it: open addressing, linear probing, at most half full; a slot holds the high half of the key's hash and the
/// group's place, 0 is free. The slot follows from the hash's highest bits, so that growing walks both indexes from one end
/// to the other and looks at no key. Whoever fills a table chooses the addresses: each table hashes with secrets of its own.
package struct TopTable {
    /// How entries are grouped.
    package let grouping: TopGrouping
    /// All that was counted.
    package private(set) var entries: UInt64 = 0
    /// How many groups there are.
    package private(set) var groups = 0

    /// Counts before the key: entries and (high half) unreplied; assured.
    private static let counts = 2

    private let masks: TopMasks
    private let inUse: [Int]
    private let stride: Int
    private var rows: [UInt64] = []
    private var index: [UInt64]
    private var shift: UInt64
    private let secrets: [UInt64]

    /// An empty table, with secrets from `random`.
    package init(_ grouping: TopGrouping, random: inout some RandomNumberGenerator) {
        self.grouping = grouping
        masks = TopMasks(grouping)
        inUse = masks.wordsInUse
        stride = TopTable.counts + inUse.count
        index = [UInt64](repeating: 0, count: 1024)
        shift = 54
        // One is added to each number and one multiplies it; those are odd, or bits would be lost.
        secrets = (0..<2 * inUse.count).map { random.next() | UInt64($0 & 1) }
    }

    /// Counts each of `entries`.
    package mutating func add(_ entries: borrowing Span<cnf_entry>) {
        for position in entries.indices {
            let status = EntryStatus(rawValue: entries[position].status)
            let row = row(of: masks.key(of: entries[position]).words)
            rows[row] &+= status.contains(.seenReply) ? 1 : 1 << 32 | 1
            rows[row + 1] &+= status.contains(.assured) ? 1 : 0
        }
        self.entries += UInt64(entries.count)
    }

    /// The `limit` largest groups (0 = all), largest first; those of one size in the order of their keys.
    package func largest(_ limit: Int) -> [TopRow] {
        guard limit > 0, limit < groups else { return (0..<groups).map(group).sorted(by: TopTable.precedes) }
        // The best so far, cut back to `limit` whenever there are twice as many: no sorting of a million groups for 20.
        let room = max(2 * limit, 1024)
        var best: [TopRow] = []
        best.reserveCapacity(min(room, groups))
        var last: TopRow?
        for place in 0..<groups {
            if let last, rows[place * stride] & 0xffff_ffff < last.entries { continue }
            let row = group(place)
            if let last, !TopTable.precedes(row, last) { continue }
            best.append(row)
            guard best.count == room else { continue }
            best.sort(by: TopTable.precedes)
            best.removeLast(best.count - limit)
            last = best.last
        }
        best.sort(by: TopTable.precedes)
        return Array(best.prefix(limit))
    }

    private static func precedes(_ left: TopRow, _ right: TopRow) -> Bool {
        left.entries != right.entries ? left.entries > right.entries : TopKey.precedes(left.key, right.key)
    }

    private func group(_ place: Int) -> TopRow {
        let start = place * stride
        var words: [10 of UInt64] = .init(repeating: 0)
        for (offset, word) in inUse.enumerated() { words[word] = rows[start + TopTable.counts + offset] }
        return TopRow(
            key: TopKey(words: words), entries: UInt32(truncatingIfNeeded: rows[start]),
            unreplied: UInt32(rows[start] >> 32), assured: UInt32(truncatingIfNeeded: rows[start + 1]))
    }

    /// Where in `rows` the group with this key begins; it is made if there is none yet.
    @inline(__always)
    private mutating func row(of words: [10 of UInt64]) -> Int {
        let hash = hash(words)
        let mask = index.count - 1
        var slot = Int(truncatingIfNeeded: hash >> shift)
        while true {
            let found = index[slot]
            if found == 0 { break }
            if (found ^ hash) >> 32 == 0 {
                let start = (Int(found & 0xffff_ffff) - 1) * stride
                if holds(start, words) { return start }
            }
            slot = (slot + 1) & mask
        }
        return append(words, hash: hash, slot: slot)
    }

    @inline(__always)
    private func holds(_ start: Int, _ words: [10 of UInt64]) -> Bool {
        for offset in inUse.indices where rows[start + TopTable.counts + offset] != words[inUse[offset]] {
            return false
        }
        return true
    }

    /// Who does not know the secrets cannot choose keys that collide.
    @inline(__always)
    private func hash(_ words: [10 of UInt64]) -> UInt64 {
        var sum: UInt64 = 0
        for offset in inUse.indices {
            let product = (words[inUse[offset]] &+ secrets[2 * offset])
                .multipliedFullWidth(by: secrets[2 * offset + 1])
            sum &+= product.high ^ product.low
        }
        return sum
    }

    /// Out of the way of what happens a million times.
    @inline(never)
    private mutating func append(_ words: [10 of UInt64], hash: UInt64, slot: Int) -> Int {
        let start = rows.count
        rows.append(0)
        rows.append(0)
        for word in inUse { rows.append(words[word]) }
        groups += 1
        index[slot] = hash & ~0xffff_ffff | UInt64(groups)
        if groups > index.count / 2 { grow() }
        return start
    }

    private mutating func grow() {
        var wider = [UInt64](repeating: 0, count: index.count * 2)
        let mask = wider.count - 1
        shift -= 1
        for found in index where found != 0 {
            var slot = Int(truncatingIfNeeded: found >> shift)
            while wider[slot] != 0 { slot = (slot + 1) & mask }
            wider[slot] = found
        }
        index = wider
    }
}
