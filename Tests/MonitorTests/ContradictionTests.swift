// SPDX-License-Identifier: GPL-3.0-or-later

import FoundationEssentials
import Testing
import UnitKit

@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish

/// What is said of one table in one moment, in every form: no two contradict each other.
@Suite struct ContradictionTests {
    /// A host, what its monitor said some time ago, and the look of now. From a seed.
    struct Situation: CustomTestStringConvertible {
        var seed: UInt64
        var watched: Report
        var seen: Report
        var word: MonitorWord
        var rules: LookRules

        var testDescription: String { "seed \(seed)" }

        var document: StatusDocument { StatusDocument(judging: seen, word, rules: rules) }
        var result: CheckResult { check(seen.sample.table, word, procfs: "/proc", rules: rules) }
    }

    private static let situations = (1...200).map { situation(UInt64($0)) }

    private static func situation(_ seed: UInt64) -> Situation {
        var random = SplitMix(state: seed)
        let limits: [UInt64] = [0, 1000, 65_536, 262_144]
        let limit = limits.randomElement(using: &random)
        func table() -> TableLook {
            if Int.random(in: 0..<10, using: &random) == 0 { return .gone(at: 1.4) }
            let most = max(1000, limit ?? 1000)
            // Full, and nearly, as often as anything between.
            let entries = [0, most, most * 9 / 10, most * 3 / 4, .random(in: 0...most, using: &random)]
            var look = TableLook.at(1.4, entries: entries.randomElement(using: &random), limit: limit)
            if Int.random(in: 0..<15, using: &random) == 0 { (look.limit, look.limitFault) = (nil, 22) }
            return look
        }
        var rules = LookRules()
        if Bool.random(using: &random) { rules.expectMax = [0, 1000, 65_536].randomElement(using: &random) }
        if Bool.random(using: &random) {
            rules.configured = ConfiguredLimit(limit: 65_536, place: "/etc/sysctl.conf:1")
        }

        var watched = Reports.full
        watched.sample.table = table()
        watched.firing = firing(of: watched.sample, &random)
        watched.baseline = Bool.random(using: &random) ? nil : (262_144, .accepted)
        let ages = [0.3, 2, 20, 44]
        let age = ages.randomElement(using: &random) ?? 0
        let document = StatusDocument(watched)
        let words: [MonitorWord] = [
            .none, .said(document, age: age), .said(document, age: age), .silent(document, age: 60),
            .unusable("is damaged"),
        ]
        let word = words.randomElement(using: &random) ?? .none

        var seen = Report(identity: Reports.identity, sample: Sample(moment: .at(1.4), table: table()))
        seen.isUp = false
        seen.baseline = rules.wantedLimit(word).map { ($0.limit, $0.source) }
        return Situation(seed: seed, watched: watched, seen: seen, word: word, rules: rules)
    }

    /// Some of what can fire, worst first.
    private static func firing(of sample: Sample, _ random: inout SplitMix) -> [FiringAlert] {
        let (entries, limit) = (sample.table.entries ?? 0, sample.table.limit ?? 0)
        let names: [AlertName] = [.usageHigh, .tableFull, .limitDropped, .moduleUnloaded, .insertClash]
        return names.filter { _ in Int.random(in: 0..<3, using: &random) == 0 }.map { name in
            let level = name.levels.randomElement(using: &random) ?? .warning
            return FiringAlert(
                name: name, level: level, since: .at(-5),
                explanation: Explanation("\(entries) of \(limit)", fix: .init("mend it")))
        }.sorted { $0.level > $1.level }
    }

    /// What a program reads of `status --json`, without the type that wrote it.
    private struct JSON: Decodable {
        struct Finding: Decodable, Equatable {
            var name: String
            var level: String
            var subject: String?
        }
        var state: String?
        var findings: [Finding]?
        var alerts: [Finding]
        var entries: UInt64?
        var limit: UInt64?
        var usageRatio: Double?
        var entriesPeak: UInt64?
        var entriesPeakDay: UInt64?
        var fillRate: Double?
        var timeToFullSeconds: Double?

        init(_ text: String) throws {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            self = try decoder.decode(JSON.self, from: Data(text.utf8))
        }
    }

    /// A row of the table that people read.
    private static func row(_ name: String, in text: String) -> String? {
        text.split(separator: "\n").first { $0.hasPrefix("  \(name) ") }
            .map { String($0.dropFirst(2 + name.count).drop { $0 == " " }) }
    }

    @Test(arguments: situations)
    func `status and check are of one mind`(_ situation: Situation) throws {
        let (text, result) = (situation.document.text(), situation.result)
        let json = try JSON(situation.document.json())
        let isAbsent = situation.seen.sample.table.absent
        let findings = try #require(json.findings)

        if !isAbsent {
            #expect(json.state == result.state.word.lowercased())
            #expect(json.state == findings.map(\.level).max { rank($0) < rank($1) } ?? "ok")
        }
        #expect(text.hasPrefix("nothing is wrong") == (json.state == "ok"))
        #expect(json.state != "ok" || result.state == .ok)
        #expect(findings.map { rank($0.level) } == findings.map { rank($0.level) }.sorted(by: >))
        for name in result.text.split(separator: ", ").compactMap({ $0.split(separator: ": ").first }).map(String.init)
        where AlertName(rawValue: name) != nil {
            #expect(findings.contains { $0.name == name }, "\(result.line)")
        }
    }

