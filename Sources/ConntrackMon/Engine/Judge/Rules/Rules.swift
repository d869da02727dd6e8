// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What a rule knows besides its sample: what flags say, and what a cure must mind.
struct RuleContext: Sendable {
    var settings: RuleSettings
    /// The limit and the hash size can be written here; in another namespace they are the host's.
    var isInitialNamespace = true
    /// What on this host chooses a limit; nil = nothing is known of it.
    var origin: LimitOrigin?
    /// The level this alert fires at now: what it still holds is told by that level's threshold.
    var firing: Level?
    /// The running kernel, where its host is not known more closely.
    var running: KernelRelease?

    /// The kernel's version; nil where it is not known.
    var kernel: KernelRelease? { origin?.release ?? running }
}

/// A rule about a sample: pure. nil = cannot be said of this sample.
struct Rule: Sendable {
    let name: AlertName
    let holds: @Sendable (RuleSettings) -> AlertBook.Holds
    let evaluate: @Sendable (Sample, RuleContext) -> Verdict?

    /// A rule with holds of its own, whatever the flags say.
    init(
        _ name: AlertName, hold: Duration, clear: Duration = .seconds(60),
        evaluate: @escaping @Sendable (Sample, RuleContext) -> Verdict?
    ) {
        self.init(
            name, holds: { _ in AlertBook.Holds(warning: hold, critical: hold, clear: clear) }, evaluate: evaluate)
    }

    /// A rule whose holds are told by flags.
    init(
        _ name: AlertName, holds: @escaping @Sendable (RuleSettings) -> AlertBook.Holds,
        evaluate: @escaping @Sendable (Sample, RuleContext) -> Verdict?
    ) {
        self.name = name
        self.holds = holds
        self.evaluate = evaluate
    }
}

/// The rules about a sample, one a file. Those about the limit and the module are LimitWatch's and ModuleWatch's, since
/// they are judged at once.
enum Rules {
    static let all = [
        usageHigh, tableFull, natPortsLow, insertClash, earlyDrop, fillForecast, hashRefuses, hashOverloaded,
        eventsLost,
        eventsSilent,
    ]
}
