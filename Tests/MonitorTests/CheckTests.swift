// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing
import UnitKit

@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish

/// What `check` makes of a look.
@Suite struct CheckTests {
    private static func look(_ entries: UInt64?, _ limit: UInt64?, faults: (Int32, Int32) = (0, 0)) -> TableLook {
        var look = TableLook.at(0, entries: entries, limit: limit)
        (look.entriesFault, look.limitFault) = faults
        return look
    }

    private static func rules(_ change: (inout LookRules) -> Void = { _ in }) -> LookRules {
        var rules = LookRules()
        change(&rules)
        return rules
    }

    private static let watched = MonitorWord.said(StatusDocument(Reports.full), age: 0.4)
    private static let late = MonitorWord.said(StatusDocument(Reports.full), age: 30)
    private static let silent = MonitorWord.silent(StatusDocument(Reports.full), age: 50)
    /// What is configured was never live, so the limit that is live was accepted.
    private static let notApplied: MonitorWord = {
        var report = Reports.full
        report.baseline = (65_536, .accepted)
        report.firing = [
            FiringAlert(
                name: .limitNotApplied, level: .warning, since: .at(-5),
                explanation: Explanation("nf_conntrack_max is 65536, but /etc/sysctl.conf:1 says 1048576"))
        ]
        return .said(StatusDocument(report), age: 0.4)
    }()
    private static let expecting: LookRules = rules { $0.expectMax = 1000 }
    private static let narrow: LookRules = rules { ($0.warn, $0.crit) = (0.000_763, 0.5) }

    private static let cases: [(String, TableLook, MonitorWord, LookRules)] = [
        ("well", look(412, 262_144), .none, rules()),
        ("at the first threshold", look(750, 1000), .none, rules()),
        ("below it", look(749, 1000), .none, rules()),
        ("at the second", look(900, 1000), .none, rules()),
        ("over the limit", look(1100, 1000), .none, rules()),
        ("other thresholds", look(100, 131_072), .none, narrow),
        ("unlimited", look(5, 0), .none, rules()),
        ("limit as expected", look(5, 1000), .none, expecting),
        ("limit above what is expected", look(5, 2000), .none, expecting),
        ("limit below it, little used", look(5, 500), .none, expecting),
        ("limit below it, and tight", look(375, 500), .none, expecting),
        ("unlimited where a limit is expected", look(5, 0), .none, expecting),
        ("a limit where none is expected", look(5, 1000), .none, rules { $0.expectMax = 0 }),
        ("absent", .gone(at: 0), .none, rules()),
        ("absent and allowed to be", .gone(at: 0), .none, rules { $0.absent = .ok }),
        ("garbage for a limit", look(5, nil, faults: (0, EINVAL)), .none, rules()),
        ("unreadable count", look(nil, 1000, faults: (EACCES, 0)), .none, rules()),
        ("count missing alone", look(nil, 1000, faults: (ENOENT, 0)), .none, rules()),
        ("what watch knows", look(50_300, 65_536), watched, rules()),
        ("what watch knows, and more of it now", look(60_000, 65_536), watched, rules()),
        ("what watch knows, and less of it now", look(5, 1_048_576), watched, rules()),
        ("what watch knew half a minute ago", look(50_300, 65_536), late, rules()),
        ("a limit that was not applied", look(5, 65_536), notApplied, rules()),
        ("a limit that was not applied, and is now", look(5, 1_048_576), notApplied, rules()),
        ("a watch that does not answer", look(50_300, 65_536), silent, rules()),
        ("a watch that does not answer, where all is well", look(5, 1_048_576), silent, rules()),
        (
            "a watch that does not answer, and another limit expected", look(5, 65_536), silent,
            rules { $0.expectMax = 1000 }
        ),
        ("absent, and a watch that knows why", .gone(at: 0), watched, rules { $0.absent = .ok }),
        ("garbage for a limit, and what watch knows", look(5, nil, faults: (0, EINVAL)), watched, rules()),
        ("a file of no use", look(5, 1000), .unusable("is damaged"), rules()),
    ]

    @Test func `check lines are as before`() throws {
        let text = Self.cases.map { name, look, word, rules in
            let result = check(look, word, procfs: "/proc", rules: rules)
            return "# \(name): exit \(result.state.rawValue)\n\(result.line)\n"
        }.joined()

        try expectGolden(text, "check.txt")
    }

    private static func checked(_ look: TableLook, _ document: StatusDocument) -> CheckResult {
        check(look, .said(document, age: 0.4), procfs: "/proc", rules: rules())
    }

    @Test func `a firing alert raises the state and never lowers it`() {
        let alerts: [(Level, UInt64, CheckResult.State)] = [
            (.warning, 5, .warning), (.critical, 5, .critical), (.warning, 900, .critical),
        ]
        for (level, entries, state) in alerts {
            var report = Reports.full
            report.firing = [FiringAlert(name: .usageHigh, level: level, since: .at(0), summary: "x")]
            let result = Self.checked(Self.look(entries, 1000), StatusDocument(report))
            #expect(result.state == state)
        }
    }

    @Test func `only one pipe stands in the line`() {
        var report = Reports.full
        report.firing = [FiringAlert(name: .usageHigh, level: .warning, since: .at(0), summary: "a | b")]
        let line = Self.checked(Self.look(5, 1000), StatusDocument(report)).line

        #expect(line.count { $0 == "|" } == 1)
        #expect(line.contains("usage_high: a / b (as the monitor said 0.4s ago)"))
    }

    @Test func `the cure of an alert is left out, whatever its text says`() throws {
        var report = Reports.full
        let explanation = Explanation("a; fix the b", why: ["c"], fix: .init("d"), prevent: "e")
        report.firing = [FiringAlert(name: .usageHigh, level: .warning, since: .at(0), explanation: explanation)]
        var document = StatusDocument(report)
        func line() -> String {
            Self.checked(Self.look(800, 1000), document).text
        }
        #expect(line().hasSuffix("usage_high: a; fix the b; c"))
        document = try StatusDocument.parse(document.json())
        #expect(line().hasSuffix("usage_high: a; fix the b; c"))
        // As a document of before the headline has it.
        document.alerts[0].headline = nil

        #expect(line().hasSuffix("usage_high: a; fix the b; c; fix: d; prevent: e"))
    }
}
