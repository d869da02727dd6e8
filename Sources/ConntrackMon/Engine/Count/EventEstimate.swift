// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Rates of new and destroy events while a part of the time is not listened to, and what listening costs. Estimates are
/// rates only: no counter ever holds one.
///
/// New entries scale: those of the time away are taken to come as fast as those of the windows beside it. Destroyed ones
/// do not: an entry made while nobody listened never sends DESTROY (nf_conntrack_events = 2, the default). So they are
/// what was made less what the table gained.
struct EventEstimate: Sendable {
    /// An estimate that no window has renewed for so long is none.
    private static let longestAge = Duration.seconds(15)

    private var gain = Slope(window: .seconds(1))
    private var previous: EventDuty?
    private var newRate: Double?
    private var minute: [(time: MonotonicTime, duty: EventDuty, entries: UInt64?)] = []

    /// A look at the table.
    mutating func add(entries: UInt64, at time: MonotonicTime) {
        gain.add(entries, at: time)
    }

    /// The table is another one from here on, or was not looked at.
    mutating func reset() {
        gain.reset()
    }

    /// Puts into `sample` what `duty` tells of it; nil = nothing is listened to.
    mutating func close(_ sample: inout Sample, _ duty: EventDuty?) {
        defer { previous = duty }
        guard let duty else {
            newRate = nil
            minute = []
            return
        }
        let now = sample.moment.monotonic
        sample.duty = duty
        newRate = previous.map { EventEstimate.rate($0, duty) ?? newRate } ?? nil
        sample.isPartial = previous.map { duty.away > $0.away } ?? false || duty.ratio < 1
        if sample.isPartial, sample.gap == nil, duty.hindrance == nil,
            now - duty.settledAt < EventEstimate.longestAge
        {
            estimate(&sample)
        }
        lookBackAMinute(&sample, duty)
    }

    private func estimate(_ sample: inout Sample) {
        guard let newRate, sample.kinds.contains(.new) else { return }
        // What the table gained did come, whatever the windows heard.
        let new = max(newRate, gain.perSecond ?? 0)
        sample.newEstimate = new
        if sample.kinds.contains(.destroy), let gain = gain.perSecond { sample.destroyEstimate = max(0, new - gain) }
    }

    private mutating func lookBackAMinute(_ sample: inout Sample, _ duty: EventDuty) {
        let now = sample.moment.monotonic
        // As for what is counted: a minute with a silence in it tells nothing.
        if sample.isSilent { minute = [] }
        minute.append((now, duty, sample.table.entries))
        while minute.count > 2, now - minute[1].time >= .seconds(60) { minute.removeFirst() }
        guard let first = minute.first else { return }
        let span = now - first.time
        if duty.away > first.duty.away, sample.kinds.contains(.new) {
            let gain = EventEstimate.gain(from: first.entries, to: sample.table.entries, in: span)
            sample.newRate = EventEstimate.rate(first.duty, duty).map { max($0, gain) }
            sample.isNewRateEstimated = true
        }
        if span >= .seconds(60) { sample.eventLoadMinute = (duty.spent - first.duty.spent) / span.inSeconds }
    }

    /// What the table gained a second; 0 when it did not, or that is not known.
    private static func gain(from before: UInt64?, to now: UInt64?, in span: Duration) -> Double {
        guard let before, let now, now > before, span > .zero else { return 0 }
        return Double(now - before) / span.inSeconds
    }

    /// New entries a second from `before` to `now`; nil when nothing was learnt between them.
    private static func rate(_ before: EventDuty, _ now: EventDuty) -> Double? {
        let span = now.span - before.span
        return span > 0 ? (now.made - before.made) / span : nil
    }
}
