// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackEngine
public import ConntrackModel

/// The Nagios plugin contract: a state, which is also the exit code, and one line.
public struct CheckResult: Equatable, Sendable {
    /// The plugin's states, by their exit codes.
    public enum State: Int32, Comparable, Sendable {
        case ok, warning, critical, unknown

        /// The word in the line.
        public var word: String {
            switch self {
            case .ok: "OK"
            case .warning: "WARNING"
            case .critical: "CRITICAL"
            case .unknown: "UNKNOWN"
            }
        }

        /// How bad: what cannot be judged is worse than a warning, and no reason to be silent of what is critical.
        private var rank: Int {
            switch self {
            case .ok: 0
            case .warning: 1
            case .unknown: 2
            case .critical: 3
            }
        }

        /// Worse is more.
        public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
    }

    /// The state.
    public var state: State
    /// What stands behind the dash.
    public var text: String
    /// Performance data, or "".
    public var performance: String

    /// The whole line.
    public var line: String {
        "CONNTRACK \(state.word) - \(text)" + (performance.isEmpty ? "" : " | \(performance)")
    }
}

/// What `check` says of a look and of a monitor's word. Pure.
public func check(_ look: TableLook, _ word: MonitorWord, procfs: String, rules: LookRules) -> CheckResult {
    let judgement = judge(look, word, procfs: procfs, rules: rules)
    var clauses = [judgement.headline]
    if let wanted = judgement.wanted, !judgement.isLimitLow { clauses.append("limit \(wanted.asWanted)") }
    clauses += judgement.findings.compactMap(\.clause)
    var performance = ""
    if let entries = look.entries, let limit = look.limit {
        performance = performanceData(entries: entries, limit: limit, rules: rules)
    }
    // A pipe starts the performance data; there must be no other.
    return CheckResult(
        state: judgement.state, text: clauses.joined(separator: ", ").replacing("|", with: "/"),
        performance: performance)
}

/// `'label'=value[UOM];[warn];[crit];[min];[max]`, as monitoring-plugins defines it.
private func performanceData(entries: UInt64, limit: UInt64, rules: LookRules) -> String {
    guard limit > 0 else { return "entries=\(entries);;;0;" }
    let warn = (rules.warn * Double(limit)).rounded()
    let crit = (rules.crit * Double(limit)).rounded(.down)
    let usage = fixed(Double(entries) / Double(limit) * 100, 2)
    return "entries=\(entries);\(fixed(warn, 0));\(fixed(crit, 0));0;\(limit)"
        + " usage=\(usage)%;\(share(rules.warn));\(share(rules.crit));0;100"
}

/// A share in per cent without needless zeros: 75, 0.0763.
private func share(_ value: Double) -> String {
    let text = fixed(value * 100, 4)
    guard text.contains(".") else { return text }
    var digits = Substring(text)
    while digits.last == "0" { digits.removeLast() }
    if digits.last == "." { digits.removeLast() }
    return String(digits)
}
