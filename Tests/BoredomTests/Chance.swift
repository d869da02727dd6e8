// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import UnitKit

// What is not the same each second, and the same in each run.

extension SplitMix {
    /// Between 0 and 1, never 0: 1 may be.
    mutating func share() -> Double {
        Double((next() >> 11) + 1) / 9_007_199_254_740_992
    }

    /// How often something happens that happens `mean` times on the average (Poisson).
    mutating func times(_ mean: Double) -> Int {
        guard mean > 0 else { return 0 }
        if mean > 30 { return max(0, Int((mean + mean.squareRoot() * normal()).rounded())) }
        let least = exp(-mean)
        var product = share()
        var count = 0
        while product > least {
            product *= share()
            count += 1
        }
        return count
    }

    /// How long something lasts that ends at any moment alike (exponential).
    mutating func lasting(_ mean: Double) -> Double { -log(share()) * mean }

    /// `value` as a whole number, up or down so that it is right on the average.
    mutating func whole(_ value: Double) -> Int { Int(value + share()) }

    private mutating func normal() -> Double {
        (-2 * log(share())).squareRoot() * cos(2 * .pi * share())
    }
}

/// How many flows begin a second, so many seconds after the start.
struct RateCurve: Sendable {
    let at: @Sendable (Double) -> Double

    static func steady(_ rate: Double) -> RateCurve { RateCurve { _ in rate } }

    /// A day's wave: `low` at four in the morning, `high` twelve hours later. `hour`: of the day, at the start.
    static func daily(low: Double, high: Double, from hour: Double = 6) -> RateCurve {
        RateCurve { seconds in
            let phase = (seconds / 3600 + hour - 4) / 24 * 2 * .pi
            return low + (high - low) * (1 - cos(phase)) / 2
        }
    }

    /// `rate` between two times.
    static func between(_ begin: Clock, _ end: Clock, _ rate: Double) -> RateCurve {
        RateCurve { $0 >= begin.seconds && $0 < end.seconds ? rate : 0 }
    }

    /// `rate` for the first `span` seconds of each `period`: health checks, cron.
    static func every(_ period: Double, for span: Double, _ rate: Double) -> RateCurve {
        RateCurve { $0 - ($0 / period).rounded(.down) * period < span ? rate : 0 }
    }

    static func + (one: RateCurve, other: RateCurve) -> RateCurve {
        RateCurve { one.at($0) + other.at($0) }
    }
}

/// A time since the start of a scenario: "0:20:05", or "1d 02:00:00".
struct Clock: ExpressibleByStringLiteral, Sendable {
    let seconds: Double

    init(stringLiteral text: String) {
        let parts = text.split(separator: "d ")
        let days = parts.count == 2 ? Double(parts[0]) ?? 0 : 0
        seconds = (parts.last ?? "").split(separator: ":").reduce(0) { $0 * 60 + (Double($1) ?? .nan) } + days * 86_400
    }
}
