// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackEngine
public import ConntrackModel
public import ConntrackPublish

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

        /// By exit code; UNKNOWN is decided before anything is compared.
        public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
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

/// What `check` is told.
public struct CheckSettings: Sendable {
    /// Usage that warns.
    public var warn = RuleSettings().warn
    /// Usage that is critical.
    public var crit = RuleSettings().crit
    /// The limit this host should have.
    public var expectMax: UInt64?
    /// What sysctl configuration says it should be; --expect-max ranks above.
    public var configured: ConfiguredLimit?
    /// What a host without nf_conntrack means.
    public var absent = CheckResult.State.critical

    /// The defaults.
    public init() {}

    /// The limit to compare with, and how to speak of it.
    fileprivate var wantedLimit: (limit: UInt64, asWanted: String, below: String)? {
        if let expectMax { return (expectMax, "as expected", "the expected \(limitText(expectMax))") }
        return configured.map { ($0.limit, "as configured", "the \(limitText($0.limit)) of \($0.place)") }
    }
}

/// Judges one look. Pure.
public func check(_ look: TableLook, watch: StatusDocument?, procfs: String, settings: CheckSettings) -> CheckResult {
    let folder = procfs + "/sys/net/netfilter/"
    if look.absent {
        return CheckResult(
            state: settings.absent, text: "nf_conntrack is not loaded: \(folder)nf_conntrack_max does not exist",
            performance: "")
    }
    guard let entries = look.entries, let limit = look.limit else {
        let (name, code) =
            look.limit == nil ? ("nf_conntrack_max", look.limitFault) : ("nf_conntrack_count", look.entriesFault)
        let why = code == 22 ? "holds no number" : SystemError.text(code)
        return CheckResult(state: .unknown, text: "\(folder)\(name): \(why)", performance: "")
    }

    var state = CheckResult.State.ok
    var text: [String] = []
    if limit > 0 {
        let usage = Double(entries) / Double(limit)
        text.append("\(entries) of \(limit) entries (\(fixed(usage * 100, 1)) %)")
        state = usage >= settings.crit ? .critical : usage >= settings.warn ? .warning : .ok
    } else {
        text.append("\(entries) entries, no limit (nf_conntrack_max is 0)")
    }
    if let (wanted, asWanted, below) = settings.wantedLimit {
        let isFallen = isLess(limit, wanted)
        text.append(isFallen ? "limit below \(below)" : "limit \(asWanted)")
        let isTight = Double(entries) >= settings.warn * Double(limit)
        if isFallen { state = max(state, isTight ? .critical : .warning) }
    }
    for alert in watch?.alerts ?? [] {
        state = max(state, alert.level == Level.critical.name ? .critical : .warning)
        // A plugin's line has no room for the cure.
        text.append("\(alert.name): \(alert.headline ?? alert.summary)")
    }
    // A pipe starts the performance data; there must be no other.
    let line = text.joined(separator: ", ").replacing("|", with: "/")
    return CheckResult(
        state: state, text: line, performance: performance(entries: entries, limit: limit, settings: settings))
}

/// `'label'=value[UOM];[warn];[crit];[min];[max]`, as monitoring-plugins defines it.
private func performance(entries: UInt64, limit: UInt64, settings: CheckSettings) -> String {
    guard limit > 0 else { return "entries=\(entries);;;0;" }
    let warn = (settings.warn * Double(limit)).rounded()
    let crit = (settings.crit * Double(limit)).rounded(.down)
    let usage = fixed(Double(entries) / Double(limit) * 100, 2)
    return "entries=\(entries);\(fixed(warn, 0));\(fixed(crit, 0));0;\(limit)"
        + " usage=\(usage)%;\(share(settings.warn));\(share(settings.crit));0;100"
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
