// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Follows usage through every look at the table, so that usage_high need not wait for the interval: says when it is to be
/// judged. Nearly always it is not, and that costs a few comparisons.
struct UsageWatch: Sendable {
    /// Which thresholds usage is over, and which it is not yet clear of by the margin.
    struct Levels: Equatable, Sendable {
        var crossed: Level?
        var holding: Level?
    }

    /// What a look means for the alert.
    enum News: Equatable {
        /// Nothing has changed.
        case none
        /// It is to be judged.
        case due
        /// And nothing is known of the time since the look before.
        case dueAfterGap
    }

    private let warn: Double
    private let crit: Double
    private let margin: Double
    /// What the book was told last; nil = that nothing is known.
    private var told: Levels?
    /// When the alert changes by time alone.
    var dueAt: MonotonicTime?
    private var lastLook: MonotonicTime?
    /// Sampling that stands still for longer is a gap.
    var longestPause = Duration.seconds(5)

    init(settings: RuleSettings) {
        (warn, crit, margin) = (settings.warn, settings.crit, settings.clearMargin)
    }

    /// Takes a look. `isWhole`: it shows the table.
    mutating func observe(_ look: TableLook, isWhole: Bool) -> News {
        let time = look.moment.monotonic
        let isAfterGap = lastLook.map { time - $0 > longestPause } ?? false
        lastLook = time
        if isAfterGap { return .dueAfterGap }
        let isDue = dueAt.map { time >= $0 } ?? false
        return isDue || (isWhole ? levels(look) : nil) != told ? .due : .none
    }

    /// What the book was told, and when the alert changes by time alone then.
    mutating func tell(_ levels: Levels?, due: MonotonicTime?) {
        told = levels
        dueAt = due
    }

    /// As the rule has it.
    private func levels(_ look: TableLook) -> Levels? {
        guard let limit = look.limit else { return nil }
        guard limit > 0 else { return Levels() }
        guard let entries = look.entries else { return nil }
        let usage = Double(entries) / Double(limit)
        return Levels(
            crossed: usage >= crit ? .critical : usage >= warn ? .warning : nil,
            holding: usage >= crit - margin ? .critical : usage >= warn - margin ? .warning : nil)
    }
}

extension Judge {
    /// The trend of a sample that is older says nothing of the moment of a look.
    private static let trendLasts = Duration.seconds(2)

    /// Judges usage_high by a look, when that changes anything. The first sample comes with the first look, and knows more.
    mutating func judgeUsage(_ look: TableLook, isWhole: Bool) -> [Announcement] {
        guard latest != nil else { return [] }
        let news = usageWatch.observe(look, isWhole: isWhole)
        guard news != .none else { return [] }
        if news == .dueAfterGap { book.interrupt(.usageHigh, now: look.moment) }
        return [judgeUsage(isWhole ? sample(with: look) : nil, at: look.moment)].compactMap { $0 }
    }

    /// Judges usage_high by a sample; nil = nothing is known.
    mutating func judgeUsage(_ sample: Sample?, at now: Moment) -> Announcement? {
        let rule = Rules.usageHigh
        let verdict = sample.flatMap { rule.evaluate($0, ruleContext(of: rule.name)) }
        let announcement = book.step(rule.name, verdict, holds: rule.holds(settings), now: now)
        usageWatch.tell(verdict?.levels, due: book.due(rule.name))
        return announcement
    }

    /// The last sample with `look` put in: what is known of the moment of that look.
    private func sample(with look: TableLook) -> Sample {
        var sample = latest ?? Sample(moment: look.moment, table: look)
        if look.moment.monotonic - sample.moment.monotonic > Judge.trendLasts {
            sample.newRate = nil
            sample.fillRate = nil
            sample.talkers = nil
            sample.statsNow = nil
            sample.eventsNow = nil
        }
        sample.moment = look.moment
        sample.table = look
        sample.gap = nil
        return sample
    }
}
