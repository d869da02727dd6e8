// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// A loss too small for the alert events_lost: a notice with the exact number, at most one a minute.
struct LossWatch: Sendable {
    private var noticed: MonotonicTime?
    private var unsaid = LostEvents()

    /// `isAlertFiring`: events_lost fires, and says it all.
    mutating func observe(_ sample: Sample, isAlertFiring: Bool) -> Notice? {
        let now = sample.moment.monotonic
        unsaid += sample.lostNow
        let recently = noticed.map { now - $0 < .seconds(60) } ?? false
        if isAlertFiring { unsaid = LostEvents() }
        guard unsaid.total > 0, !recently else { return nil }
        // Beyond 1 % the alert speaks.
        if sample.lostShareOfMinute ?? 1 > 0.01 { return nil }
        defer {
            noticed = now
            unsaid = LostEvents()
        }
        return Notice(
            .eventsLost, Explanation("\(Rules.lossText(unsaid, exact: sample.lossIsExact)) lost"),
            values: ["lost": Double(unsaid.total)])
    }
}
