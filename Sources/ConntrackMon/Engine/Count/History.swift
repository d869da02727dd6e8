// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// The highest count of a sliding window, kept as a row of equal steps: what left the window leaves in whole steps.
struct SlidingPeak: Sendable {
    private let step: UInt64
    private var peaks: [UInt64?]
    private var current: UInt64?

    /// A window of `steps` steps of `step` each.
    init(step: Duration, steps: Int) {
        self.step = UInt64(step.inNanoseconds)
        peaks = Array(repeating: nil, count: steps)
    }

    mutating func add(_ value: UInt64, at time: MonotonicTime) {
        advance(to: time)
        let index = Int(time.nanoseconds / step % UInt64(peaks.count))
        peaks[index] = max(value, peaks[index] ?? 0)
    }

    mutating func highest(at time: MonotonicTime) -> UInt64? {
        advance(to: time)
        return peaks.lazy.compactMap { $0 }.max()
    }

    private mutating func advance(to time: MonotonicTime) {
        let now = time.nanoseconds / step
        guard let last = current else {
            current = now
            return
        }
        guard now > last else { return }
        for passed in 1...min(now - last, UInt64(peaks.count)) {
            peaks[Int((last + passed) % UInt64(peaks.count))] = nil
        }
        current = now
    }
}

/// How fast the table fills: the slope of a straight line (least squares) through a window of counts.
struct Slope: Sendable {
    private let window: Duration
    private var points: [(time: MonotonicTime, entries: Double)] = []

    init(window: Duration) {
        self.window = window
    }

    mutating func add(_ entries: UInt64, at time: MonotonicTime) {
        points.append((time, Double(entries)))
        // One point at or before the window's start stays, or the line would never span it.
        while points.count > 2, time - points[1].time >= window { points.removeFirst() }
    }

    mutating func reset() {
        points.removeAll(keepingCapacity: true)
    }

    /// Entries a second; nil until the points span the window.
    var perSecond: Double? {
        guard let first = points.first, let last = points.last, last.time - first.time >= window else { return nil }
        let count = Double(points.count)
        var sumX = 0.0
        var sumY = 0.0
        var sumXY = 0.0
        var sumXX = 0.0
        for point in points {
            let x = (point.time - first.time).inSeconds
            sumX += x
            // From the first point, so that a count that stands still has a slope of 0 and not of rounding errors.
            let y = point.entries - first.entries
            sumY += y
            sumXY += x * y
            sumXX += x * x
        }
        let spread = count * sumXX - sumX * sumX
        return spread > 0 ? (count * sumXY - sumX * sumY) / spread : nil
    }
}

/// How fast the table fills: over a minute, and over the last ten seconds, which tell whether that goes on.
struct FillSlope: Sendable {
    private var minute = Slope(window: .seconds(60))
    private var recent = Slope(window: .seconds(10))

    mutating func add(_ entries: UInt64, at time: MonotonicTime) {
        minute.add(entries, at: time)
        recent.add(entries, at: time)
    }

    mutating func reset() {
        minute.reset()
        recent.reset()
    }

    /// Entries a second over a minute; nil until that long is known.
    var perSecond: Double? { minute.perSecond }
    /// Entries a second over ten seconds; nil until that long is known.
    var recentPerSecond: Double? { recent.perSecond }
}