    @Test(arguments: situations)
    func `people and programs are told the same`(_ situation: Situation) throws {
        let (text, look) = (situation.document.text(), situation.seen.sample.table)
        let json = try JSON(situation.document.json())
        // Under each finding there is what to do about it.
        let lines = text.split(separator: "\n").filter { !$0.hasPrefix("    ") }

        for (line, finding) in zip(lines, json.findings ?? []) {
            let subject = finding.subject.map { " (\($0))" } ?? ""
            #expect(line.hasPrefix("\(finding.level.uppercased()) \(finding.name)\(subject)"), "\(text)")
        }
        #expect((json.entries, json.limit) == (look.entries, look.limit))
        #expect(
            Self.row("entries", in: text)?.hasPrefix(grouped(look.entries ?? 0)) == (look.entries == nil ? nil : true))
        #expect(
            Self.row("limit", in: text)?.hasPrefix(look.limit == 0 ? limitText(0) : grouped(look.limit ?? 1))
                == (look.limit == nil ? nil : true))
        // The row says what the limit should be where a finding says that it is lower, or may yet be put back.
        let isLow = json.findings?.contains { ["limit_dropped", "limit_not_applied"].contains($0.name) } == true
        let should = Self.row("limit", in: text)?.contains(", should be ") == true
        #expect(!should || isLow || text.hasPrefix("nothing is wrong so far") || json.state != "ok", "\(text)")
        #expect(!situation.result.text.contains("limit below ") || should, "\(text)")
        if let usage = json.usageRatio, let entries = json.entries, let limit = json.limit {
            #expect(abs(usage - Double(entries) / Double(limit)) < 1e-6)
            #expect(Self.row("entries", in: text)?.contains("(\(percent(usage)))") == true)
            #expect(situation.result.line.contains("usage=\(fixed(Double(entries) / Double(limit) * 100, 2))%;"))
        }
        #expect(
            situation.result.line.contains(" entries=\(look.entries ?? 0);")
                == (look.entries != nil && look.limit != nil))
    }

    @Test(arguments: situations)
    func `no number stands beside one it does not go with`(_ situation: Situation) throws {
        let (text, json) = (situation.document.text(), try JSON(situation.document.json()))
        let entries = json.entries ?? 0

        #expect(json.entriesPeak ?? entries >= entries)
        #expect(json.entriesPeakDay ?? entries >= entries)
        if let limit = json.limit, limit > 0, entries >= limit { #expect(json.timeToFullSeconds == nil) }
        if case .said(_, let age) = situation.word, age <= 1 {
            #expect(!text.contains("what the monitor counts"))
        } else {
            #expect(json.fillRate == nil && json.timeToFullSeconds == nil)
            #expect(!text.contains("filling by") && !text.contains("full in"))
            if case .said = situation.word { #expect(text.contains("\n  what the monitor counts is of ")) }
        }
    }

    @Test(arguments: situations)
    func `one thing is said once`(_ situation: Situation) throws {
        let findings = try #require(JSON(situation.document.json()).findings)
        let names = findings.map { "\($0.name) \($0.subject ?? "")" }
        #expect(Set(names).count == names.count)
        // What a look adds stands beside nothing that explains it.
        guard case .said(let document, _) = situation.word else { return }
        let said = document.alerts.map(\.name)
        for name in findings.map(\.name) where !said.contains(name) {
            let causes = AlertName(rawValue: name)?.causes.map(\.rawValue) ?? []
            // A module that is seen explains nothing any more.
            #expect(causes.allSatisfy { !said.contains($0) || $0 == AlertName.moduleUnloaded.rawValue })
        }
    }

    @Test(arguments: situations)
    func `a monitor's line, JSON and metrics are of one mind`(_ situation: Situation) throws {
        let report = situation.watched
        let (line, metrics) = (statusLine(of: report), exposition(of: report))
        let json = try JSON(StatusDocument(report).json())
        func field(_ name: String) -> String? {
            line.split(separator: " ").first { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.count + 1)) }
        }
        func metric(_ name: String) -> String? {
            metrics.split(separator: "\n").first { $0.hasPrefix("\(name) ") }.map {
                String($0.dropFirst(name.count + 1))
            }
        }
        let isFull = report.sample.table.entries != nil
        #expect(field("entries") == json.entries.map(String.init))
        #expect(metric("conntrack_entries") == json.entries.map(String.init))
        #expect(metric("conntrack_entries_limit") == json.limit.map(String.init))
        #expect(field("limit") == json.limit.map { $0 == 0 ? "unlimited" : String($0) })
        #expect(field("usage") == report.sample.usage.map(percent))
        #expect((metric("conntrack_usage_ratio") == nil) == (json.usageRatio == nil))
        #expect(!isFull || field("peak") == json.entriesPeak.map(String.init))
        let alerts = json.alerts.map { "\($0.name):\($0.level)" }.joined(separator: ",")
        #expect(field("alerts") == (alerts.isEmpty ? "none" : alerts))
        for name in AlertName.allCases {
            for level in name.levels {
                let fires = json.alerts.contains { $0.name == name.rawValue && $0.level == level.name }
                let labels = "{alert=\"\(name.rawValue)\",level=\"\(level.name)\"}"
                #expect(metric("conntrack_alert_firing\(labels)") == (fires ? "1" : "0"))
            }
        }
    }

    private func rank(_ level: String) -> Int {
        ["ok", "warning", "unknown", "critical"].firstIndex(of: level) ?? -1
    }
}
