// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// The events of the last minute, sample by sample: how many came and were lost in it, and how fast new ones come.
struct EventMinute: Sendable {
    private static let length = Duration.seconds(60)

    private var points: [(time: MonotonicTime, events: EventCounts, lost: LostEvents)] = []
    /// The end of the last gap: no rate reaches beyond it.
    private var rateSince: MonotonicTime?
    /// The last sample of a silence: no rate goes back into it.
    private var silentAt: MonotonicTime?

    /// Nothing across `time` is a rate.
    mutating func breakOff(at time: MonotonicTime) {
        rateSince = time
    }

    /// Takes the events that were counted up to `sample`, and tells it of the minute before.
    mutating func look(back sample: inout Sample, _ events: EventCounts) {
        let now = sample.moment.monotonic
        points.append((now, events, sample.lost))
        while points.count > 2, now - points[1].time >= EventMinute.length { points.removeFirst() }
        if sample.isSilent { silentAt = now }
        guard sample.events != nil, let first = points.first else { return }
        if !sample.isSilent { sample.eventsMinute = (events - first.events).total }
        sample.lostMinute = sample.lost - first.lost
        let since = max(silentAt ?? first.time, rateSince ?? first.time)
        guard let start = points.first(where: { $0.time >= since }) else { return }
        sample.newRateSpan = now - start.time
        let span = sample.newRateSpan.inSeconds
        if span > 0, sample.kinds.contains(.new) { sample.newRate = Double(events.new - start.events.new) / span }
    }
}
