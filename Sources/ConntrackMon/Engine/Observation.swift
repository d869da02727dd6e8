// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel

/// What the engine gives, in the order in which it is to be published.
package enum Output: Sendable {
    /// Lines for stderr, and the hook.
    case say([Announcement])
    /// An interval is over: its status line.
    case show(Report)
    /// The status, for stderr: somebody asked.
    case status(Report)
    /// All that is known now, for files; `metrics`: the textfile is due as well.
    case write(Report, metrics: Bool)
    /// What led to an alert, to be kept in a file of its own.
    case incident(Incident)
    /// What the next start must know.
    case keep(Kept)
}

/// What is kept for the next start.
package struct Kept: Sendable {
    /// The accepted limit and what became of it.
    package var limit: LimitWatch.Kept
    /// The accepted settings.
    package var parameters: ParameterWatch.Kept
    /// When.
    package var moment: Moment
    /// The highest count of the last 24 hours.
    package var peakDay: UInt64?
    /// How long counts have been known for that.
    package var peakKnownFor: Duration
    /// What fires.
    package var firing: [KeptAlert]
}

/// What the last run knew.
package struct Restored: Sendable {
    /// The accepted limit, and what became of the host since.
    package var limit: LimitWatch.Past
    /// The accepted settings.
    package var parameters: ParameterWatch.Kept
    /// The highest count of the last 24 hours.
    package var peakDay: UInt64?
    /// How long counts had been known for that.
    package var peakKnownFor: Duration
    /// What fired.
    package var firing: [KeptAlert]

    /// What the last run knew.
    package init(
        limit: LimitWatch.Past, parameters: ParameterWatch.Kept, peakDay: UInt64? = nil, peakKnownFor: Duration = .zero,
        firing: [KeptAlert] = []
    ) {
        self.limit = limit
        self.parameters = parameters
        self.peakDay = peakDay
        self.peakKnownFor = peakKnownFor
        self.firing = firing
    }
}
