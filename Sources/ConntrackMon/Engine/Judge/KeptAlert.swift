// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel

/// An alert that fires, as the next start must know it: it goes on there, or ends.
package struct KeptAlert: Equatable, Sendable {
    /// Which.
    package var name: AlertName
    /// Which instance of it.
    package var subject: String?
    /// How bad.
    package var level: Level
    /// Since when.
    package var since: WallTime
    /// What was the case.
    package var what: String
    /// When that was seen last.
    package var known: WallTime

    /// An alert of the last run's.
    package init(
        name: AlertName, subject: String? = nil, level: Level, since: WallTime, what: String, known: WallTime
    ) {
        self.name = name
        self.subject = subject
        self.level = level
        self.since = since
        self.what = what
        self.known = known
    }
}

extension Judge {
    /// A figure of the last minute is known a minute after the start; what is not known then will not be.
    private static let patience = Duration.seconds(90)
    /// What writes and hears shows within seconds whether it works, and configuration is read by then; before that it is
    /// clear only because nothing is known.
    private static let (comesLate, lateness) = (
        [AlertName.monitorDegraded, .limitNotApplied, .parametersReverted, .eventsSilent], Duration.seconds(10)
    )

    /// What fires, for the next start. A fallen limit is kept by its own watch.
    package var keptAlerts: [KeptAlert] { book.kept.filter { $0.name != .limitDropped } }

    /// What fired when the last run ended. Only the parts of a monitor are told apart by a subject.
    package mutating func restore(firing alerts: [KeptAlert], at start: Moment) {
        for alert in alerts where alert.name != .limitDropped {
            guard (alert.subject != nil) == (alert.name == .monitorDegraded) else { continue }
            let clearHold = Judge.comesLate.contains(alert.name) ? Judge.lateness : .zero
            book.restore(alert, at: start, clearHold: clearHold)
            if alert.name == .moduleUnloaded { moduleWatch.restoreUnload() }
        }
    }

    /// Ends what the last run had said and this one does not watch.
    mutating func endUnwatched(_ sample: Sample) -> [Announcement] {
        // Without a table nothing is known of it, and nothing is over.
        let ofTable = sample.table.entries == nil ? [] : Rules.all.map(\.name)
        return book.endUnknown(ofTable + [.moduleAbsent], after: Judge.patience, now: sample.moment)
    }
}
