// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// The verdicts of monitor_degraded: one for each part that fails, or has failed.
enum DegradationWatch {
    /// `isUnseen`: the last run said that it failed, and this one has not seen it fail; maybe it had nothing to do yet.
    static func verdict(of part: String, in sample: Sample, isUnseen: Bool) -> Verdict {
        let calm = isUnseen ? "\(part) has not failed since this start" : "\(part) works again"
        guard let failing = sample.degraded.first(where: { $0.part == part }) else { return .clear(calm) }
        // The reason says what to do, where there is something.
        let explanation = Explanation("\(part): \(failing.reason)", why: failing.remains.map { [$0] } ?? [])
        return Verdict(.warning, if: true, explanation, calm: calm)
    }
}
