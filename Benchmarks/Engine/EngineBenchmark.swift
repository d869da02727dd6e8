// SPDX-License-Identifier: GPL-3.0-or-later

internal import CRecord
internal import ConntrackEngine
internal import ConntrackModel
internal import ConntrackEngine
internal import ConntrackModel
internal import ConntrackRing
internal import ConntrackRing
internal import Glibc

/// The engine's path alone, without a kernel: made-up records through the ring and into the engine.
///
///     EngineBenchmark steady|flood RECORDS           takes so many: scripts/hotpath.sh counts instructions and calls
///     EngineBenchmark steady|flood RECORDS --time    prints `take=NS read=NS`: nanoseconds a record, of taking it and of
///                                                    reading its eight words and nothing else
@main
enum EngineBenchmark {
    /// How many records the reader hands over at a time, at most.
    private static let batch = 1024

    static func main() {
        let words = CommandLine.arguments.dropFirst()
        let isTimed = words.last == "--time"
        guard words.count == (isTimed ? 3 : 2), let kind = words.first.flatMap(Feed.init(kind:)),
            let records = Int(words[2]), records > 0
        else {
            let usage = Array("usage: EngineBenchmark steady|flood RECORDS [--time]\n".utf8)
            _ = write(STDERR_FILENO, usage, usage.count)
            exit(64)
        }
        let times = run(kind, records, isTimed: isTimed)
        guard isTimed else { return }
        print("take=\(Double(times.take) / Double(records)) read=\(Double(times.read) / Double(records))")
    }

    /// Nanoseconds spent taking and reading; only by `isTimed` is anything but taken.
    private static func run(_ kind: Feed, _ records: Int, isTimed: Bool) -> (take: UInt64, read: UInt64) {
        let ring = EventRing(capacity: 65536)
        var engine = Engine.forBenchmark()
        var feed = kind
        var times = (take: UInt64(0), read: UInt64(0))
        var sum: UInt64 = 0
        while feed.made < records {
            ring.fill { feed.fill($0, atMost: min(batch, records - feed.made)) }
            ring.drain { records in
                let begin = nanoseconds()
                if isTimed { sum &+= read(records) }
                let middle = nanoseconds()
                engine.take(records)
                times.read += middle - begin
                times.take += nanoseconds() - middle
            }
        }
        // So that reading is not optimised away.
        if isTimed && sum == 0 { print("") }
        return times
    }

    /// The least that looking at a record costs; it also brings the records into the cache, where a reader that has just written
    /// them has them.
    @inline(never)
    private static func read(_ records: borrowing Span<cnf_record>) -> UInt64 {
        records.withUnsafeBufferPointer { records in
            UnsafeRawBufferPointer(records).bindMemory(to: UInt64.self).reduce(0, &+)
        }
    }

    private static func nanoseconds() -> UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }
}

extension Engine {
    /// An engine that wants nothing while it takes records.
    fileprivate static func forBenchmark() -> Engine {
        // The same in each run: which keys fall into one cell changes the instructions by 1 % and more.
        var random = SameNumbers()
        let start = Moment(monotonic: MonotonicTime(nanoseconds: 0), wall: WallTime(nanoseconds: 0))
        return Engine(
            EnginePlan(identity: Identity(host: "", netns: "")), seed: HashSeed(from: &random), at: start)
    }
}

private struct SameNumbers: RandomNumberGenerator {
    private var state: UInt64 = 0x9e37_79b9_7f4a_7c15

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}
