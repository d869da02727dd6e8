// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackEngine
public import ConntrackModel
internal import ConntrackPublish

/// What one look is judged by.
public struct LookRules: Sendable {
    /// Usage that warns.
    public var warn = RuleSettings().warn
    /// Usage that is critical.
    public var crit = RuleSettings().crit
    /// The limit this host should have.
    public var expectMax: UInt64?
    /// What sysctl configuration says it should be; --expect-max ranks above.
    public var configured: ConfiguredLimit?
    /// What tells causes and cures; nil where that was not looked for, as by `check`, which has no room for a cure.
    var surroundings: Surroundings?
    /// What a host without nf_conntrack means.
    public var absent = CheckResult.State.critical

    /// The host that is looked at, for causes and cures.
    struct Surroundings: Sendable {
        /// What on this host chooses a limit.
        var origin: LimitOrigin
        /// The live hash size.
        var buckets: UInt64?
        /// Limit and hash size can be written here.
        var isInitialNamespace: Bool
    }

    /// The defaults.
    public init() {}

    /// Takes a monitor's thresholds: those of a host are said once, to `watch`. It keeps them when it does not answer.
    mutating func takeThresholds(of word: MonitorWord) {
        guard let document = word.document, let warn = document.warnRatio, let crit = document.critRatio else { return }
        (self.warn, self.crit) = (warn, crit)
    }

    /// The limit to compare with: --expect-max, else the highest of what is configured and what a monitor knew that can no
    /// longer say itself when the limit falls.
    func wantedLimit(_ word: MonitorWord) -> WantedLimit? {
        if let expectMax {
            return WantedLimit(
                limit: expectMax, source: .flag, asWanted: "as expected",
                below: "the expected \(limitText(expectMax))", alert: .limitDropped)
        }
        let known = word.isCurrent ? nil : word.document?.limitBaseline
        if let configured, !(known.map { isLess(configured.limit, $0) } ?? false) {
            return WantedLimit(
                limit: configured.limit, source: .configuration, asWanted: "as configured",
                below: "the \(limitText(configured.limit)) of \(configured.place)", alert: .limitNotApplied)
        }
        return known.map {
            let source = word.document?.limitBaselineSource.flatMap(BaselineSource.init)
            return WantedLimit(
                limit: $0, source: source ?? .accepted, asWanted: "as the monitor knew it",
                below: "the \(limitText($0)) that the monitor knew", alert: .limitDropped)
        }
    }
}

/// The limit that a host should have.
struct WantedLimit: Equatable, Sendable {
    var limit: UInt64
    var source: BaselineSource
    /// "as expected": for a live limit that is not lower.
    var asWanted: String
    /// "the expected 1000": what a lower one is below.
    var below: String
    /// What a lower one is called.
    var alert: AlertName
}

extension MonitorWord {
    /// What it said last; nil when there is nothing of use.
    var document: StatusDocument? {
        switch self {
        case .said(let document, _), .silent(let document, _): document
        case .none, .unusable: nil
        }
    }

    /// It watches, and has written when it should: what falls now it will say.
    var isCurrent: Bool {
        guard case .said(let document, let age) = self else { return false }
        return age <= document.patience
    }
}
