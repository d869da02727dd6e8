// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// SplitMix64: random numbers that are the same in each run.
struct Repeatable: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64 = 1) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}

/// With seven of these for a seed, all IPv4 addresses have one hash.
struct Zeros: RandomNumberGenerator {
    func next() -> UInt64 { 0 }
}

extension HashSeed {
    static var repeatable: HashSeed {
        var random = Repeatable()
        return HashSeed(from: &random)
    }

    static var colliding: HashSeed {
        var zeros = Zeros()
        return HashSeed(from: &zeros)
    }
}

/// Streams of keys, some made to mislead a table of `capacity` counters.
enum Stream: String, CaseIterable {
    case zipf, uniform, allDistinct, oneKey, circleJustTooLarge, rotatingBelowTheThreshold, heavyLast, heavyFirst
    case halfHeavyHalfDistinct

    static let capacity = 64

    var keys: [UInt32] {
        var random = Repeatable(7)
        let length = 16_000
        func fresh(_ index: Int) -> UInt32 { 1_000_000 + UInt32(index) }
        switch self {
        case .zipf:
            // Frequency about 1 / rank.
            return (0..<length).map { _ in UInt32(1 / Double.random(in: 0.00005...1, using: &random)) }
        case .uniform: return (0..<length).map { _ in UInt32.random(in: 0..<5000, using: &random) }
        case .allDistinct: return (0..<length).map(fresh)
        case .oneKey: return Array(repeating: 7, count: length)
        case .circleJustTooLarge: return (0..<length).map { UInt32($0 % (Stream.capacity + 1)) }
        case .rotatingBelowTheThreshold:
            // Each heavy key comes in a burst a little shorter than the greatest error, with new keys between.
            let burst = length / (Stream.capacity / 2) - 1
            return (0..<length).map { $0 % 2 == 0 ? UInt32($0 / 2 / burst) : fresh($0) }
        case .heavyLast: return (0..<length).map { $0 < length * 9 / 10 ? fresh($0) : 7 }
        case .heavyFirst: return (0..<length).map { $0 < length / 10 ? 7 : fresh($0) }
        case .halfHeavyHalfDistinct:
            return (0..<length).map { $0 % 2 == 0 ? UInt32($0 / 2 % (Stream.capacity / 2 - 1)) : fresh($0) }
        }
    }
}

private func key(_ number: UInt32) -> HeavyHitters.Key {
    HeavyHitters.Key(AddressWords(high: UInt64(number), low: 0), tag: 2)
}

private func exact(_ keys: [UInt32]) -> [UInt32: UInt64] {
    keys.reduce(into: [:]) { $0[$1, default: 0] += 1 }
}

/// What every summary promises of what it was shown.
private func expectPromises(
    _ table: borrowing HeavyHitters, of keys: [UInt32], smallest: Int = Stream.capacity, _ comment: String = "",
    at location: SourceLocation = #_sourceLocation
) {
    let counts = exact(keys)
    let error = table.error
    var wrong = 0
    var sum: UInt64 = 0
    for (number, count) in counts {
        let counted = table.counted(key(number))
        sum += counted
        if counted > count || count > counted + error { wrong += 1 }
    }
    #expect(wrong == 0, "keys out of their bounds; \(comment)", sourceLocation: location)
    #expect(table.total == UInt64(keys.count), sourceLocation: location)
    #expect(error <= UInt64(keys.count / (smallest / 2)), "\(comment)", sourceLocation: location)
    let (used, capacity) = (table.used, table.capacity)
    #expect(used <= capacity, sourceLocation: location)
    let all = table.highest(capacity + 1)
    #expect(all.count == used, sourceLocation: location)
    #expect(all.reduce(0) { $0 + $1.count } == sum, "every counter is of a key that came", sourceLocation: location)
    #expect(table.counted(key(.max)) == 0, sourceLocation: location)
}

@Suite struct HeavyHittersTests {
    @Test func `a counter fills half a cache line`() {
        #expect(MemoryLayout<HeavyHitters.Counter>.stride == 32)
    }

    @Test(arguments: Stream.allCases)
    func `each true count lies within its bounds, and the error within its own`(_ stream: Stream) {
        var table = HeavyHitters(capacity: Stream.capacity, seed: .repeatable)
        let keys = stream.keys
        for number in keys { table.count(key(number)) }

        expectPromises(table, of: keys)
    }

    @Test(arguments: Stream.allCases)
    func `the same holds when all keys have one hash`(_ stream: Stream) {
        #expect(HashSeed.colliding.hash(key(1)) == HashSeed.colliding.hash(key(2)))
        var table = HeavyHitters(capacity: Stream.capacity, seed: .colliding)
        let keys = stream.keys
        for number in keys { table.count(key(number)) }

        expectPromises(table, of: keys)
    }

    @Test(arguments: [2, 3, 5, 1000])
    func `the same holds of odd sizes`(_ capacity: Int) {
        var table = HeavyHitters(capacity: capacity, seed: .repeatable)
        for number in Stream.zipf.keys { table.count(key(number)) }

        expectPromises(table, of: Stream.zipf.keys, smallest: capacity)
    }

