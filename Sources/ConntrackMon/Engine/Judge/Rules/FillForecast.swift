// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

extension Rules {
    static let fillForecast = Rule(.fillForecast, hold: .seconds(30), clear: .zero) { sample, context in
        let settings = context.settings
        guard settings.forecast > .zero, let usage = sample.usage, let rate = sample.fillRate else { return nil }
        let horizon = settings.forecast.inSeconds
        let seconds = sample.timeToFull ?? .infinity
        let crossed = usage >= 0.5 && seconds <= horizon
        let holding = crossed || seconds <= 2 * horizon
        return Verdict(
            crossed: crossed ? .warning : nil, holding: holding ? .warning : nil,
            Explanation(
                "full in \(readable(seconds: seconds)) at the last minute's rate: \(percent(usage)) used, filling by"
                    + " \(fixed(rate, 1))/s",
                fix: .init("find who fills it (conntrack-mon top), or raise net.netfilter.nf_conntrack_max")),
            calm: (seconds.isFinite ? "full in \(readable(seconds: seconds))" : "not filling")
                + ": \(percent(usage)) used, by \(fixed(rate, 1))/s",
            values: ["seconds_to_full": seconds, "fill_rate": rate])
    }
}
