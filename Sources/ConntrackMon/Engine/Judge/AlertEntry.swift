// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What the book knows of one alert, or of one instance of it.
struct AlertEntry: Sendable {
    /// One level of it.
    private struct Side: Sendable {
        var latch = Latch()
        /// Since when what it stands for is known not to be the case; stays while nothing is known.
        var clearSince: Moment?

        mutating func step(_ condition: Condition, hold: Duration, clearHold: Duration, blocked: Bool, now: Moment) {
            latch.step(condition, hold: hold, clearHold: clearHold, blocked: blocked, now: now.monotonic)
            switch condition {
            case .crossed, .between: clearSince = nil
            case .clear: clearSince = clearSince ?? now
            case .unknown: break
            }
        }
    }

    private var warning = Side()
    private var critical = Side()
    private var holds = AlertBook.Holds.none

    /// The level it fires at.
    private(set) var level: Level?
    /// The level of the last line about it. A level that it came down to while that was not the case has no line.
    private(set) var said: Level?
    private(set) var since = Moment(monotonic: MonotonicTime(nanoseconds: 0), wall: WallTime(nanoseconds: 0))
    private var saidAt = MonotonicTime(nanoseconds: 0)
    /// Its text tells more than when it was last said.
    private var hasNews = false

    /// What the last verdict that had not cleared said, and when that was.
    private(set) var what = Explanation("")
    private(set) var whatAt = WallTime(nanoseconds: 0)
    /// What the last verdict said, if it had cleared.
    private var calm: String?
    /// When the last verdict was; and whether the last step had one.
    private var known = WallTime(nanoseconds: 0)
    private var isKnown = false

    /// The last run had said it.
    private(set) var restored: Restored?

    /// An alert of the last run's.
    struct Restored: Sendable {
        /// When this run began.
        var at: MonotonicTime
        /// At the start not all is known that it is judged by: so long must it be clear at least.
        var clearHold: Duration
        /// This run has seen nothing of it yet.
        var isUnseen = true
        /// Nor could it be judged.
        var isUnknown = true
    }

    init() {}

    /// One that the last run had said.
    init(_ kept: KeptAlert, at start: Moment, clearHold: Duration) {
        if kept.name.levels.contains(.warning) { warning.latch = .firing }
        if kept.level == .critical { critical.latch = .firing }
        level = kept.level
        said = kept.level
        let age = Duration.nanoseconds(max(0, start.wall.nanoseconds - kept.since.nanoseconds))
        since = Moment(
            monotonic: MonotonicTime(nanoseconds: 0) + (start.monotonic - MonotonicTime(nanoseconds: 0) - age),
            wall: kept.since)
        saidAt = start.monotonic
        what = Explanation(kept.what)
        whatAt = kept.known
        restored = Restored(at: start.monotonic, clearHold: clearHold)
    }

    var isIdle: Bool { warning.latch.isIdle && critical.latch.isIdle && level == nil }

    private var reached: Level? {
        critical.latch.isFiring ? .critical : warning.latch.isFiring ? .warning : nil
    }

    /// Since when the level it fires at is not the case.
    private var clearSince: Moment? {
        switch level {
        case .critical: critical.clearSince
        case .warning: warning.clearSince
        case nil: nil
        }
    }

    // MARK: Steps

    /// Moves both levels on.
    mutating func take(_ verdict: Verdict?, holds told: AlertBook.Holds, blocked: Bool, now: Moment) {
        holds = told
        if let restored, restored.isUnseen { holds.clear = max(holds.clear, restored.clearHold) }
        warning.step(
            verdict?.condition(of: .warning) ?? .unknown, hold: holds.warning, clearHold: holds.clear, blocked: blocked,
            now: now)
        critical.step(
            verdict?.condition(of: .critical) ?? .unknown, hold: holds.critical, clearHold: holds.clear,
            blocked: blocked, now: now)
        isKnown = verdict != nil
        guard let verdict else { return }
        known = now.wall
        restored?.isUnknown = false
        if verdict.holding == nil {
            calm = verdict.now ?? verdict.calm
        } else {
            what = verdict.explanation
            whatAt = now.wall
            calm = nil
            restored?.isUnseen = false
        }
    }

