// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Which thresholds usage is over, and which it is not yet clear of by the margin.
package struct UsageLevels: Equatable, Sendable {
    /// The highest that it is over.
    var crossed: Level?
    /// The highest that it is not clear of.
    var holding: Level?
}

/// The thresholds of usage_high, compared without a word: at every look.
package struct UsageThresholds: Sendable {
    private let warn: Double
    private let crit: Double
    private let margin: Double

    /// Those that `settings` tell.
    package init(_ settings: RuleSettings) {
        (warn, crit, margin) = (settings.warn, settings.crit, settings.clearMargin)
    }

    /// Where usage stands, as the rule has it; nil = it is not known. A table without a limit cannot be full.
    package func levels(entries: UInt64?, limit: UInt64?) -> UsageLevels? {
        guard let limit else { return nil }
        guard limit > 0 else { return UsageLevels() }
        guard let entries else { return nil }
        let usage = Double(entries) / Double(limit)
        return UsageLevels(
            crossed: usage >= crit ? .critical : usage >= warn ? .warning : nil,
            holding: usage >= crit - margin ? .critical : usage >= warn - margin ? .warning : nil)
    }
}
