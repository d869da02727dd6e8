// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Evictions too short for the alert early_drop: a notice with their number, at most one in ten minutes.
struct EarlyDropWatch: Sendable {
    /// So many in a minute are worth a notice.
    private static let notable: UInt64 = 100
    private static let pause = Duration.seconds(600)

    private var noticed: MonotonicTime?
    /// Evicted since the last notice.
    private var unsaid: UInt64 = 0
    /// Of these, what the next notice tells, and in how long; nil = not worth one.
    private var burst: (evicted: UInt64, span: Duration)?

    /// `isSaid`: an alert that tells of it fires.
    mutating func observe(_ sample: Sample, isSaid: Bool, _ context: RuleContext) -> Notice? {
        let now = sample.moment.monotonic
        let evicted = sample.statsNow?[.earlyDrop] ?? 0
        unsaid += evicted
        if isSaid {
            forget(at: now)
            return nil
        }
        if let burst {
            self.burst = (burst.evicted + evicted, burst.span + sample.elapsed)
        } else if let minute = sample.statsMinute, let all = minute[.earlyDrop],
            min(all, unsaid) >= EarlyDropWatch.notable
        {
            burst = (min(all, unsaid), minute.span)
        }
        let recently = noticed.map { now - $0 < EarlyDropWatch.pause } ?? false
        guard let burst, !recently else { return nil }
        forget(at: now)
        return Notice(
            .earlyDrop,
            Explanation(
                "\(burst.evicted) live entries evicted \(Rules.inTheLast(burst.span)): the table was full, and new"
                    + " connections took the place of those not assured",
                fix: Cure.raise(sample, context)),
            values: ["early_drop": Double(burst.evicted)])
    }

    private mutating func forget(at now: MonotonicTime) {
        noticed = now
        unsaid = 0
        burst = nil
    }
}
