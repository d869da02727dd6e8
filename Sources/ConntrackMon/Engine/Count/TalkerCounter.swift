// SPDX-License-Identifier: GPL-3.0-or-later

internal import CRecord
internal import ConntrackModel

/// Counts new entries by source and by destination, port and protocol: of the last minute and since the start.
///
/// A minute is six steps of 10 s, five of them past and one that goes on, each with counters of its own: what gets old
/// goes with its step. So an event costs two counters, and the past is only looked at once an interval. A step that is
/// over is added to what was counted since the start.
///
/// Counters are few (`HeavyHitters`), and their error is known: at most 1/512 of what was counted, for the minute as for
/// the time since the start, however many sources there are. All of it is below 1 MiB, whatever happens.
struct TalkerCounter: ~Copyable {
    /// Counters for one stretch of time.
    private struct Pair: ~Copyable {
        var sources, destinations: HeavyHitters

        init(capacity: Int, seed: HashSeed) {
            sources = HeavyHitters(capacity: capacity, seed: seed)
            destinations = HeavyHitters(capacity: capacity, seed: seed)
        }
    }

    private static var step: UInt64 { 10_000_000_000 }
    private static var steps: Int { 6 }
    /// Half of it is what the error is measured by.
    private static var capacity: Int { 1024 }
    private static var listed: Int { 5 }

    private var minute: InlineArray<6, Pair>
    private var past: Pair
    /// Room to add up all six steps without a subtraction, so that a look adds no error.
    private var sum: HeavyHitters

    private var began: UInt64?
    /// The number of the step that goes on, since boot, and which of `minute` it has.
    private var current: UInt64 = 0
    private var index = 0
    private var endOfStep: UInt64 = 0

    init(seed: HashSeed) {
        minute = InlineArray { _ in Pair(capacity: TalkerCounter.capacity, seed: seed) }
        past = Pair(capacity: TalkerCounter.capacity, seed: seed)
        sum = HeavyHitters(capacity: TalkerCounter.steps * TalkerCounter.capacity, seed: seed)
    }

    /// Counts a new entry.
    @inline(__always)
    mutating func count(_ event: cnf_event) {
        if event.time_ns >= endOfStep { advance(to: event.time_ns) }
        minute[index].sources.count(HeavyHitters.Key(sourceOf: event))
        minute[index].destinations.count(HeavyHitters.Key(destinationOf: event))
    }

    /// The memory it takes, from the beginning to the end.
    var byteCount: Int { 2 * (TalkerCounter.steps + 1) * past.sources.byteCount + sum.byteCount }

    /// Who has most at `time`, beside what `sample` knows of losses; nil as long as no new entry was seen.
    mutating func look(at time: MonotonicTime, of sample: Sample) -> Talkers? {
        advance(to: time.nanoseconds)
        guard past.sources.total > 0 || minute.indices.contains(where: { minute[$0].sources.total > 0 }) else {
            return nil
        }
        let began = began ?? 0
        let oldest = max(began, (current - min(current, UInt64(TalkerCounter.steps - 1))) * TalkerCounter.step)
        var talkers = Talkers(minute: window(from: oldest, to: time), sinceStart: window(from: began, to: time))

        for step in minute.indices { sum.merge(minute[step].sources) }
        talkers.minute.new = sum.total
        talkers.minute.lost = sample.lostMinute.total
        talkers.minute.sources = takeList()
        for step in minute.indices { sum.merge(minute[step].destinations) }
        talkers.minute.destinations = takeList()

        sum.merge(past.sources)
        sum.merge(minute[index].sources)
        talkers.sinceStart.new = sum.total
        talkers.sinceStart.lost = sample.lost.total
        talkers.sinceStart.sources = takeList()
        sum.merge(past.destinations)
        sum.merge(minute[index].destinations)
        talkers.sinceStart.destinations = takeList()
        return talkers
    }

    private func window(from begin: UInt64, to end: MonotonicTime) -> TalkerWindow {
        TalkerWindow(span: end - MonotonicTime(nanoseconds: begin), new: 0)
    }

    private mutating func takeList() -> TalkerList {
        let highest = sum.highest(TalkerCounter.listed + 1)
        let error = sum.error
        sum.reset()
        let next = highest.count > TalkerCounter.listed ? highest[TalkerCounter.listed].count : 0
        return TalkerList(
            top: highest.prefix(TalkerCounter.listed).map {
                Talker($0.key.endpoint, atLeast: $0.count, atMost: $0.count + error)
            },
            othersAtMost: next + error)
    }

    /// Ends the steps that are over at `time`.
    private mutating func advance(to time: UInt64) {
        let step = time / TalkerCounter.step
        guard began != nil else {
            began = time
            begin(step)
            return
        }
        guard step > current else { return }
        past.sources.merge(minute[index].sources)
        past.destinations.merge(minute[index].destinations)
        for _ in 0..<min(step - current, UInt64(TalkerCounter.steps)) {
            index = (index + 1) % TalkerCounter.steps
            minute[index].sources.reset()
            minute[index].destinations.reset()
        }
        begin(step)
    }

    private mutating func begin(_ step: UInt64) {
        current = step
        endOfStep = (step + 1) * TalkerCounter.step
    }
}
