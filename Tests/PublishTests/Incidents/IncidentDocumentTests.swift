// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackModel
@testable import ConntrackPublish

/// What led to an alert, as a file, as text and as a page.
@Suite struct IncidentDocumentTests {
    /// A limit that fell while the table was nearly as full as it then is.
    private static let incident: Incident = {
        let cause = Announcement(
            time: Moment.at(60).wall, name: "limit_dropped", state: .firing, level: .critical,
            summary: "nf_conntrack_max 1048576 -> 65536 (module <reloaded> 2.1s ago)")
        let looks = (0..<650).map { step -> Incident.Look in
            let isReloaded = step >= 600
            return Incident.Look(
                wall: Moment.at(Double(step) / 10).wall, entries: isReloaded ? UInt64(step - 600) * 900 : 412_003,
                limit: isReloaded ? 65_536 : 1_048_576)
        }
        return Incident(
            cause: cause, looks: looks, intervals: [Incident.Interval(Reports.full.sample)],
            said: [
                Announcement(
                    time: Moment.at(59).wall, name: "module_reloaded", state: .notice,
                    summary: "nf_conntrack was unloaded and loaded again"), cause,
            ], report: Reports.full)
    }()

    @Test func `what was read is what was written`() throws {
        let document = IncidentDocument(Self.incident)
        let read = try IncidentDocument.parse(document.json())
        #expect(read == document)
        #expect(read.looks.entries.count == 650)
        #expect(throws: DecodingError.self) { try IncidentDocument.parse("{}") }
        #expect(throws: DecodingError.self) { try IncidentDocument.parse("") }
    }

    @Test func `a person sees the fall`() throws {
        let document = IncidentDocument(Self.incident)
        try expectGolden(document.text() + "\n", "incident.txt")
        try expectGolden(document.html(), "incident.html")
    }

    @Test func `on the page nothing is markup but its own`() {
        let page = IncidentDocument(Self.incident).html()
        #expect(page.contains("(module &lt;reloaded&gt; 2.1s ago)"))
        #expect(!page.contains("<reloaded>"))
        for outside in ["http:", "https:", "<script", "<link", "@import", "url("] { #expect(!page.contains(outside)) }
    }

    @Test func `nobody knows a table that was never seen`() {
        var incident = Self.incident
        incident.looks = incident.looks.map { Incident.Look(wall: $0.wall, entries: nil, limit: nil) }
        incident.said = []
        let document = IncidentDocument(incident)
        #expect(!document.text().contains("entries (#)"))
        #expect(document.text().contains("\nnothing was said\n"))
        #expect(document.html().contains("<p>Nothing was seen of the table.</p>"))
    }

    @Test func `columns of different length, as a file may have them, draw what all have`() {
        var looks = IncidentDocument(Self.incident).looks
        looks.entries = Array(looks.entries.prefix(10))
        #expect(IncidentPlot(looks, width: 20)?.columns.count == 20)
        looks.milliseconds = looks.milliseconds.map { _ in .max }
        #expect(IncidentPlot(looks, width: 20) != nil)
        looks.milliseconds = looks.milliseconds.map { _ in .min }
        #expect(IncidentPlot(looks, width: 20) == nil)
        looks.milliseconds = []
        #expect(IncidentPlot(looks, width: 20) == nil)
    }
}
