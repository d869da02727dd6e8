// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What a rule says of one level of one alert at one moment.
enum Condition {
    /// Over the threshold.
    case crossed
    /// Neither over the threshold nor clear of it by the margin.
    case between
    /// Clear.
    case clear
    /// Not known: no data, or a gap behind us. What is pending starts again, what fires goes on.
    case unknown
}

/// One level of one alert: pending until its hold has passed, firing, and firing still until it was clear for long enough.
struct Latch: Sendable {
    private enum Phase {
        case idle
        case pending(since: MonotonicTime)
        case firing
        case clearing(since: MonotonicTime)
    }

    private var phase = Phase.idle

    var isIdle: Bool {
        if case .idle = phase { true } else { false }
    }

    var isFiring: Bool {
        switch phase {
        case .idle, .pending: false
        case .firing, .clearing: true
        }
    }

    /// One that fires already: the last run had said so.
    static var firing: Latch {
        var latch = Latch()
        latch.phase = .firing
        return latch
    }

    /// When its state changes though the condition stays as it is; nil = not by time alone.
    func due(hold: Duration, clearHold: Duration, blocked: Bool) -> MonotonicTime? {
        switch phase {
        case .pending(let since): blocked ? nil : since + hold
        case .clearing(let since): since + clearHold
        case .idle, .firing: nil
        }
    }

    /// Moves on to `now`. `blocked` keeps it from beginning to fire (its cause fires), not from going on.
    mutating func step(
        _ condition: Condition, hold: Duration, clearHold: Duration, blocked: Bool = false, now: MonotonicTime
    ) {
        switch (phase, condition) {
        case (.idle, .crossed):
            phase = .pending(since: now)
        case (.pending, .between), (.pending, .clear), (.pending, .unknown):
            phase = .idle
        case (.firing, .clear):
            phase = .clearing(since: now)
        case (.clearing, .crossed), (.clearing, .between), (.clearing, .unknown):
            phase = .firing
        default:
            break
        }
        if case .pending(let since) = phase, now - since >= hold, !blocked { phase = .firing }
        if case .clearing(let since) = phase, now - since >= clearHold { phase = .idle }
    }
}
