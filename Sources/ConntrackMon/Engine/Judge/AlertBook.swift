// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Every alert's state: turns verdicts into announcements, one line for each change.
struct AlertBook: Sendable {
    /// One alert, or one instance of it.
    private struct Entry: Sendable {
        var warning = Latch()
        var critical = Latch()
        var announced: Level?
        var since = MonotonicTime(nanoseconds: 0)
        var sinceWall = WallTime(nanoseconds: 0)
        var saidAt = MonotonicTime(nanoseconds: 0)
        var explanation = Explanation("")
        /// Its text tells more than when it was last said.
        var hasNews = false

        var level: Level? {
            critical.isFiring ? .critical : warning.isFiring ? .warning : nil
        }
    }

    private struct Key: Hashable, Sendable {
        var name: AlertName
        var subject: String?
    }

    private var entries: [Key: Entry] = [:]
    private let repeatEvery: Duration

    init(repeatEvery: Duration) {
        self.repeatEvery = repeatEvery
    }

    struct Holds: Sendable {
        var warning: Duration
        var critical: Duration
        var clear: Duration

        /// At once, both ways.
        static let none = Holds(warning: .zero, critical: .zero, clear: .zero)
    }

    /// Moves one alert on. `verdict` nil = nothing is known.
    mutating func step(
        _ name: AlertName, subject: String? = nil, _ verdict: Verdict?, holds: Holds, incident: String? = nil,
        now: Moment
    ) -> Announcement? {
        let key = Key(name: name, subject: subject)
        var entry = entries[key] ?? Entry()
        defer { entries[key] = entry }
        let blocked = name.causes.contains { isFiring($0) }
        entry.warning.step(
            verdict?.condition(of: .warning) ?? .unknown, hold: holds.warning, clearHold: holds.clear, blocked: blocked,
            now: now.monotonic)
        entry.critical.step(
            verdict?.condition(of: .critical) ?? .unknown, hold: holds.critical, clearHold: holds.clear,
            blocked: blocked,
            now: now.monotonic)
        // The text of now: also of a level that was come down to, where the higher one's would be stale.
        if let verdict, verdict.crossed != nil || entry.level != entry.announced {
            entry.explanation = verdict.explanation
        }

        guard let state = transition(of: entry, blocked: blocked, now: now.monotonic) else { return nil }
        var announcement = Announcement(
            time: now.wall, name: name.rawValue, state: state, level: entry.level ?? entry.announced, subject: subject,
            incident: incident, explanation: entry.explanation, values: verdict?.values ?? [:],
            details: verdict?.details ?? [:]
        )
        if state == .resolved {
            let lasted = readable(seconds: (now.monotonic - entry.since).inSeconds)
            announcement.explanation = Explanation("after \(lasted): \(verdict?.calm ?? "")")
        } else if entry.announced == nil {
            entry.since = now.monotonic
            entry.sinceWall = now.wall
        }
        entry.announced = entry.level
        entry.saidAt = now.monotonic
        entry.hasNews = false
        return announcement
    }

    private func transition(of entry: Entry, blocked: Bool, now: MonotonicTime) -> Announcement.State? {
        if entry.level != entry.announced { return entry.level == nil ? .resolved : .firing }
        guard entry.level != nil, !blocked else { return nil }
        let isDue = repeatEvery > .zero && now - entry.saidAt >= repeatEvery
        return isDue || entry.hasNews ? .repeating : nil
    }

    /// More is known about `name` now: if it fires, it is said again with the next step.
    mutating func renew(_ name: AlertName) {
        for key in entries.keys where key.name == name && entries[key]?.announced != nil {
            entries[key]?.hasNews = true
        }
    }

    /// The instances of `name` that there have been.
    func subjects(of name: AlertName) -> [String] {
        entries.keys.filter { $0.name == name }.compactMap(\.subject).sorted()
    }

    func isFiring(_ name: AlertName) -> Bool {
        entries.contains { $0.key.name == name && $0.value.announced != nil }
    }

    /// What fires, worst first, then in the order of AlertName.
    var firing: [FiringAlert] {
        let all = entries.compactMap { key, entry in
            entry.announced.map { level in
                FiringAlert(
                    name: key.name, subject: key.subject, level: level,
                    since: Moment(monotonic: entry.since, wall: entry.sinceWall), explanation: entry.explanation)
            }
        }
        let order = AlertName.allCases
        return all.sorted { left, right in
            guard left.level == right.level else { return left.level > right.level }
            guard left.name == right.name else {
                return order.firstIndex(of: left.name) ?? 0 < order.firstIndex(of: right.name) ?? 0
            }
            return left.subject ?? "" < right.subject ?? ""
        }
    }
}
