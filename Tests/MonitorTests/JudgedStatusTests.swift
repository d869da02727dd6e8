// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish

/// What `status` says of one look, and of what a monitor knows beside it.
@Suite struct JudgedStatusTests {
    /// What one look sees.
    private static func look(_ entries: UInt64?, _ limit: UInt64?, _ change: (inout Report) -> Void = { _ in })
        -> Report
    {
        var sample = Sample.at(1.4, entries: entries, limit: limit)
        sample.table.absent = entries == nil && limit == nil
        sample.buckets = sample.table.absent ? nil : 16_384
        var report = Report(identity: Reports.identity, sample: sample)
        report.isUp = false
        report.module = sample.table.absent ? .absent : .loaded
        change(&report)
        return report
    }

    private static func word(age: Double = 0.4, _ change: (inout Report) -> Void = { _ in }) -> MonitorWord {
        var report = Reports.full
        report.firing = []
        report.sample.talkers = nil
        report.sample.table.limit = 1_048_576
        report.thresholds = (0.75, 0.9)
        change(&report)
        return .said(StatusDocument(report), age: age)
    }

    private static func silent(_ change: (inout Report) -> Void = { _ in }) -> MonitorWord {
        guard case .said(let document, _) = word(change) else { return .none }
        return .silent(document, age: 61.3)
    }

    private static func rules(_ change: (inout LookRules) -> Void = { _ in }) -> LookRules {
        var rules = LookRules()
        change(&rules)
        return rules
    }

    private static let place = ConfiguredLimit(limit: 1_048_576, place: "/etc/sysctl.d/90-conntrack.conf:3")

    private static func usageHigh(_ level: Level) -> FiringAlert {
        FiringAlert(
            name: .usageHigh, level: level, since: .at(-30),
            explanation: Explanation("60000 of 65536 entries (91.6%, threshold 90.0%)", fix: .init("find who")))
    }

    private static let cases: [(String, Report, MonitorWord, LookRules)] = [
        ("well, and nobody watches", look(412, 65_536), .none, rules()),
        ("full, and nobody watches", look(65_536, 65_536), .none, rules()),
        ("full, and its hold is not over", look(65_536, 65_536), word { $0.baseline = (65_536, .accepted) }, rules()),
        ("well, and watched", look(50_300, 1_048_576), word(), rules()),
        ("an alert that goes on", look(60_100, 65_536), word { $0.firing = [usageHigh(.critical)] }, rules()),
        ("an alert that is worse now", look(60_100, 65_536), word { $0.firing = [usageHigh(.warning)] }, rules()),
        ("an alert that is over now", look(5, 65_536), word { $0.firing = [usageHigh(.critical)] }, rules()),
        (
            "full, and a cause that is over", look(65_536, 65_536),
            word {
                $0.baseline = nil
                $0.firing = [
                    FiringAlert(name: .moduleUnloaded, level: .critical, since: .at(-9), summary: "gone for 9.0s")
                ]
            }, rules()
        ),
        ("below what is expected", look(5, 65_536), .none, rules { $0.expectMax = 1_048_576 }),
        ("below that, and tight", look(50_000, 65_536), .none, rules { $0.expectMax = 1_048_576 }),
        ("below what is configured", look(5, 65_536), .none, rules { $0.configured = place }),
        (
            "below what is configured, and accepted so", look(5, 65_536), word { $0.baseline = (65_536, .accepted) },
            rules { $0.configured = place }
        ),
        ("fallen, and waited for", look(5, 65_536), word(), rules()),
        ("a late monitor", look(60_100, 65_536), word(age: 30) { $0.firing = [usageHigh(.critical)] }, rules()),
        ("a silent monitor", look(5, 65_536), silent { $0.firing = [usageHigh(.critical)] }, rules()),
        ("no module", look(nil, nil), .none, rules()),
        ("garbage for a limit", look(5, nil) { $0.sample.table.limitFault = 22 }, .none, rules()),
        ("a damaged file", look(5, 65_536), .unusable("is damaged"), rules()),
        (
            "more than the table",
            look(5, 65_536) {
                $0.firing = [
                    FiringAlert(
                        name: .hashOverloaded, level: .warning, since: .at(0),
                        explanation: Explanation("16 buckets for 5000 entries", fix: .init("more buckets")))
                ]
            }, .none, rules()
        ),
    ]

    /// `status` on the way that the command goes.
    private static func document(_ report: Report, _ word: MonitorWord, _ rules: LookRules) -> StatusDocument {
        var report = report
        report.baseline = rules.wantedLimit(word).map { ($0.limit, $0.source) }
        return StatusDocument(judging: report, word, rules: rules)
    }

    @Test func `what status says is as before`() throws {
        let text = Self.cases.map { name, report, word, rules in
            let document = Self.document(report, word, rules)
            return "# \(name): \(document.state ?? "")\n\(document.text())\n"
        }.joined()

        try expectGolden(text, "status-judged.txt")
    }

    @Test func `in JSON the findings are as before`() throws {
        let (_, report, word, rules) = try #require(Self.cases.first { $0.0 == "an alert that is worse now" })

        try expectGolden(Self.document(report, word, rules).json() + "\n", "status-judged.json")
    }

    @Test func `status calls nothing well that check does not call OK`() {
        for (name, report, word, rules) in Self.cases {
            let document = Self.document(report, word, rules)
            let result = check(report.sample.table, word, procfs: "/proc", rules: rules)
            let isCalledWell = document.text().hasPrefix("nothing is wrong")
            #expect(isCalledWell == (document.state == "ok"), "\(name)")
            if isCalledWell { #expect(result.state == .ok, "\(name)") }
        }
    }

    @Test func `a monitor's thresholds are this look's, unless others are given`() {
        var rules = LookRules()
        rules.takeThresholds(of: Self.word { $0.thresholds = (0.95, 0.98) })
        #expect((rules.warn, rules.crit) == (0.95, 0.98))
        rules.takeThresholds(of: .none)
        #expect((rules.warn, rules.crit) == (0.95, 0.98))
        rules.takeThresholds(of: Self.silent { $0.thresholds = (0.5, 0.6) })
        #expect((rules.warn, rules.crit) == (0.5, 0.6))
    }

    @Test func `of what should be the limit, what is expected counts, then the highest`() {
        let silent = Self.silent()
        func wanted(_ word: MonitorWord, _ change: (inout LookRules) -> Void = { _ in }) -> UInt64? {
            Self.rules(change).wantedLimit(word)?.limit
        }
        #expect(wanted(silent) == 1_048_576)
        #expect(wanted(Self.word(age: 30)) == 1_048_576)
        // It judges that itself, and better.
        #expect(wanted(Self.word()) == nil)
        #expect(wanted(silent) { $0.expectMax = 5 } == 5)
        #expect(wanted(silent) { $0.configured = .init(limit: 5, place: "x") } == 1_048_576)
        #expect(wanted(silent) { $0.configured = .init(limit: 2_000_000, place: "x") } == 2_000_000)
        #expect(wanted(silent) { $0.configured = .init(limit: 0, place: "x") } == 0)
        #expect(wanted(.none) { $0.configured = .init(limit: 5, place: "x") } == 5)
    }
}
