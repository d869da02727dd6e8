// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackEngine
internal import ConntrackModel

// The alerts that fire, as the state file has them.

extension StateDocument {
    /// One alert that fires.
    struct Alert: Codable, Equatable, Sendable {
        var name: String
        var subject: String?
        var level: String
        /// Seconds since 1970.
        var since: Double
        /// What was the case.
        var what: String
        /// When that was seen last, in seconds since 1970.
        var known: Double
    }
}

extension StateDocument.Alert {
    init(_ alert: KeptAlert) {
        self.init(
            name: alert.name.rawValue, subject: alert.subject, level: alert.level.name, since: alert.since.seconds,
            what: alert.what, known: alert.known.seconds)
    }
}

extension KeptAlert {
    /// nil for one that this program does not know.
    init?(_ alert: StateDocument.Alert) {
        guard let name = AlertName(rawValue: alert.name),
            let level = Level.allCases.first(where: { $0.name == alert.level })
        else { return nil }
        self.init(
            name: name, subject: alert.subject, level: level, since: WallTime(seconds: alert.since), what: alert.what,
            known: WallTime(seconds: alert.known))
    }
}

extension WallTime {
    /// `seconds` after 1970, to the millisecond; what makes no sense is the end of the range that it is nearest to.
    fileprivate init(seconds: Double) {
        self.init(nanoseconds: Int64((min(max(0, seconds), 9e9) * 1000).rounded()) * 1_000_000)
    }
}
