// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// What `check` makes of a look.
@Suite struct CheckTests {
    private static func look(_ entries: UInt64?, _ limit: UInt64?, faults: (Int32, Int32) = (0, 0)) -> TableLook {
        var look = TableLook.at(0, entries: entries, limit: limit)
        (look.entriesFault, look.limitFault) = faults
        return look
    }

    private static func settings(_ change: (inout CheckSettings) -> Void = { _ in }) -> CheckSettings {
        var settings = CheckSettings()
        change(&settings)
        return settings
    }

    private static let watched: StatusDocument = StatusDocument(Reports.full)
    private static let expecting: CheckSettings = settings { $0.expectMax = 1000 }
    private static let narrow: CheckSettings = settings { ($0.warn, $0.crit) = (0.000_763, 0.5) }

    private static let cases: [(String, TableLook, StatusDocument?, CheckSettings)] = [
        ("well", look(412, 262_144), nil, settings()),
        ("at the first threshold", look(750, 1000), nil, settings()),
        ("below it", look(749, 1000), nil, settings()),
        ("at the second", look(900, 1000), nil, settings()),
        ("over the limit", look(1100, 1000), nil, settings()),
        ("other thresholds", look(100, 131_072), nil, narrow),
        ("unlimited", look(5, 0), nil, settings()),
        ("limit as expected", look(5, 1000), nil, expecting),
        ("limit above what is expected", look(5, 2000), nil, expecting),
        ("limit below it, little used", look(5, 500), nil, expecting),
        ("limit below it, and tight", look(375, 500), nil, expecting),
        ("unlimited where a limit is expected", look(5, 0), nil, expecting),
        ("a limit where none is expected", look(5, 1000), nil, settings { $0.expectMax = 0 }),
        ("absent", .gone(at: 0), nil, settings()),
        ("absent and allowed to be", .gone(at: 0), nil, settings { $0.absent = .ok }),
        ("garbage for a limit", look(5, nil, faults: (0, EINVAL)), nil, settings()),
        ("unreadable count", look(nil, 1000, faults: (EACCES, 0)), nil, settings()),
        ("count missing alone", look(nil, 1000, faults: (ENOENT, 0)), nil, settings()),
        ("what watch knows", look(5, 65_536), watched, settings()),
    ]

    @Test func `check lines are as before`() throws {
        let text = Self.cases.map { name, look, watch, settings in
            let result = check(look, watch: watch, procfs: "/proc", settings: settings)
            return "# \(name): exit \(result.state.rawValue)\n\(result.line)\n"
        }.joined()

        try expectGolden(text, "check.txt")
    }

    @Test func `a firing alert raises the state and never lowers it`() {
        let alerts: [(Level, UInt64, CheckResult.State)] = [
            (.warning, 5, .warning), (.critical, 5, .critical), (.warning, 900, .critical),
        ]
        for (level, entries, state) in alerts {
            var report = Reports.full
            report.firing = [FiringAlert(name: .usageHigh, level: level, since: .at(0), summary: "x")]
            let result = check(
                Self.look(entries, 1000), watch: StatusDocument(report), procfs: "/proc", settings: Self.settings())
            #expect(result.state == state)
        }
    }

    @Test func `only one pipe stands in the line`() {
        var report = Reports.full
        report.firing = [FiringAlert(name: .usageHigh, level: .warning, since: .at(0), summary: "a | b")]
        let line = check(
            Self.look(5, 1000), watch: StatusDocument(report), procfs: "/proc", settings: Self.settings()
        ).line

        #expect(line.count { $0 == "|" } == 1)
        #expect(line.contains("usage_high: a / b"))
    }

    @Test func `the cure of an alert is left out, whatever its text says`() throws {
        var report = Reports.full
        let explanation = Explanation("a; fix the b", why: ["c"], fix: .init("d"), prevent: "e")
        report.firing = [FiringAlert(name: .usageHigh, level: .warning, since: .at(0), explanation: explanation)]
        var document = StatusDocument(report)
        func line() -> String {
            check(Self.look(5, 1000), watch: document, procfs: "/proc", settings: Self.settings()).text
        }
        #expect(line().hasSuffix("usage_high: a; fix the b; c"))
        document = try StatusDocument.parse(document.json())
        #expect(line().hasSuffix("usage_high: a; fix the b; c"))
        // As a document of before the headline has it.
        document.alerts[0].headline = nil

        #expect(line().hasSuffix("usage_high: a; fix the b; c; fix: d; prevent: e"))
    }
}
