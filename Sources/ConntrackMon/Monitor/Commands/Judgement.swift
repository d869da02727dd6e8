// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackEngine
internal import ConntrackModel
internal import ConntrackPublish

/// What is to be said of one look and of what a monitor knows: the state of `check`, and the findings of `status`.
struct Judgement: Equatable, Sendable {
    /// A finding, and what `check` says of it.
    struct Item: Equatable, Sendable {
        var finding: StatusDocument.Finding
        var level: CheckResult.State
        /// For the plugin's line, where there is no room for a cure; nil = the headline says it.
        var clause: String?
        /// The look shows that it is over.
        var isOver = false
    }

    /// The worst that was found.
    private(set) var state = CheckResult.State.ok
    /// What the look shows, in a clause.
    fileprivate(set) var headline: String
    /// What is wrong, worst first.
    fileprivate(set) var findings: [Item] = []
    /// The limit that was compared with; nil = none is known.
    fileprivate(set) var wanted: WantedLimit?
    /// The live limit is below that.
    fileprivate(set) var isLimitLow = false

    fileprivate init(_ headline: String) {
        self.headline = headline
    }

    fileprivate mutating func raise(to level: CheckResult.State) {
        state = max(state, level)
    }

    fileprivate mutating func add(_ finding: StatusDocument.Finding, clause: String? = nil, isOver: Bool = false) {
        let level = CheckResult.State(finding.level)
        findings.append(Item(finding: finding, level: level, clause: clause, isOver: isOver))
        raise(to: level)
    }

    /// Adds what the look shows. Where an alert is about the same, or about its cause, one of them is enough: the alert,
    /// unless it says less than it is now.
    fileprivate mutating func addSeen(
        _ name: AlertName, _ level: CheckResult.State, subject: String? = nil, _ text: String, next: String? = nil,
        cure: String? = nil, clause: String? = nil
    ) {
        raise(to: level)
        let same = findings.firstIndex { item in
            item.finding.subject == subject
                && (item.finding.name == name.rawValue
                    || !item.isOver && name.causes.contains { $0.rawValue == item.finding.name })
        }
        let word = level.word.lowercased()
        guard let same else {
            let whole = text + (next.map { "; next: \($0)" } ?? "")
            return add(
                .init(name: name.rawValue, level: word, subject: subject, text: whole, cure: cure), clause: clause)
        }
        guard findings[same].level < level else { return }
        findings[same].level = level
        findings[same].finding.level = word
        // What a look cannot tell is known no better from it.
        guard findings[same].finding.since != nil, level != .unknown else { return }
        findings[same].finding.text = "\(text); the monitor says: \(findings[same].finding.text)"
    }

    fileprivate mutating func sort() {
        let order = AlertName.allCases.map(\.rawValue)
        func rank(_ item: Item) -> Int { order.firstIndex(of: item.finding.name) ?? order.count }
        findings.sort { left, right in
            guard left.level == right.level else { return left.level > right.level }
            guard rank(left) == rank(right) else { return rank(left) < rank(right) }
            return left.finding.subject ?? "" < right.finding.subject ?? ""
        }
    }
}

extension CheckResult.State {
    /// By the word that documents have.
    fileprivate init(_ level: String) {
        switch level {
        case "critical": self = .critical
        case "unknown": self = .unknown
        default: self = .warning
        }
    }
}

/// Judges one look. Pure. `seen`: what else of the look is wrong, where more than the table was looked at.
func judge(
    _ look: TableLook, _ word: MonitorWord, seen: [FiringAlert] = [], procfs: String, rules: LookRules
) -> Judgement {
    let folder = procfs + "/sys/net/netfilter/"
    var judgement = Judgement("")
    judgement.take(word, look, rules)
    for alert in seen {
        let explanation = alert.explanation
        judgement.addSeen(
            alert.name, alert.level == .critical ? .critical : .warning, subject: alert.subject, explanation.headline,
            cure: StatusDocument.Finding.cure(in: explanation.text, behind: explanation.headline),
            clause: "\(alert.name.rawValue): \(explanation.headline)")
    }
    if look.absent {
        judgement.headline = "nf_conntrack is not loaded: \(folder)nf_conntrack_max does not exist"
        judgement.raise(to: rules.absent)
    } else if let entries = look.entries, let limit = look.limit {
        judgement.takeUsage(entries, limit, rules)
        judgement.takeLimit(entries, limit, rules.wantedLimit(word), rules)
    } else {
        let (name, code) =
            look.limit == nil ? ("nf_conntrack_max", look.limitFault) : ("nf_conntrack_count", look.entriesFault)
        judgement.headline = "\(folder)\(name): \(code == 22 ? "holds no number" : SystemError.text(code))"
        judgement.addSeen(.monitorDegraded, .unknown, subject: name, judgement.headline + "; usage is unknown")
    }
    judgement.sort()
    return judgement
}

