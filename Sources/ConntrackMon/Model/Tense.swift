// SPDX-License-Identifier: GPL-3.0-or-later

// A firing alert whose figures are not of the present says so, and of when they are. The words are made here and nowhere
// else.

extension Explanation {
    /// What an alert says that waits for its clear hold: "was until 05:49:10Z: WHAT; now CALM, over when clear for 60s".
    /// Without what nobody needs any more: reasons, the next command, the cure. `calmAt`: when `calm` was known, if that
    /// is not now.
    package func past(
        _ end: End, calm: String, calmAt: WallTime? = nil, clearHold: Duration, now: WallTime
    ) -> Explanation {
        let since = calmAt.map { "last known at \(clockText($0, now: now)):" } ?? "now"
        let was =
            switch end {
            case .until(let time): "was until \(clockText(time, now: now))"
            case .after(let time): "last known at \(clockText(time, now: now))"
            }
        return Explanation(
            "\(was): \(what)", why: ["\(since) \(calm), over when clear for \(durationText(clearHold))"])
    }

    /// What is known of when something ended.
    package enum End {
        case until(WallTime)
        /// Nobody watched when it ended.
        case after(WallTime)
    }

    /// What an alert says whose higher level waits for its clear hold while a lower one is the case.
    package func lowered(from level: Level, at time: WallTime, now: WallTime) -> Explanation {
        var lowered = self
        lowered.why.insert("\(level.name) until \(clockText(time, now: now))", at: 0)
        return lowered
    }

    /// What an alert says of which nothing is known now.
    package func lastKnown(at time: WallTime, now: WallTime) -> Explanation {
        var known = self
        known.what = "last known at \(clockText(time, now: now)): \(what)"
        return known
    }
}

/// "05:49:10Z", with its day where that is half a day away or more.
private func clockText(_ time: WallTime, now: WallTime) -> String {
    let text = rfc3339(time).prefix { $0 != "." }
    let isNear = abs(now.seconds - time.seconds) < 12 * 3600
    return (isNear ? text.drop { $0 != "T" }.dropFirst() : text) + "Z"
}
