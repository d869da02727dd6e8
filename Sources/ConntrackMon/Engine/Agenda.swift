// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Which readings are wanted, which are under way, and when each was last answered.
///
/// A reading counts for a moment when it was begun at that moment or later: what somebody wrote just before is in it then.
struct Agenda {
    private static let settingsEvery = Duration.seconds(10)
    private static let configurationEvery = Duration.seconds(60)
    private static let doctorEvery = Duration.seconds(3600)

    /// Each kind of want, whatever it is asked with.
    private enum Kind: Hashable {
        case settings, kernel, log, health, configuration, origin, doctor, survey

        init(_ want: Want) {
            switch want {
            case .settings: self = .settings
            case .kernel: self = .kernel
            case .log: self = .log
            case .health: self = .health
            case .configuration: self = .configuration
            case .origin: self = .origin
            case .doctor: self = .doctor
            case .survey: self = .survey
            }
        }
    }

    private var wanted: [Want] = []
    /// Asked and not answered yet, with the time of the newest observation then: the answer is begun later than that.
    private var asked: [Kind: MonotonicTime] = [:]
    /// Those to be asked again as soon as they are answered: what came meanwhile the answer may be too old for.
    private var again: [Kind: Want] = [:]
    /// The time of the newest observation.
    private(set) var newest = MonotonicTime(nanoseconds: 0)
    private var answeredAt: [Kind: MonotonicTime] = [:]

    /// Whether something is to be asked.
    var isEmpty: Bool { wanted.isEmpty }

    /// Something was observed at `time`.
    mutating func advance(to time: MonotonicTime) {
        newest = max(newest, time)
    }

    /// Wants a reading that is begun from now on.
    mutating func add(_ want: Want) {
        let kind = Kind(want)
        guard !wanted.contains(where: { Kind($0) == kind }) else { return }
        if let time = asked[kind] {
            if time < newest { again[kind] = want }
        } else {
            wanted.append(want)
        }
    }

    /// All that is wanted now; each is answered once.
    mutating func take() -> [Want] {
        defer { wanted = [] }
        for want in wanted { asked[Kind(want)] = newest }
        return wanted
    }

    /// A reading that was begun at `time` answers `want`.
    mutating func answered(_ want: Want, at time: MonotonicTime) {
        let kind = Kind(want)
        asked[kind] = nil
        answeredAt[kind] = max(time, answeredAt[kind] ?? time)
        if let want = again.removeValue(forKey: kind) { add(want) }
    }

    /// Whether there is a reading for `moment`; it is wanted if there is none.
    mutating func has(_ want: Want, for moment: MonotonicTime) -> Bool {
        let kind = Kind(want)
        if let time = answeredAt[kind], time >= moment { return true }
        if asked[kind].map({ $0 < moment }) ?? true { add(want) }
        return false
    }

    /// Wants what is to be read again from time to time.
    mutating func tick(at now: MonotonicTime, hasConfiguration: Bool) -> Bool {
        if hasConfiguration {
            if isDue(.configuration, every: Agenda.configurationEvery, at: now) { add(.configuration) }
            if isDue(.doctor, every: Agenda.doctorEvery, at: now) {
                add(.doctor)
                add(.origin)
            }
        }
        guard isDue(.settings, every: Agenda.settingsEvery, at: now) else { return false }
        add(.settings)
        return true
    }

    private func isDue(_ want: Want, every: Duration, at now: MonotonicTime) -> Bool {
        let kind = Kind(want)
        return asked[kind] == nil && answeredAt[kind].map { now - $0 >= every } ?? true
    }
}
