// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel

/// The statistics of the last minute: what they grew by, so that a rule can judge a mean. A statistic that rises in
/// bursts has quiet intervals, and its rate in one of them says nothing.
package struct StatHistory: Sendable {
    /// No two points are closer, however short the intervals are.
    private static let step = Duration.milliseconds(500)
    /// Growth is told apart by so many steps.
    private static let steps = 6
    /// Intervals are never as long to the millisecond.
    private static let tolerance = Duration.milliseconds(500)
    private static let minute = Duration.seconds(60)
    private static let halfMinute = Duration.seconds(30)

    private var points: [(time: MonotonicTime, totals: StatValues)] = []

    /// Nothing known yet.
    package init() {}

    /// Takes the totals that `sample` has, if they are new, and tells it what they grew by. Nothing is known across a gap.
    package mutating func look(back sample: inout Sample, isNew: Bool) {
        if sample.gap != nil { points.removeAll(keepingCapacity: true) }
        guard isNew, let totals = sample.stats else { return }
        let now = sample.moment.monotonic
        sample.statsMinute = growth(to: totals, over: StatHistory.minute, now: now)
        sample.statsHalfMinute = growth(to: totals, over: StatHistory.halfMinute, now: now)
        if points.last.map({ now - $0.time >= StatHistory.step }) ?? true { points.append((now, totals)) }
        // One point at or before the minute's start stays.
        while points.count > 2, now - points[1].time >= StatHistory.minute { points.removeFirst() }
    }

    /// Since the newest point that is at least `window` old, or since the first one.
    private func growth(to totals: StatValues, over window: Duration, now: MonotonicTime) -> StatGrowth? {
        guard let start = points.lastIndex(where: { now - $0.time >= window }) ?? points.indices.first,
            now > points[start].time
        else { return nil }
        var growth = StatGrowth(totals - points[start].totals, in: now - points[start].time)
        growth.risen = risen(since: start, to: totals, by: window / StatHistory.steps, now: now)
        return growth
    }

    /// In how many steps since a point each has grown. What is left of a step at the end counts from its half on.
    private func risen(
        since start: Int, to totals: StatValues, by step: Duration, now: MonotonicTime
    ) -> (in: StatValues, of: Int) {
        var (counts, steps, from) = (StatValues(), 0, points[start])
        func close(_ point: (time: MonotonicTime, totals: StatValues)) {
            let growth = point.totals - from.totals
            for stat in Stat.allCases {
                guard let value = growth[stat] else { continue }
                counts[stat] = (counts[stat] ?? 0) + (value > 0 ? 1 : 0)
            }
            steps += 1
            from = point
        }
        for point in points[(start + 1)...] where point.time - from.time >= step - StatHistory.tolerance {
            close(point)
        }
        if steps == 0 || now - from.time >= step / 2 { close((now, totals)) }
        return (counts, steps)
    }
}
