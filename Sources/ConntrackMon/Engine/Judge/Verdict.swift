// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What a rule says of one sample.
struct Verdict: Equatable {
    /// The highest level whose threshold is crossed; nil = none.
    var crossed: Level?
    /// The highest level not yet clear by the margin. At least `crossed`.
    var holding: Level?
    /// Why it fires: figures, cause and cure.
    var explanation: Explanation
    /// What to say when it has ended.
    var calm: String
    /// The figures of now, while it waits for its clear hold; nil = `calm` says nothing that is not known yet.
    var now: String?
    var values: [String: Double] = [:]
    /// Names that go with the figures.
    var details: [String: String] = [:]

    /// A rule without margin: over, or clear.
    init(
        _ level: Level, if crossed: Bool, _ explanation: Explanation, calm: String, now: String? = nil,
        values: [String: Double] = [:]
    ) {
        self.init(
            crossed: crossed ? level : nil, holding: crossed ? level : nil, explanation, calm: calm, values: values)
        self.now = now
    }

    /// A rule whose levels clear only below a margin.
    init(
        crossed: Level?, holding: Level?, _ explanation: Explanation, calm: String, values: [String: Double] = [:]
    ) {
        self.crossed = crossed
        self.holding = holding
        self.explanation = explanation
        self.calm = calm
        self.values = values
    }

    /// What of it decides the state of an alert.
    var levels: UsageLevels { UsageLevels(crossed: crossed, holding: holding) }

    /// Nothing is wrong.
    static func clear(_ calm: String) -> Verdict {
        Verdict(crossed: nil, holding: nil, Explanation(""), calm: calm)
    }

    func condition(of level: Level) -> Condition {
        if let crossed, crossed >= level { return .crossed }
        if let holding, holding >= level { return .between }
        return .clear
    }
}
