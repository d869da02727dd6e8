// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Every alert's state: turns verdicts into announcements, one line for each change.
struct AlertBook: Sendable {
    private struct Key: Hashable, Sendable {
        var name: AlertName
        var subject: String?
    }

    private var entries: [Key: AlertEntry] = [:]
    private let repeatEvery: Duration
    /// Of the last step.
    private var now = Moment(monotonic: MonotonicTime(nanoseconds: 0), wall: WallTime(nanoseconds: 0))

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

    // MARK: Steps

    /// Moves one alert on. `verdict` nil = nothing is known.
    mutating func step(
        _ name: AlertName, subject: String? = nil, _ verdict: Verdict?, holds: Holds, incident: String? = nil,
        now: Moment
    ) -> Announcement? {
        self.now = now
        let key = Key(name: name, subject: subject)
        var entry = entries[key] ?? AlertEntry()
        defer { entries[key] = entry }
        let blocked = isBlocked(name)
        entry.take(verdict, holds: holds, blocked: blocked, now: now)
        guard let state = entry.turn(verdict, blocked: blocked, repeatEvery: repeatEvery, now: now) else { return nil }
        if state == .resolved { return AlertBook.end(&entry, key, verdict?.calm ?? "", incident: incident, now: now) }
        guard let firing = entry.firing(name, subject: subject, now: now) else { return nil }
        return Announcement(
            time: now.wall, name: name.rawValue, state: state, level: firing.level, subject: subject,
            incident: incident, explanation: firing.explanation, values: verdict?.values ?? [:],
            details: verdict?.details ?? [:])
    }

    private static func end(
        _ entry: inout AlertEntry, _ key: Key, _ how: String, incident: String? = nil, now: Moment
    ) -> Announcement {
        defer { entry.close() }
        return Announcement(
            time: now.wall, name: key.name.rawValue, state: .resolved, level: entry.said, subject: key.subject,
            incident: incident, explanation: Explanation("after \(entry.lasted(until: now)): \(how)"))
    }

    /// No hold runs across a time of which nothing is known.
    mutating func interrupt(_ name: AlertName, now: Moment) {
        entries[Key(name: name)]?.interrupt(now: now)
    }

    /// More is known about `name` now: if it fires, it is said again with the next step.
    mutating func renew(_ name: AlertName) {
        for key in entries.keys where key.name == name { entries[key]?.renew() }
    }

    // MARK: Across restarts

    /// What fires, for the next start.
    var kept: [KeptAlert] {
        sorted { key, entry in
            entry.level.map { level in
                KeptAlert(
                    name: key.name, subject: key.subject, level: level, since: entry.since.wall, what: entry.what.what,
                    known: entry.whatAt)
            }
        }
    }

    /// What fired when the last run ended: it goes on, and is not said anew. `clearHold`: how long it must be clear at least
    /// as long as this run has seen nothing of it.
    mutating func restore(_ alert: KeptAlert, at start: Moment, clearHold: Duration) {
        guard alert.name.levels.contains(alert.level) else { return }
        now = start
        entries[Key(name: alert.name, subject: alert.subject)] = AlertEntry(alert, at: start, clearHold: clearHold)
    }

    /// Whether this run has seen nothing yet of an alert that the last run had said.
    func isUnseen(_ name: AlertName, subject: String? = nil) -> Bool {
        entries[Key(name: name, subject: subject)]?.restored?.isUnseen ?? false
    }

    /// Ends what the last run had said and this one cannot judge: with other flags, say.
    mutating func endUnknown(_ names: [AlertName], after patience: Duration, now: Moment) -> [Announcement] {
        let ended = entries.keys.filter { key in
            guard let restored = entries[key]?.restored, restored.isUnknown else { return false }
            return names.contains(key.name) && now.monotonic - restored.at >= patience
        }
        return ended.sorted { AlertBook.order($0.name) < AlertBook.order($1.name) }.compactMap { key in
            entries[key]?.drop()
            return entries[key].map { entry in
                var entry = entry
                defer { entries[key] = entry }
                return AlertBook.end(&entry, key, "not watched any more", now: now)
            }
        }
    }

    // MARK: What is the case

    private func isBlocked(_ name: AlertName) -> Bool {
        name.causes.contains { isFiring($0) }
    }

    /// Whether the alert without subjects is pending, fires, or was not said to have ended yet.
    func isUnderWay(_ name: AlertName) -> Bool {
        entries[Key(name: name)].map { !$0.isIdle } ?? false
    }

    /// When the alert without subjects changes by time alone; nil = it does not.
    func due(_ name: AlertName) -> MonotonicTime? {
        entries[Key(name: name)]?.due(blocked: isBlocked(name))
    }

    /// The instances of `name` that there have been.
    func subjects(of name: AlertName) -> [String] {
        entries.keys.filter { $0.name == name }.compactMap(\.subject).sorted()
    }

    func isFiring(_ name: AlertName) -> Bool {
        entries.contains { $0.key.name == name && $0.value.level != nil }
    }

    /// The level at which the alert without subjects fires.
    func level(of name: AlertName) -> Level? {
        entries[Key(name: name)]?.level
    }

    /// What fires, worst first, then in the order of AlertName.
    var firing: [FiringAlert] {
        sorted { key, entry in entry.firing(key.name, subject: key.subject, now: now) }
    }

    private func sorted<Alert>(_ make: (Key, AlertEntry) -> Alert?) -> [Alert] {
        let all = entries.compactMap { key, entry in make(key, entry).map { (key, entry.level, $0) } }
        return all.sorted { left, right in
            guard left.1 == right.1 else { return left.1?.rawValue ?? -1 > right.1?.rawValue ?? -1 }
            guard left.0.name == right.0.name else {
                return AlertBook.order(left.0.name) < AlertBook.order(right.0.name)
            }
            return left.0.subject ?? "" < right.0.subject ?? ""
        }.map(\.2)
    }

    private static func order(_ name: AlertName) -> Int { AlertName.allCases.firstIndex(of: name) ?? 0 }
}
