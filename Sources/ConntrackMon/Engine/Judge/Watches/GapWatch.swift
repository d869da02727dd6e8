// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Sampling stood still. Said once a gap, with the first sample that shows it, whether it has a look or not.
struct GapWatch: Sendable {
    /// The gap was said with a sample that had no look yet.
    private var isSaid = false

    mutating func observe(_ sample: Sample) -> Notice? {
        let wasSaid = isSaid
        isSaid = sample.gap != nil && sample.age != nil
        guard let gap = sample.gap, !wasSaid else { return nil }
        let cause = sample.age == nil ? "machine or process paused" : "the thread that looks at the table is held up"
        return Notice(
            .samplingGap,
            Explanation(
                "no sample for \(readable(seconds: gap.inSeconds)) (\(cause))",
                why: ["rates across it are discarded"]),
            values: ["seconds": gap.inSeconds])
    }
}
