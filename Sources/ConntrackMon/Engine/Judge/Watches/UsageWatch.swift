// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Follows usage through every look at the table, so that usage_high need not wait for the interval: says when it is to be
/// judged. Nearly always it is not, and that costs a few comparisons.
struct UsageWatch: Sendable {
    /// What a look means for the alert.
    enum News: Equatable {
        /// Nothing has changed.
        case none
        /// It is to be judged.
        case due
        /// And nothing is known of the time since the look before.
        case dueAfterGap
    }

    private let thresholds: UsageThresholds
    /// What the book was told last; nil = that nothing is known.
    private var told: UsageLevels?
    /// The book was told something at all.
    private(set) var isTold = false
    /// When the alert changes by time alone.
    var dueAt: MonotonicTime?
    private var lastLook: MonotonicTime?
    /// Sampling that stands still for longer is a gap.
    var longestPause = Duration.seconds(5)
    /// An older look says nothing of a sample's moment: the next one will, or it is a gap.
    var longestAge = Duration.seconds(1)

    init(settings: RuleSettings) {
        thresholds = UsageThresholds(settings)
    }

    /// Takes a look. `isWhole`: it shows the table.
    mutating func observe(_ look: TableLook, isWhole: Bool) -> News {
        let time = look.moment.monotonic
        let isAfterGap = lastLook.map { time - $0 > longestPause } ?? false
        lastLook = time
        if isAfterGap { return .dueAfterGap }
        let isDue = dueAt.map { time >= $0 } ?? false
        let levels = isWhole ? thresholds.levels(entries: look.entries, limit: look.limit) : nil
        return isDue || levels != told ? .due : .none
    }

    /// What the book was told, and when the alert changes by time alone then.
    mutating func tell(_ levels: UsageLevels?, due: MonotonicTime?) {
        isTold = true
        told = levels
        dueAt = due
    }
}

extension Judge {
    /// The rates of a sample that is older say nothing of the moment of a look.
    private static let trendLasts = Duration.seconds(2)

    /// Judges usage_high by a look, when that changes anything. The first sample comes with the first look, and knows more.
    mutating func judgeUsage(_ look: TableLook, isWhole: Bool) -> [Announcement] {
        guard usageWatch.isTold else { return [] }
        let news = usageWatch.observe(look, isWhole: isWhole)
        guard news != .none else { return [] }
        if news == .dueAfterGap { book.interrupt(.usageHigh, now: look.moment) }
        return [judgeUsage(isWhole ? sample(with: look) : nil, at: look.moment)].compactMap { $0 }
    }

    /// Judges usage_high by a sample at the end of an interval; nil = nothing is known. A look that is not of this moment
    /// must let no hold pass.
    mutating func judgeUsage(of sample: Sample?, at now: Moment) -> Announcement? {
        if let sample, now.monotonic - sample.table.moment.monotonic > usageWatch.longestAge { return nil }
        return judgeUsage(sample, at: now)
    }

    /// Judges usage_high by a sample; nil = nothing is known.
    private mutating func judgeUsage(_ sample: Sample?, at now: Moment) -> Announcement? {
        let rule = Rules.usageHigh
        let verdict = sample.flatMap { rule.evaluate($0, ruleContext(of: rule.name)) }
        let announcement = book.step(rule.name, verdict, holds: rule.holds(settings), now: now)
        usageWatch.tell(verdict?.levels, due: book.due(rule.name))
        return announcement
    }

    /// The last sample with `look` put in: what is known of the moment of that look.
    private func sample(with look: TableLook) -> Sample {
        var sample = Sample(moment: look.moment, table: look)
        guard let latest else { return sample }
        if look.moment.monotonic - latest.moment.monotonic <= Judge.trendLasts {
            sample = latest
            sample.moment = look.moment
            sample.table = look
            sample.gap = nil
            sample.age = nil
        } else {
            // Neither is a rate; a survey says how old it is.
            sample.buckets = latest.buckets
            sample.survey = latest.survey
        }
        return sample
    }
}
