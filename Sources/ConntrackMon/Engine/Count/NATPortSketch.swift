// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Counts what lives, by key, in 256 KiB: a count-min sketch that is added to and subtracted from.
///
/// Four rows of 16,384 cells; a key has a cell in each, and its count is the least of the four. A sketch is linear: what was
/// added and then subtracted has left nothing behind, in whatever order. So its error is a share of what lives now, and does
/// not grow with what has come and gone. Where nothing is subtracted that was not added, with L entries alive, for any key
///
///     true count  ≤  count  ≤  true count + e · L / 16,384   with a probability of at least 1 - e^-4 (98 %)
///
/// (Cormode and Muthukrishnan, "An improved data stream summary: the count-min sketch and its applications", 2005; chapter
/// 4 for sums that may go down). A million entries with NAT: at most 166 of 64,512 ports too many. The variant that only
/// raises the lowest cells is more exact and cannot subtract; a table of exact keys with eviction can, but what it has
/// evicted and takes in again later it counts wrong for good.
struct NATPortSketch: ~Copyable {
    static var rows: Int { 4 }
    static var width: Int { 1 << bits }
    private static var bits: Int { 14 }

    private let seed: HashSeed
    private let cells: UnsafeMutablePointer<Int32>

    /// Memory that is not touched yet, and so costs nothing: `clear` comes before anything else.
    init(seed: HashSeed) {
        self.seed = seed
        cells = .allocate(capacity: NATPortSketch.rows * NATPortSketch.width)
    }

    /// Nothing is counted.
    mutating func clear() {
        cells.initialize(repeating: 0, count: NATPortSketch.rows * NATPortSketch.width)
    }

    deinit {
        cells.deallocate()
    }

    /// The memory it takes, from the beginning to the end.
    var byteCount: Int { NATPortSketch.rows * NATPortSketch.width * MemoryLayout<Int32>.stride }

    /// A key's number, of which its cells and its place among candidates follow.
    @inline(__always)
    func hash(_ key: NATKey) -> UInt64 { seed.hash(key.addresses, key.rest) }

    /// Adds `amount` to the key with this hash; its count then.
    @inline(__always)
    mutating func add(_ amount: Int32, hash: UInt64) -> Int32 {
        var least = Int32.max
        for row in 0..<NATPortSketch.rows {
            let cell = cells + place(row, hash)
            cell.pointee &+= amount
            least = min(least, cell.pointee)
        }
        return least
    }

    /// The count of the key with this hash.
    func count(hash: UInt64) -> Int32 {
        var least = Int32.max
        for row in 0..<NATPortSketch.rows { least = min(least, cells[place(row, hash)]) }
        return least
    }

    @inline(__always)
    private func place(_ row: Int, _ hash: UInt64) -> Int {
        let bits = NATPortSketch.bits
        return row << bits | Int(truncatingIfNeeded: hash >> UInt64(row * bits)) & (1 << bits - 1)
    }

    /// Becomes what `other` is.
    mutating func copy(_ other: borrowing NATPortSketch) {
        cells.update(from: other.cells, count: NATPortSketch.rows * NATPortSketch.width)
    }

    /// Keeps half of what was added since it was `before`, and nothing else.
    mutating func keepHalf(since before: borrowing NATPortSketch) {
        for index in 0..<NATPortSketch.rows * NATPortSketch.width {
            cells[index] = (cells[index] &- before.cells[index]) / 2
        }
    }
}
