// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

extension Rules {
    /// A mean of half a minute: evictions come in bursts, and a quiet second between two of them is no end. One burst alone
    /// has a notice.
    static let earlyDrop = Rule(.earlyDrop, hold: .zero, clear: .seconds(30)) { sample, context in
        guard let growth = sample.statsHalfMinute, growth.span >= .seconds(30),
            let evicted = growth[.earlyDrop], let rate = growth.perSecond(.earlyDrop)
        else { return nil }
        let text = "early_drop rose by \(evicted) \(inTheLast(growth.span)) (\(fixed(rate, 1))/s)"
        return Verdict(
            crossed: rate > 10 && growth.goesOn(.earlyDrop) ? .warning : nil, holding: rate > 5 ? .warning : nil,
            Explanation(
                "\(text): the table is so full that the kernel evicts live entries for new ones",
                fix: Cure.raise(sample, context)),
            calm: text, values: ["early_drop_per_second": rate])
    }

    /// "37852 live entries evicted in the last minute"; nil when none was.
    static func evicted(_ sample: Sample) -> String? {
        guard let growth = sample.statsMinute, let evicted = growth[.earlyDrop], evicted > 0 else { return nil }
        return "\(evicted) live \(evicted == 1 ? "entry" : "entries") evicted \(inTheLast(growth.span))"
    }

    /// "in the last 12s", "in the last minute", "in the last 8 minutes". Windows end with their steps and intervals: a
    /// minute is never one to the second.
    static func inTheLast(_ span: Duration) -> String {
        let seconds = span.inSeconds
        if seconds < 49.5 { return "in the last \(fixed(max(1, seconds), 0))s" }
        let minutes = max(1, Int((seconds / 60).rounded()))
        return minutes == 1 ? "in the last minute" : "in the last \(minutes) minutes"
    }
}