extension Judgement {
    /// What a monitor says, and since when it says nothing.
    fileprivate mutating func take(_ word: MonitorWord, _ look: TableLook, _ rules: LookRules) {
        switch word {
        case .none, .unusable:
            break
        case .said(let document, let age):
            for alert in document.alerts {
                var finding = StatusDocument.Finding(alert)
                let isOver = look.denies(alert.name, rules, document)
                // One that only waits for its clear hold says itself what was, and when.
                if !word.isCurrent || (isOver && alert.clearingSince == nil) {
                    finding.text += " (as the monitor said \(readable(seconds: age)) ago)"
                }
                add(finding, clause: "\(finding.name): \(finding.text)", isOver: isOver)
            }
        case .silent(let document, _):
            let text = "the monitor is not answering since \(document.time)"
            add(
                .init(
                    name: "monitor_silent", level: "warning", text: text,
                    cure: "fix: restart conntrack-mon watch, or remove its status.json where none is wanted"),
                clause: text)
        }
    }

    fileprivate mutating func takeUsage(_ entries: UInt64, _ limit: UInt64, _ rules: LookRules) {
        guard limit > 0 else {
            headline = "\(entries) entries, no limit (nf_conntrack_max is 0)"
            return
        }
        let usage = Double(entries) / Double(limit)
        headline = "\(entries) of \(limit) entries (\(fixed(usage * 100, 1)) %)"
        let level: CheckResult.State = usage >= rules.crit ? .critical : usage >= rules.warn ? .warning : .ok
        guard level != .ok else { return }
        let threshold = percent(level == .critical ? rules.crit : rules.warn)
        addSeen(
            .usageHigh, level,
            "\(entries) of \(limit) entries (\(percent(usage)), threshold \(threshold))", next: "conntrack-mon top")
    }

    fileprivate mutating func takeLimit(_ entries: UInt64, _ limit: UInt64, _ wanted: WantedLimit?, _ rules: LookRules)
    {
        self.wanted = wanted
        guard let wanted, isLess(limit, wanted.limit) else { return }
        isLimitLow = true
        let isTight = Double(entries) >= rules.warn * Double(limit)
        let cure = rules.surroundings.map { host in
            Cure.restore(
                limit: wanted.limit, live: limit, buckets: host.buckets, host.origin,
                isInitialNamespace: host.isInitialNamespace)
        }
        let guess = cure?.guess.map { " (\($0.text))" } ?? ""
        addSeen(
            wanted.alert, isTight ? .critical : .warning,
            "nf_conntrack_max is \(limitText(limit))\(guess), below \(wanted.below)", next: "conntrack-mon doctor",
            cure: cure.map { "\($0.fix.label.rawValue): \($0.fix.text)" },
            clause: "limit below \(wanted.below)")
    }
}

extension TableLook {
    /// The look shows that what an alert is about is over, which the monitor has not said yet.
    fileprivate func denies(_ alert: String, _ rules: LookRules, _ document: StatusDocument) -> Bool {
        switch AlertName(rawValue: alert) {
        case .usageHigh, .tableFull:
            guard let entries, let limit else { return false }
            return limit == 0 || Double(entries) < rules.warn * Double(limit)
        case .limitNotApplied:
            // What it was accepted as says nothing of what is configured: it must have been raised.
            guard let limit, let before = document.limit else { return false }
            return isLess(before, limit)
        case .limitDropped:
            guard let limit, let baseline = document.limitBaseline else { return false }
            return !isLess(limit, baseline)
        case .moduleUnloaded, .moduleAbsent:
            return !absent
        default:
            return false
        }
    }
}
