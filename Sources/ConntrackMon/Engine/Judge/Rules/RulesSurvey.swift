// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

// What the last dump told of the table, for the text and the values of usage_high and table_full.

extension Explanation {
    /// What fills the table and what to look at next, with its age once that matters.
    mutating func add(surveyOf sample: Sample) {
        guard let survey = sample.survey else { return }
        if let reason = survey.reason {
            why.append(reason)
        } else if !Rules.namesTalkers(sample) {
            // Beside somebody who is named it would be a contradiction.
            why.append("why: nothing stands out among \(survey.entries) entries")
        } else {
            return
        }
        if let caveat = survey.caveat { why.append(caveat) }
        next = survey.next ?? next
        let seen = sample.moment.monotonic - survey.moment.monotonic
        age = seen > .seconds(60) ? seen : nil
    }
}

extension Rules {
    /// The survey's figures, and what stands out, for programs.
    static func nameCauses(of sample: Sample, in verdict: inout Verdict) {
        guard let survey = sample.survey else { return }
        verdict.values.merge(survey.values) { value, _ in value }
        verdict.details["causes"] = survey.causes.map(\.id).joined(separator: ",")
    }
}
