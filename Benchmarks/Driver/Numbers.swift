// SPDX-License-Identifier: GPL-3.0-or-later

/// What lies in the middle and at the ends of several rounds.
struct Spread {
    var median: Double
    var lowest: Double
    var highest: Double
    var rounds: Int

    /// nil without a value.
    init?(_ values: [Double]) {
        guard let lowest = values.min(), let highest = values.max(), let middle = Spread.median(values) else {
            return nil
        }
        median = middle
        self.lowest = lowest
        self.highest = highest
        rounds = values.count
    }

    /// The middle value, or the mean of the two in the middle.
    static func median(_ values: [Double]) -> Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        let half = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
    }

    /// Value against value, round by round: what was noisy in one round was so for both. Rounds that lack either, or
    /// whose divisor is 0, are left out.
    static func ratios(_ values: [Double?], to others: [Double?]) -> [Double] {
        zip(values, others).compactMap { value, other in
            guard let value, let other, other != 0 else { return nil }
            return value / other
        }
    }
}

extension Spread {
    /// The median and both ends, as in "0.0956 (0.0812 to 0.131)".
    var short: String { "\(median.short) (\(lowest.short) to \(highest.short))" }
}

extension Double {
    /// As in "0.045": so many digits after the point, rounded half away from zero.
    func text(_ digits: Int) -> String {
        guard isFinite, magnitude < 1e15 else { return "\(self)" }
        let scale = (0..<digits).reduce(1) { scale, _ in scale * 10 }
        let scaled = Int((magnitude * Double(scale)).rounded())
        let sign = self < 0 && scaled != 0 ? "-" : ""
        guard digits > 0 else { return sign + "\(scaled)" }
        let fraction = "\(scaled % scale)"
        return sign + "\(scaled / scale)." + String(repeating: "0", count: digits - fraction.count) + fraction
    }

    /// With thousands set apart, as in "225,000"; for rates.
    var grouped: String {
        var digits = Array(magnitude.text(0))
        var position = digits.count - 3
        while position > 0 {
            digits.insert(",", at: position)
            position -= 3
        }
        return (self < 0 ? "-" : "") + String(digits)
    }

    /// With three significant digits or more, as in "0.0452", "3.10", "225".
    var short: String {
        switch magnitude {
        case 0: "0"
        case ..<0.1: text(4)
        case ..<1: text(3)
        case ..<10: text(2)
        case ..<100: text(1)
        default: text(0)
        }
    }
}