    /// What is to be said after that step, if anything. It counts as said then.
    mutating func turn(
        _ verdict: Verdict?, blocked: Bool, repeatEvery: Duration, now: Moment
    ) -> Announcement.State? {
        guard let state = change(verdict, blocked: blocked, repeatEvery: repeatEvery, now: now) else { return nil }
        if said == nil { since = now }
        said = level ?? said
        saidAt = now.monotonic
        hasNews = false
        return state
    }

    private mutating func change(
        _ verdict: Verdict?, blocked: Bool, repeatEvery: Duration, now: Moment
    ) -> Announcement.State? {
        let before = level
        level = reached
        guard let level else { return before == nil ? nil : .resolved }
        guard level == before else {
            // To say now that it is at the lower level would be to say what is not the case.
            let isSilent = before.map { $0 > level } ?? false && verdict?.condition(of: level) != .crossed
            return isSilent ? nil : .firing
        }
        guard !blocked, clearSince == nil else { return nil }
        return hasNews || (repeatEvery > .zero && now.monotonic - saidAt >= repeatEvery) ? .repeating : nil
    }

    /// It has ended, and that was said: what is pending stays.
    mutating func close() {
        said = nil
        restored = nil
    }

    /// It is not judged any more.
    mutating func drop() {
        warning = Side()
        critical = Side()
        level = nil
    }

    /// Nothing is known of the time until now: what is pending starts again, what fires goes on.
    mutating func interrupt(now: Moment) {
        warning.step(.unknown, hold: .zero, clearHold: .zero, blocked: true, now: now)
        critical.step(.unknown, hold: .zero, clearHold: .zero, blocked: true, now: now)
    }

    /// More is known about it: if it fires, it is said again with the next step.
    mutating func renew() {
        if level != nil { hasNews = true }
    }

    /// When it changes by time alone.
    func due(blocked: Bool) -> MonotonicTime? {
        let warning = warning.latch.due(hold: holds.warning, clearHold: holds.clear, blocked: blocked)
        let critical = critical.latch.due(hold: holds.critical, clearHold: holds.clear, blocked: blocked)
        return [warning, critical].compactMap { $0 }.min()
    }

    // MARK: Words

    /// How long it fired: "128.1s". The time before this run is known by the wall clock, and not when it ended in it.
    func lasted(until now: Moment) -> String {
        guard let restored else { return readable(seconds: (now.monotonic - since.monotonic).inSeconds) }
        let seconds = Double(max(0, now.wall.nanoseconds - since.wall.nanoseconds)) / 1e9
        return (restored.isUnseen ? "at most " : "") + readable(seconds: seconds)
    }

    /// What is to be said of it while it fires, in the tense that fits.
    private func explanation(now: Moment) -> Explanation {
        let clearSince = clearSince
        if let calm {
            let isUnseen = restored?.isUnseen ?? false
            return what.past(
                isUnseen ? .after(whatAt) : .until(clearSince?.wall ?? whatAt), calm: calm,
                calmAt: isKnown ? nil : known, clearHold: holds.clear, now: now.wall)
        }
        guard isKnown else { return what.lastKnown(at: whatAt, now: now.wall) }
        guard let clearSince, let level else { return what }
        return what.lowered(from: level, at: clearSince.wall, now: now.wall)
    }

    /// As it fires at `now`; nil = it does not.
    func firing(_ name: AlertName, subject: String?, now: Moment) -> FiringAlert? {
        level.map {
            FiringAlert(
                name: name, subject: subject, level: $0, since: since, explanation: explanation(now: now),
                clearingSince: clearSince)
        }
    }
}
