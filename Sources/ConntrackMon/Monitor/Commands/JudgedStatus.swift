// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import ConntrackPublish

extension StatusDocument {
    /// What `status` says: the report of one look, what a monitor knows beside it, and what is wrong by the rules of `check`.
    init(judging report: Report, _ word: MonitorWord, rules: LookRules) {
        var rules = rules
        // Nothing is wrong with a host that has no use for nf_conntrack, and nothing is well.
        rules.absent = .unknown
        let look = report.sample.table
        var now = StatusDocument(report).ofOneLook()
        switch word {
        case .said(let document, let age):
            now = document.refreshed(by: now, age: age)
        case .silent(let document, let age):
            now.monitorTime = document.time
            now.monitorAgeSeconds = age.rounded()
        case .none:
            break
        case .unusable(let why):
            now.notes = ["what a monitor says here is not known: status.json \(why)"]
        }
        let judgement = judge(look, word, seen: report.firing, procfs: report.procfs, rules: rules)
        if judgement.isLimitLow, let wanted = judgement.wanted {
            // What a monitor has accepted may be lower than what the limit is compared with.
            now.limitBaseline = wanted.limit
            now.limitBaselineSource = wanted.source.rawValue
        }
        now.state = judgement.state.word.lowercased()
        now.findings = judgement.findings.map(\.finding)
        now.warnRatio = rules.warn
        now.critRatio = rules.crit
        self = now
    }
}
