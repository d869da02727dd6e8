// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackModel
@testable import ConntrackPublish

/// Alert lines, status lines, status in JSON and for people, against golden files.
@Suite struct LineTests {
    private func lines(_ render: (Announcement) -> String) -> String {
        Reports.announcements.map { render($0) + "\n" }.joined()
    }

    @Test func `alert lines as text are as before`() throws {
        let text = lines { alertLine($0, identity: Reports.identity, journal: false) }
        try expectGolden(text, "alerts.txt")
    }

    @Test func `alert lines for the journal are as before`() throws {
        let text = lines { alertLine($0, identity: Reports.identity, journal: true) }
        try expectGolden(text, "alerts-journal.txt")
    }

    @Test func `alert lines as JSON are as before`() throws {
        let text = lines { alertJSON($0, identity: Reports.identity) }
        try expectGolden(text, "alerts.jsonl")
    }

    @Test func `an alert is one line whatever its text holds`() {
        for announcement in Reports.announcements {
            for line in [
                alertLine(announcement, identity: Reports.identity, journal: false),
                alertJSON(announcement, identity: Reports.identity),
            ] {
                #expect(line.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }, "\(line)")
            }
        }
    }

    @Test func `the fingerprint tells alerts, parts, hosts and namespaces apart, and nothing else`() throws {
        func fingerprint(_ announcement: Announcement, _ host: String = "gw12", _ netns: String = "root") throws
            -> String
        {
            let json = alertJSON(announcement, identity: Identity(host: host, netns: netns))
            return try #require(json.split(separator: "\"fingerprint\":\"").last?.prefix(16)).description
        }
        let alert = Announcement(
            time: Moment.at(0).wall, name: "usage_high", state: .firing, level: .warning, summary: "a")
        var same = alert
        same.time = Moment.at(9).wall
        same.state = .resolved
        same.level = .critical
        same.explanation = Explanation("b")
        var part = alert
        part.subject = "textfile"
        var other = alert
        other.name = "table_full"

        #expect(try fingerprint(same) == fingerprint(alert))
        #expect(
            try Set([
                fingerprint(alert), fingerprint(part), fingerprint(other), fingerprint(alert, "gw13"),
                fingerprint(alert, "gw12", "blue"),
            ]).count == 5)
    }

    private static let reports = [
        NamedReport("full", Reports.full), NamedReport("minimal", Reports.minimal),
        NamedReport("stopped", Reports.stopped), NamedReport("estimated", Reports.estimated),
        NamedReport("hindered", Reports.hindered), NamedReport("late", Reports.late),
    ]

    @Test func `status lines are as before`() throws {
        var reports = Self.reports.map(\.report)
        var unlimited = Reports.full
        unlimited.sample.table.limit = 0
        unlimited.firing = []
        reports.append(unlimited)
        var afterGap = Reports.full
        afterGap.sample.gap = .seconds(10)
        reports.append(afterGap)
        let text = reports.map { statusLine(of: $0) + "\n" }.joined()

        try expectGolden(text, "status-lines.txt")
    }

    @Test(
        arguments: [
            ([.insertFailed: 107, .drop: 107], "insert_failed=107/s other_drop=0/s"),
            ([.insertFailed: 107, .drop: 112], "insert_failed=107/s other_drop=5/s"),
            // An insert that a long chain refuses is no drop.
            ([.insertFailed: 107, .drop: 7], "insert_failed=107/s other_drop=0/s"), ([.drop: 7], nil),
        ] as [([Stat: UInt64], String?)])
    func `a packet that was dropped stands once in a line`(_ stats: [Stat: UInt64], _ fields: String?) {
        var report = Reports.minimal
        report.sample.elapsed = .seconds(1)
        report.sample.statsNow = StatValues(stats)
        let line = statusLine(of: report)

        #expect(line.contains("drop") == (fields != nil), "\(line)")
        if let fields { #expect(line.contains(" \(fields) "), "\(line)") }
    }

    @Test(
        arguments: [
            (0.049, nil, nil), (-0.049, nil, nil), (0.05, "+0.1/s", nil), (-3, "-3.0/s", nil), (1, "+1.0/s", "4h14m"),
            (0, nil, nil),
        ] as [(Double, String?, String?)])
    func `what rounds to nothing is left out of line, JSON, status and textfile alike`(
        _ rate: Double, _ fill: String?, _ full: String?
    ) throws {
        var report = Reports.full
        report.sample.fillRate = rate
        let (line, document) = (statusLine(of: report), StatusDocument(report))
        let metrics = exposition(of: report)

        #expect(line.contains(" fill=\(fill ?? "")") == (fill != nil), "\(line)")
        #expect(line.contains(" full_in=\(full ?? "")") == (full != nil), "\(line)")
        #expect(document.json().contains("\"fill_rate\"") == (fill != nil))
        #expect(document.json().contains("\"time_to_full_seconds\"") == (full != nil))
        #expect(document.text().contains("filling by") == (fill?.hasPrefix("+") == true))
        #expect(document.text().contains("full in") == (full != nil))
        // A rate is a rate to whoever computes with it.
        #expect(metrics.contains("\nconntrack_fill_rate "))
        #expect(metrics.contains("\nconntrack_time_to_full_seconds ") == (full != nil))
    }

    @Test(arguments: reports)
    func `the status in JSON is as before`(_ named: NamedReport) throws {
        try expectGolden(StatusDocument(named.report).json() + "\n", "status-\(named.name).json")
    }

    @Test(arguments: reports)
    func `the status for people is as before`(_ named: NamedReport) throws {
        try expectGolden(StatusDocument(named.report).text() + "\n", "status-\(named.name).txt")
    }

    @Test(arguments: reports)
    func `what is written in JSON is read back the same`(_ named: NamedReport) throws {
        let document = StatusDocument(named.report)
        #expect(try StatusDocument.parse(document.json()) == document)
    }

    @Test(arguments: ["", "{}", "garbage", "[]", "{\"version\":\"0.1.0\"}"])
    func `what is no status is refused`(_ text: String) {
        #expect(throws: (any Error).self) { try StatusDocument.parse(text) }
    }

    private func refreshed(_ entries: UInt64?, _ limit: UInt64?, age: Double) -> StatusDocument {
        var now = Reports.minimal
        now.sample = .at(60, entries: entries, limit: limit)
        return StatusDocument(Reports.full).refreshed(by: StatusDocument(now).ofOneLook(), age: age)
    }

    @Test func `a running monitor's status is refreshed by the table as it is now`() {
        let document = refreshed(7, 70, age: 0.4)

        #expect(document.entries == 7)
        #expect(document.limit == 70)
        #expect(document.usageRatio == 0.1)
        #expect(document.fillRate == nil)
        #expect(document.timestamp == 1_795_499_282.31)
        #expect(document.monitorTime == "2026-11-24T05:47:03.310Z")
        #expect(document.monitorAgeSeconds == 0.4)
        #expect(document.up)
        #expect(document.alerts.map(\.name) == ["limit_dropped", "usage_high", "monitor_degraded"])
        #expect(document.events?.new == 4_100_000)
    }

    @Test func `no highest count is below the one of now`() {
        let document = refreshed(60_000, 65_536, age: 0.4)

        #expect(document.entriesPeak == 60_000)
        #expect(document.entriesPeakDay == 412_003)
    }

    @Test func `how fast the table filled some time ago says nothing of the table as it is now`() {
        // Too old; gone; flushed; doubled.
        for (entries, age) in [(50_260, 2), (nil, 0.4), (7, 0.4), (100_000, 0.4)] as [(UInt64?, Double)] {
            let document = refreshed(entries, 1_048_576, age: age)
            #expect(document.fillRate == nil)
            #expect(document.timeToFullSeconds == nil)
        }
    }

    @Test func `when the table is full is told of the entries of now`() {
        let document = refreshed(50_260, 50_385, age: 0.4)
        #expect(document.fillRate == 12.5)
        #expect(document.timeToFullSeconds == 10)
        #expect(refreshed(50_260, 50_260, age: 0.4).timeToFullSeconds == nil)
        #expect(refreshed(50_260, 0, age: 0.4).timeToFullSeconds == nil)
        var calm = StatusDocument(Reports.full)
        calm.timeToFullSeconds = nil
        #expect(calm.refreshed(by: StatusDocument(Reports.full), age: 0.4).timeToFullSeconds == nil)
    }

    @Test func `what is not of now is said to be so`() {
        let word = "what the monitor counts is of 2026-11-24T05:47:03.310Z, 2.0s before"

        #expect(!refreshed(7, 70, age: 1).text().contains("what the monitor counts"))
        #expect(refreshed(7, 70, age: 2).text().contains(word))
    }

    @Test func `a limit above what it should be is not said to be wrong`() {
        #expect(refreshed(7, 2_000_000, age: 0).text().contains("  limit       2,000,000\n"))
        #expect(refreshed(7, 0, age: 0).text().contains("  limit       unlimited (0)\n"))
    }

    @Test func `on a terminal no line is longer than it is wide, where words allow, and no word is lost`() {
        let document = StatusDocument(Reports.full)
        func words(_ text: String) -> [Substring] {
            text.split(whereSeparator: \.isWhitespace).filter { !$0.hasPrefix("[#") }
        }
        for width in [40, 80, 120, 100_000] {
            let folded = document.text(PageStyle(width: width))
            #expect(folded.split(separator: "\n").allSatisfy { $0.utf8.count <= width }, "\(folded)")
            #expect(words(folded) == words(document.text()))
        }
    }

    @Test func `what is to be typed is a line of its own, and never broken`() throws {
        var document = StatusDocument(Reports.full)
        document.findings = [
            .init(
                name: "limit_dropped", level: "critical",
                text: "it fell; a long story; next: conntrack-mon doctor --root /",
                cure: "fix: sysctl -w net.netfilter.nf_conntrack_max=1048576; prevent: conntrack-mon doctor")
        ]
        let lines = document.text(PageStyle(width: 40)).split(separator: "\n")
        #expect(
            lines.prefix(5).dropFirst(2) == [
                "    next: conntrack-mon doctor --root /",
                "    fix: sysctl -w net.netfilter.nf_conntrack_max=1048576", "    prevent: conntrack-mon doctor",
            ])
    }

    @Test func `a terminal has a bar with marks, and colours where they are wanted`() throws {
        func page(_ usage: UInt64, colour: Bool) throws -> String {
            var report = Reports.full
            report.sample.table.entries = usage
            report.sample.table.limit = 1000
            report.thresholds = (0.75, 0.9)
            let text = StatusDocument(report).text(PageStyle(width: 36, hasColour: colour))
            return String(try #require(text.split(separator: "\n").first { $0.contains("#") || $0.contains("[-") }))
        }
        #expect(try page(0, colour: false) == "              [---------------:--!-]")
        #expect(try page(1, colour: false) == "              [#--------------:--!-]")
        #expect(try page(500, colour: false) == "              [##########-----:--!-]")
        #expect(try page(1000, colour: false) == "              [####################]")
        #expect(try page(500, colour: true).contains("\u{1B}[32m##########"))
        #expect(try page(800, colour: true).contains("\u{1B}[1;33m################"))
        #expect(try page(950, colour: true).contains("\u{1B}[1;31m###################"))
        #expect(!StatusDocument(Reports.full).text().contains("\u{1B}"))
        #expect(!StatusDocument(Reports.full).text().contains("[#"))
    }

    @Test func `a person is shown what went wrong, and all only when asked`() {
        let document = StatusDocument(Reports.full)
        let (brief, whole) = (document.text(), document.text(PageStyle(isWhole: true)))
        #expect(brief.contains("\n  statistics  insert_failed 3, drop 5\n"))
        #expect(whole.contains("\n  statistics  found 100, insert_failed 3, drop 5, early_drop 0, search_restart 2\n"))
        #expect(!brief.contains("since start"))
        #expect(whole.contains("\n  since start "))
    }

    @Test(
        arguments: [
            ("one two three", 7, ["one two", "  three"]), ("one two three", 8, ["one two", "  three"]),
            ("  one two", 5, ["  one", "  two"]), ("overlong word", 4, ["overlong", "  word"]), ("", 4, []),
            ("    overlong", 4, ["    overlong"]), ("exactly", 7, ["exactly"]),
        ] as [(String, Int, [String])])
    func `a line is folded at its blanks`(_ line: String, _ width: Int, _ folded: [String]) {
        #expect(foldedLine(line, width: width, indent: 2) == folded)
    }
}
