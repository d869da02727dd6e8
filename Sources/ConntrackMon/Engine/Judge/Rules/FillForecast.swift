// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

extension Rules {
    static let fillForecast = Rule(.fillForecast, hold: .seconds(30), clear: .zero) { sample, context in
        let settings = context.settings
        guard settings.forecast > .zero, let usage = sample.usage, let rate = sample.fillRate else { return nil }
        let horizon = settings.forecast.inSeconds
        let seconds = sample.secondsToFull ?? .infinity
        // What has risen and stands still since does not begin an alert, and what is over ends with the minute.
        let crossed = usage >= 0.5 && seconds <= horizon && sample.isStillFilling
        let holding = crossed || seconds <= 2 * horizon
        return Verdict(
            crossed: crossed ? .warning : nil, holding: holding ? .warning : nil,
            Explanation(
                "full in \(readable(seconds: seconds)) at the last minute's rate: \(percent(usage)) used, filling by"
                    + " \(fixed(rate, 1))/s",
                next: top(for: sample), fix: Cure.raise(sample, context)),
            calm: "\(percent(usage)) used, \(course(of: sample))",
            values: ["seconds_to_full": seconds, "fill_rate": rate])
    }

    /// "filling by 0.4/s, full in 20m23s", "emptying by 1.0/s", "not filling".
    private static func course(of sample: Sample) -> String {
        guard let rate = sample.notableFillRate else { return "not filling" }
        let full = sample.timeToFull.map { ", full in \(readable(seconds: $0))" } ?? ""
        return "\(rate < 0 ? "emptying" : "filling") by \(fixed(rate.magnitude, 1))/s\(full)"
    }
}
