// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter

/// One group of entries.
struct TopRow: Equatable {
    var key: TopKey
    /// How many; a table holds fewer than 2^31.
    var entries: UInt32 = 0
    /// Of these, how many have seen no packet in reply.
    var unreplied: UInt32 = 0
    /// Of these, how many are assured.
    var assured: UInt32 = 0
}

/// Counts entries by what they have in common, while a dump streams past: feed it batches, then ask for the largest
/// groups. Exact. An entry costs a hash and a comparison and allocates nothing; memory grows with the groups alone.
///
/// Open addressing with linear probing: `index` is at most half full and holds, for each group, 32 bits of its key's hash
/// and its place in `rows`. Whoever fills a table chooses the addresses, so the hash is keyed anew for each table.
struct TopTable {
    let grouping: TopGrouping
    /// All that was counted.
    private(set) var entries: UInt64 = 0

    private var rows: [TopRow] = []
    private var index: [UInt64]
    private let secret: TopKey

    init(_ grouping: TopGrouping) {
        self.grouping = grouping
        index = [UInt64](repeating: 0, count: 1024)
        secret = TopTable.randomKey()
    }

    /// How many groups there are.
    var groups: Int { rows.count }

    /// Counts each of `entries`.
    mutating func add(_ entries: borrowing Span<cnf_entry>) {
        for position in entries.indices {
            let status = entries[position].status
            let row = row(of: grouping.key(of: entries[position]))
            rows[row].entries &+= 1
            rows[row].unreplied &+= status & Status.seenReply == 0 ? 1 : 0
            rows[row].assured &+= status & Status.assured != 0 ? 1 : 0
        }
        self.entries += UInt64(entries.count)
    }

    /// The `limit` largest groups (0 = all), largest first; those of one size in the order of their keys.
    func largest(_ limit: Int) -> [TopRow] {
        guard limit > 0, limit < rows.count else { return rows.sorted(by: TopTable.precedes) }
        // The best so far, cut back to `limit` whenever there are twice as many: no sorting of a million groups for 20.
        let room = max(2 * limit, 1024)
        var best: [TopRow] = []
        best.reserveCapacity(min(room, rows.count))
        var last: TopRow?
        for row in rows {
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

    /// Where the group with `key` is, making it if there is none yet.
    @inline(__always)
    private mutating func row(of key: TopKey) -> Int {
        let hash = key.hash(secret)
        let tag = hash & ~0xffff_ffff
        let mask = index.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let found = index[slot]
            if found == 0 { break }
            if found & ~0xffff_ffff == tag {
                let row = Int(found & 0xffff_ffff) - 1
                if rows[row].key == key { return row }
            }
            slot = (slot + 1) & mask
        }
        return append(key, tag: tag, slot: slot)
    }

    /// Out of the way of what happens a million times.
    @inline(never)
    private mutating func append(_ key: TopKey, tag: UInt64, slot: Int) -> Int {
        rows.append(TopRow(key: key))
        index[slot] = tag | UInt64(rows.count)
        if rows.count > index.count / 2 { grow() }
        return rows.count - 1
    }

    private mutating func grow() {
        var wider = [UInt64](repeating: 0, count: index.count * 2)
        let mask = wider.count - 1
        for (position, row) in rows.enumerated() {
            let hash = row.key.hash(secret)
            var slot = Int(truncatingIfNeeded: hash) & mask
            while wider[slot] != 0 { slot = (slot + 1) & mask }
            wider[slot] = hash & ~0xffff_ffff | UInt64(position + 1)
        }
        index = wider
    }

    private static func randomKey() -> TopKey {
        func bits() -> AddressBits { AddressBits(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)) }
        return TopKey(
            source: bits(), destination: bits(), natSource: bits(), natDestination: bits(),
            traits: TopKey.Traits(numbers: .random(in: 0 ... .max), kinds: .random(in: 0 ... .max)))
    }
}

extension TopKey {
    /// Ten numbers, multiplied in pairs after a secret number was added to each: who does not know the secrets cannot
    /// choose keys that collide.
    @inline(__always)
    fileprivate func hash(_ secret: TopKey) -> UInt64 {
        let sum =
            folded(source.high &+ secret.source.high, source.low &+ secret.source.low)
            &+ folded(destination.high &+ secret.destination.high, destination.low &+ secret.destination.low)
            &+ folded(natSource.high &+ secret.natSource.high, natSource.low &+ secret.natSource.low)
            &+ folded(
                natDestination.high &+ secret.natDestination.high, natDestination.low &+ secret.natDestination.low)
            &+ folded(traits.numbers &+ secret.traits.numbers, traits.kinds &+ secret.traits.kinds)
        return folded(sum, 0x9e37_79b9_7f4a_7c15)
    }

    @inline(__always)
    private func folded(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
