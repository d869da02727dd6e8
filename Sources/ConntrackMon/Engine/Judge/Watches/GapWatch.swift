// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Sampling stood still.
struct GapWatch: Sendable {
    func observe(_ sample: Sample) -> Notice? {
        guard let gap = sample.gap else { return nil }
        return Notice(
            .samplingGap,
            Explanation(
                "no sample for \(readable(seconds: gap.inSeconds)) (machine or process paused)",
                why: ["rates across it are discarded"]),
            values: ["seconds": gap.inSeconds])
    }
}
