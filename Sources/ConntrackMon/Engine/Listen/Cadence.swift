// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel

/// When the reader looks at the table, and how long it sleeps between two drains of the event socket. Pure: time is passed
/// in.
///
/// A tick is 2 ms while events come fast, so that what waits stays in the cache, and longer when few do, as long as the
/// receive buffer holds a burst that begins meanwhile.
package struct Cadence: Sendable {
    /// Nanoseconds.
    package static let shortTick: UInt64 = 2_000_000
    package static let longestTick: UInt64 = 50_000_000
    /// A filling ring wakes us, so that an idle host needs no wake-up between two samples.
    package static let ringTick: UInt64 = 100_000_000
    /// Of these in one tick the next one is short; of fewer than these it may be longer.
    package static let manyEvents = 512
    package static let fewEvents = 256
    /// An event is charged about 1,280 bytes of receive buffer, and no host was seen to make more than this a second.
    private static let bytesPerEvent: UInt64 = 1280
    private static let fastestBurst: UInt64 = 400_000

    /// A busy machine delays a look by less.
    private static let longestDelay: UInt64 = 100_000_000

    private let period: UInt64
    /// When the next look at the table is due.
    private(set) package var sampleDue: MonotonicTime
    private var tick = Cadence.shortTick

    /// Looks at the table every `period`; the first one was just made.
    package init(period: Duration, firstSample: MonotonicTime) {
        self.period = UInt64(max(1, period.inNanoseconds))
        sampleDue = MonotonicTime(nanoseconds: firstSample.nanoseconds + self.period)
    }

    /// Whether a look at the table is due.
    package func isSampleDue(at now: MonotonicTime) -> Bool { now >= sampleDue }

    /// Whether a look is so long overdue that what waits in the kernel belongs before it: this process, or the machine, was
    /// paused.
    package func isBehind(at now: MonotonicTime) -> Bool {
        now - sampleDue > .nanoseconds(max(period, Cadence.longestDelay))
    }

    /// The look that was due is made, `now`. Whole periods, so that a delay moves no later one; after a long one no burst
    /// makes up for it.
    package mutating func sampled(at now: MonotonicTime) {
        let late = now.nanoseconds - min(now.nanoseconds, sampleDue.nanoseconds)
        sampleDue.nanoseconds += late / period * period + period
    }

    /// A drain took so many messages, by `method`. `isRejoined`: the groups were joined or left just then.
    package mutating func drained(_ taken: Int, by method: EventMethod?, isRejoined: Bool) {
        let longest = Cadence.longTick(method)
        if isRejoined || taken >= Cadence.manyEvents {
            tick = Cadence.shortTick
        } else {
            tick = min(taken >= Cadence.fewEvents ? tick : tick * 2, longest)
        }
    }

    private static func longTick(_ method: EventMethod?) -> UInt64 {
        guard case .netlink(let receiveBuffer, _) = method else { return ringTick }
        let burst = UInt64(max(0, receiveBuffer)) / bytesPerEvent
        return max(shortTick * 2, min(longestTick, burst * 1_000_000_000 / fastestBurst))
    }

    /// How long to sleep, in nanoseconds: to the next look, or without events there is nothing else to do; to the next
    /// drain; and to when the budget changes its mind.
    package func wait(at now: MonotonicTime, isListening: Bool, budgetChangesAt: MonotonicTime?) -> UInt64 {
        let due = isListening ? min(sampleDue, budgetChangesAt ?? sampleDue) : sampleDue
        let left = due.nanoseconds - min(now.nanoseconds, due.nanoseconds)
        return isListening ? min(left, tick) : left
    }
}
