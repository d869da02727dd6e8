// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

extension Rules {
    static let eventsLost = Rule(.eventsLost, hold: .zero) { sample, _ in
        guard let share = sample.lostShareOfMinute else { return nil }
        return Verdict(
            .warning, if: share > 0.01,
            Explanation(
                "\(lossText(sample.lostMinute, exact: sample.lossIsExact)) lost in the last minute (\(percent(share)))",
                why: [
                    "counts by events are too low by that", "table samples and alerts about them are not affected",
                ],
                fix: .init("a larger --receive-buffer (overrun) or --ring (dropped)")),
            calm: "\(sample.lostMinute.total) events lost in the last minute, \(sample.lost.total) since the start",
            values: ["lost_ratio": share])
    }

    /// "1638 events (1600 overrun, 38 dropped)".
    static func lossText(_ lost: LostEvents, exact: Bool) -> String {
        let parts = lost.byReason.filter { $0.value > 0 }.map { "\($0.value) \($0.name)" }
        return "\(exact ? "" : "at least ")\(lost.total) events (\(parts.joined(separator: ", ")))"
    }
}
