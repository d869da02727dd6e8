// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackHost
internal import ConntrackModel

/// What `events` did not get, and when it says so: at most a line a second, with the exact number where the kernel tells it.
struct EventsLosses {
    private var counts = LostEvents()
    private var said = LostEvents()
    /// The kernel dropped some and does not say how many (before 4.12).
    private var isInexact = false
    private var isInexactSaid = false
    private var nextAt: MonotonicTime?

    private static let period = Duration.seconds(1)

    /// Whether it is time to count.
    mutating func isDue(at now: MonotonicTime) -> Bool {
        if let nextAt, now < nextAt { return false }
        nextAt = now + EventsLosses.period
        return true
    }

    /// The kernel said that it dropped some.
    mutating func overran() {
        isInexact = true
    }

    /// Asks the kernel what it dropped, and takes what became of the messages received.
    mutating func count(_ socket: inout EventSocket, malformed: UInt64, truncated: UInt64) {
        if let ring = socket.takeRingLosses() {
            counts.overrun += ring.overrun.total
            counts.truncated += ring.truncated.total
        }
        if let overruns = socket.takeOverruns() {
            counts.overrun += overruns
            isInexact = false
        }
        counts.malformed = malformed
        counts.truncated += truncated
    }

    /// A line about what was lost since the last one; nil when nothing was.
    mutating func line() -> String? {
        let new = counts - said
        defer {
            said = counts
            isInexactSaid = isInexact
        }
        if new.overrun == 0, isInexact, !isInexactSaid {
            return "events: some lost, this kernel does not say how many: its buffer was full"
        }
        guard new.total > 0 else { return nil }
        var reasons: [String] = []
        if new.overrun > 0 {
            reasons.append("\(new.overrun) found the buffer full (a larger --receive-buffer, or a filter, loses fewer)")
        }
        if new.truncated > 0 { reasons.append("\(new.truncated) were too long") }
        if new.malformed > 0 { reasons.append("\(new.malformed) could not be read") }
        let sum = counts.total == new.total ? "" : ", \(counts.total) in all"
        return "events: \(new.total) lost\(sum): \(reasons.joined(separator: ", "))"
    }
}
