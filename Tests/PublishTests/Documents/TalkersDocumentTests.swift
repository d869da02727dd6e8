// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackModel
@testable import ConntrackPublish

/// Talkers in status text; the whole of it is in the golden files.
@Suite struct TalkersDocumentTests {
    private func lines(_ talkers: Talkers) -> [String] {
        var report = Reports.minimal
        report.sample.events = EventCounts(new: 1)
        report.sample.talkers = talkers
        return StatusDocument(report).text(PageStyle(isWhole: true)).split(separator: "\n").map(String.init)
    }

    @Test func `within the first minute they are told once`() {
        var talkers = Reports.talkers
        talkers.sinceStart = talkers.minute
        let lines = lines(talkers)

        #expect(lines.count { $0.hasPrefix("  last minute ") } == 1)
        #expect(lines.count { $0.hasPrefix("    from ") } == 1)
        #expect(!lines.contains { $0.hasPrefix("  since start ") })
    }

    @Test func `a minute without new entries has one line`() {
        var talkers = Reports.talkers
        talkers.minute = TalkerWindow(span: .seconds(55), new: 0)
        let lines = lines(talkers)

        #expect(lines.contains("  last minute 0 new entries seen in 55.0s"))
        #expect(lines.count { $0.hasPrefix("    from ") } == 1)
    }

    @Test func `what was read is what was written`() throws {
        let document = StatusDocument(Reports.full)

        #expect(try StatusDocument.parse(document.json()) == document)
        #expect(document.talkers != nil)
    }
}