    @Test func `counts are exact while there are no more keys than counters`() {
        var table = HeavyHitters(capacity: Stream.capacity, seed: .repeatable)
        for number in 0..<UInt32(Stream.capacity) * 100 { table.count(key(number % UInt32(Stream.capacity))) }

        #expect(table.error == 0)
        #expect(table.highest(Stream.capacity).map(\.count) == Array(repeating: 100, count: Stream.capacity))
    }

    @Test(arguments: [Stream.heavyFirst, .heavyLast])
    func `a tenth of all from one key is found, whenever it came`(_ stream: Stream) {
        var table = HeavyHitters(capacity: Stream.capacity, seed: .repeatable)
        for number in stream.keys { table.count(key(number)) }

        #expect(table.error > 0)
        #expect(table.highest(1).map(\.key) == [key(7)])
    }

    @Test func `large counts are subtracted exactly`() {
        var table = HeavyHitters(capacity: 4, seed: .repeatable)
        var part = HeavyHitters(capacity: 4, seed: .repeatable)
        // Adding to itself doubles: 2^40 of one key in 41 steps.
        part.count(key(1))
        for _ in 0..<40 {
            var twice = HeavyHitters(capacity: 4, seed: .repeatable)
            twice.merge(part)
            twice.merge(part)
            part = twice
        }
        for number in 1...3 as ClosedRange<UInt32> {
            for _ in 0..<number * 300 { table.count(key(number)) }
        }
        table.merge(part)
        table.count(key(4))
        table.count(key(5))

        // The counters held 2^40 + 300, 600, 900 and 1: the second highest goes.
        #expect(table.error == 900)
        #expect(table.counted(key(1)) == 1 << 40 - 600)
        #expect(table.highest(4).map(\.key) == [key(1), key(5)])
    }

    @Test func `the highest come first, and of equal ones those that came first`() {
        var table = HeavyHitters(capacity: Stream.capacity, seed: .repeatable)
        for number in [3, 1, 1, 2, 2, 4, 5, 5, 5] as [UInt32] { table.count(key(number)) }

        #expect(table.highest(4).map(\.key) == [key(5), key(1), key(2), key(3)])
        #expect(table.highest(0).isEmpty)
    }

    @Test func `keys differ by every part`() {
        var table = HeavyHitters(capacity: Stream.capacity, seed: .repeatable)
        table.count(HeavyHitters.Key(AddressWords(high: 1, low: 2), tag: 3))
        table.count(HeavyHitters.Key(AddressWords(high: 0, low: 2), tag: 3))
        table.count(HeavyHitters.Key(AddressWords(high: 1, low: 0), tag: 3))
        table.count(HeavyHitters.Key(AddressWords(high: 1, low: 2), tag: 0))

        #expect(table.used == 4)
    }

    // MARK: Merging

    @Test(arguments: Stream.allCases)
    func `what was merged keeps the promises for the whole`(_ stream: Stream) {
        let keys = stream.keys
        var whole = HeavyHitters(capacity: Stream.capacity, seed: .repeatable)
        for part in 0..<6 {
            var table = HeavyHitters(capacity: Stream.capacity, seed: .repeatable)
            // Stretches of the stream, as steps of time are.
            for number in keys[keys.count * part / 6..<keys.count * (part + 1) / 6] { table.count(key(number)) }
            whole.merge(table)
        }

        expectPromises(whole, of: keys)
    }

    @Test(arguments: Stream.allCases)
    func `merging into a table with room for all adds no error`(_ stream: Stream) {
        let keys = stream.keys
        var whole = HeavyHitters(capacity: 6 * Stream.capacity, seed: .repeatable)
        var errors: UInt64 = 0
        for part in 0..<6 {
            var table = HeavyHitters(capacity: Stream.capacity, seed: .repeatable)
            for index in stride(from: part, to: keys.count, by: 6) { table.count(key(keys[index])) }
            errors += table.error
            whole.merge(table)
        }

        #expect(whole.error == errors)
        expectPromises(whole, of: keys)
    }

    // MARK: Memory

    @Test func `after a reset it is as new`() {
        var table = HeavyHitters(capacity: Stream.capacity, seed: .repeatable)
        for number in Stream.uniform.keys { table.count(key(number)) }
        table.reset()

        #expect(table.used == 0)
        expectPromises(table, of: [])
        for number in Stream.zipf.keys { table.count(key(number)) }
        expectPromises(table, of: Stream.zipf.keys)
    }

    // MARK: Hash

    @Test func `hashes spread, of addresses in a row too`() {
        var random = Repeatable(3)
        for _ in 0..<10 {
            let seed = HashSeed(from: &random)
            // An IPv4 address lies in memory with its last byte highest.
            let hashes = Set((0..<4096).map { seed.hash(key(0x0a | UInt32($0 & 0xff) << 24 | UInt32($0 >> 8) << 16)) })
            // Of 4,096 in 2^32 two are equal once in 512 times.
            #expect(hashes.count >= 4095)
            // Half of 4,096 cells would be empty to 1/e by chance; a bad hash leaves most.
            let cells = Set(hashes.map { $0 >> 20 })
            #expect(cells.count > 1500)
        }
    }

    @Test func `each seed gives other hashes`() {
        var random = SystemRandomNumberGenerator()
        let hashes = Set((0..<100).map { _ in HashSeed(from: &random).hash(key(7)) })
        #expect(hashes.count > 95)
    }
}
