// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What the flight recorder is told.
package struct IncidentTerms: Codable, Equatable, Sendable {
    /// How far back it goes.
    package var window: Duration

    /// Goes back for `window`.
    package init(window: Duration) {
        self.window = window
    }
}

/// The last minutes, in memory that does not grow; and when they are to be written: some seconds after an alert became
/// critical, so that what it did is in it too. Alerts that come meanwhile are in the same one.
struct IncidentWindow: Sendable {
    /// How long after the alert it is written.
    private static let after = Duration.seconds(5)
    /// At a look that is due this often; others that come between (a uevent's) shorten the window a little.
    private static let mostLooks = 36_000
    private static let mostIntervals = 3600
    private static let mostSaid = 500

    private let window: Duration
    private var looks: Rolling<Incident.Look>
    private var intervals: Rolling<Incident.Interval>
    private var said = Rolling<Announcement>(capacity: mostSaid)
    private var cause: Announcement?
    /// When it is to be written; nil = nothing has happened.
    private(set) var dueAt: MonotonicTime?

    init(_ terms: IncidentTerms, sample: Duration, interval: Duration) {
        window = terms.window
        func count(_ step: Duration, _ most: Int) -> Int {
            let steps = terms.window.inNanoseconds / max(1, step.inNanoseconds)
            return min(most, Int(steps) + 1)
        }
        looks = Rolling(capacity: count(sample, IncidentWindow.mostLooks))
        intervals = Rolling(capacity: count(interval, IncidentWindow.mostIntervals))
    }

    mutating func take(_ look: TableLook) {
        looks.add(Incident.Look(wall: look.moment.wall, entries: look.entries, limit: look.limit))
    }

    mutating func take(_ sample: Sample) {
        intervals.add(Incident.Interval(sample))
    }

    mutating func take(_ announcements: [Announcement], at now: MonotonicTime) {
        for announcement in announcements {
            said.add(announcement)
            guard announcement.state == .firing, announcement.level == .critical, dueAt == nil else { continue }
            cause = announcement
            dueAt = now + IncidentWindow.after
        }
    }

    /// Somebody wants it now.
    mutating func ask(at now: MonotonicTime) {
        dueAt = now
    }

    func isDue(at now: MonotonicTime) -> Bool { dueAt.map { now >= $0 } ?? false }

    /// What it holds; from then on the next alert makes a new one.
    mutating func freeze(_ report: Report) -> Incident {
        defer { (cause, dueAt) = (nil, nil) }
        let first = report.sample.moment.wall.nanoseconds - window.inNanoseconds
        return Incident(
            cause: cause, looks: looks.inOrder.filter { $0.wall.nanoseconds >= first },
            intervals: intervals.inOrder.filter { $0.wall.nanoseconds >= first },
            said: said.inOrder.filter { $0.time.nanoseconds >= first },
            report: report)
    }
}
