// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// The verdicts of monitor_degraded: one for each part that fails, or has failed.
enum DegradationWatch {
    static func verdict(of part: String, in sample: Sample) -> Verdict {
        let calm = "\(part) works again"
        guard let failing = sample.degraded.first(where: { $0.part == part }) else { return .clear(calm) }
        // The reason says what to do, where there is something.
        let explanation = Explanation("\(part): \(failing.reason)", why: failing.remains.map { [$0] } ?? [])
        return Verdict(.warning, if: true, explanation, calm: calm)
    }
}
