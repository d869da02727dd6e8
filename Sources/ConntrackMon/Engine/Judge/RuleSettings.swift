// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What the rules are told by flags. Shares are of the limit; holds are monotonic time.
public struct RuleSettings: Sendable {
    /// Usage that warns.
    public var warn = 0.75
    /// Usage that is critical.
    public var crit = 0.90
    /// How long usage must be over `warn`.
    public var warnHold = Duration.seconds(30)
    /// How long usage must be over `crit`.
    public var critHold = Duration.seconds(5)
    /// How long a condition must be clear before its alert ends.
    public var clearHold = Duration.seconds(60)
    /// A threshold clears only this far below itself.
    public var clearMargin = 0.05
    /// A firing alert is said again this often; zero = once.
    public var repeatEvery = Duration.seconds(900)
    /// How long the module must be gone before module_unloaded fires.
    public var unloadHold = Duration.seconds(5)
    /// How long after a reload the limit may take to be put back before it is judged.
    public var settle = Duration.seconds(2)
    /// For this long after boot configured values that are not there yet are not judged.
    public var bootGrace = Duration.seconds(120)
    /// What a module that was never seen means; nil = a notice.
    public var absent: AbsentMeaning?
    /// A lower limit written by hand becomes the normal one after this long; zero = never.
    public var adopt = Duration.seconds(900)
    /// The limit this host should have; nil = what was accepted.
    public var expectMax: UInt64?
    /// Warn when the table would be full within this time; zero = off.
    public var forecast = Duration.seconds(600)
    /// Share of a NAT address's ports towards one destination that warns; zero = off, and nothing is counted for it.
    public var natPorts = 0.80

    /// The defaults.
    public init() {}
}

/// What it means that nf_conntrack was never there (seen and then lost is always module_unloaded).
public enum AbsentMeaning: String, CaseIterable, Sendable {
    /// Nothing.
    case ok
    /// The alert module_absent, WARNING.
    case warning
    /// The alert module_absent, CRITICAL.
    case critical
}
