// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Counts many keys in fixed memory and never loses sight of a frequent one: a Misra-Gries summary.
///
/// A key that has no counter gets one. When all are taken, what the middle one holds is subtracted from each, and those
/// left with nothing are free again. `error` adds up what was subtracted, so that for every key, counted or not,
///
///     its counter (0 without one)  ≤  its true count  ≤  its counter + error
///
/// Each time at least half the counters lose that much, and no more can be lost than came: error ≤ total / (capacity / 2).
/// Two summaries merge by adding: their errors add up, and that bound holds with the smaller capacity of the two.
/// (Misra and Gries 1982; Agarwal et al., "Mergeable summaries", 2012; the batched subtraction is that of Anderson et al.,
/// "A high-performance algorithm for identifying frequent items in data streams", 2017, with an exact median.)
///
/// At least half the counters are freed at a time, which pays for looking at all: constant time a key, amortised.
///
/// The counters lie in a row in the order they were taken. An open-addressed index of 4-byte cells finds them: half a
/// hash tells nearly all others apart without touching their counters.
struct HeavyHitters: ~Copyable {
    /// What is counted: an address and what else belongs to it.
    struct Key: Equatable, Sendable {
        var words: AddressWords
        var tag: UInt32

        @inline(__always)
        init(_ words: AddressWords, tag: UInt32) {
            self.words = words
            self.tag = tag
        }
    }

    /// 32 bytes, two in a cache line.
    struct Counter: Sendable {
        var key: Key
        fileprivate var hash: UInt32
        /// How often the key was counted since it has this counter, less what was subtracted.
        var count: UInt64
    }

    /// How many keys have a counter at most.
    let capacity: Int
    /// How many have one.
    private(set) var used = 0
    /// All that was counted.
    private(set) var total: UInt64 = 0
    /// What any key may have been counted more often than its counter says.
    private(set) var error: UInt64 = 0

    private let seed: HashSeed
    private let counters: UnsafeMutablePointer<Counter>
    /// 0 = free; else the lower half of a hash, and which counter, from 1, below it.
    private let cells: UnsafeMutablePointer<UInt32>
    private let cellCount: Int
    /// Brings a hash down to the number of a cell.
    private let shift: UInt32

    /// Room for `capacity` counters, at most 65,535. Those to be merged have the same `seed`.
    init(capacity: Int, seed: HashSeed) {
        precondition((2...Int(UInt16.max)).contains(capacity), "a counter's number fits half a cell")
        self.capacity = capacity
        self.seed = seed
        // At most a quarter of them is taken: nearly every look-up ends at its first cell. With half of them taken, a stream
        // of keys that differ cost a quarter more time.
        let bits = Int.bitWidth - (4 * capacity - 1).leadingZeroBitCount
        cellCount = 1 << bits
        shift = UInt32(32 - bits)
        counters = .allocate(capacity: capacity)
        cells = .allocate(capacity: cellCount)
        cells.initialize(repeating: 0, count: cellCount)
    }

    deinit {
        counters.deallocate()
        cells.deallocate()
    }

    /// The memory it takes, from the beginning to the end.
    var byteCount: Int { capacity * MemoryLayout<Counter>.stride + cellCount * MemoryLayout<UInt32>.stride }

    // MARK: Counting

    /// Counts one more of `key`.
    @inline(__always)
    mutating func count(_ key: Key) {
        total &+= 1
        add(1, to: key, hash: seed.hash(key))
    }

    /// Adds all that `other` counted.
    mutating func merge(_ other: borrowing HeavyHitters) {
        total += other.total
        error += other.error
        for number in 0..<other.used {
            let counter = other.counters[number]
            add(counter.count, to: counter.key, hash: counter.hash)
        }
    }

    /// Forgets everything.
    mutating func reset() {
        if used > 0 { cells.update(repeating: 0, count: cellCount) }
        used = 0
        total = 0
        error = 0
    }

    @inline(__always)
    private mutating func add(_ amount: UInt64, to key: Key, hash: UInt32) {
        var place = firstPlace(hash)
        while true {
            let cell = cells[place]
            if cell == 0 { break }
            if cell >> 16 == hash & 0xffff {
                let number = Int(cell & 0xffff) - 1
                // By a pointer of its own: `counters[number].count &+=` breaks the compiler (6.3.1) under ThreadSanitizer.
                let counter = counters + number
                if counter.pointee.key == key {
                    counter.pointee.count &+= amount
                    return
                }
            }
            place = next(place)
        }
        insert(Counter(key: key, hash: hash, count: amount), at: place)
    }

    private mutating func insert(_ counter: Counter, at free: Int) {
        var free = free
        if used == capacity {
            makeRoom()
            free = firstPlace(counter.hash)
            while cells[free] != 0 { free = next(free) }
        }
        (counters + used).initialize(to: counter)
        used += 1
        cells[free] = counter.hash << 16 | UInt32(used)
    }

    @inline(__always)
    private func firstPlace(_ hash: UInt32) -> Int { Int(hash &>> shift) }

    @inline(__always)
    private func next(_ place: Int) -> Int { (place &+ 1) & (cellCount &- 1) }

    // MARK: Making room

    private mutating func makeRoom() {
        let amount = median()
        error += amount
        cells.update(repeating: 0, count: cellCount)
        var kept = 0
        for number in 0..<used where counters[number].count > amount {
            var counter = counters[number]
            counter.count -= amount
            counters[kept] = counter
            kept += 1
            var place = firstPlace(counter.hash)
            while cells[place] != 0 { place = next(place) }
            cells[place] = counter.hash << 16 | UInt32(kept)
        }
        used = kept
    }

    /// The highest count that at least half of the counters reach. Digit by digit: counts are small where there are many.
    private func median() -> UInt64 {
        var bits: UInt64 = 0
        for number in 0..<used { bits |= counters[number].count }
        var shift = max(0, (UInt64.bitWidth - 1 - bits.leadingZeroBitCount) / 8 * 8)
        return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 256) { tally in
            var prefix: UInt64 = 0
            var rank = UInt32(used / 2)
            while true {
                tally.initialize(repeating: 0)
                for number in 0..<used where counters[number].count >> (shift + 8) == prefix {
                    tally[Int(counters[number].count >> shift & 0xff)] += 1
                }
                var digit = 255
                while digit > 0, tally[digit] < rank {
                    rank -= tally[digit]
                    digit -= 1
                }
                prefix = prefix << 8 | UInt64(digit)
                if shift == 0 { return prefix }
                shift -= 8
            }
        }
    }

    // MARK: Looking

    /// What the counter of `key` says; 0 without one.
    func counted(_ key: Key) -> UInt64 {
        let hash = seed.hash(key)
        var place = firstPlace(hash)
        while cells[place] != 0 {
            let counter = counters[Int(cells[place] & 0xffff) - 1]
            if counter.key == key { return counter.count }
            place = next(place)
        }
        return 0
    }

    /// The `number` highest counters, highest first; of equal ones, the one that was taken first.
    func highest(_ number: Int) -> [Counter] {
        var highest: [Counter] = []
        highest.reserveCapacity(number + 1)
        for index in 0..<used {
            let counter = counters[index]
            if highest.count == number, let last = highest.last, counter.count <= last.count { continue }
            highest.insert(counter, at: highest.firstIndex { $0.count < counter.count } ?? highest.count)
            if highest.count > number { highest.removeLast() }
        }
        return highest
    }
}
