// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackModel
@testable import ConntrackPublish

/// An alert that waits for its clear hold, as people and programs read it.
@Suite struct ClearingAlertTests {
    private static func report(clearing: Bool) -> Report {
        var report = Reports.minimal
        let full = Explanation("1000 of 1000 entries (100.0%): new connections are refused", fix: .init("raise it"))
        let past = full.past(
            .until(Moment.at(8).wall), calm: "14 of 1000 entries (1.40%)", clearHold: .seconds(60),
            now: Moment.at(9).wall)
        report.firing = [
            FiringAlert(
                name: .tableFull, level: .critical, since: .at(0), explanation: clearing ? past : full,
                clearingSince: clearing ? .at(8) : nil)
        ]
        return report
    }

    @Test func `in JSON it says since when what it was is over, and nothing of that while it is not`() throws {
        let clearing = StatusDocument(Self.report(clearing: true)).json()
        let crossed = StatusDocument(Self.report(clearing: false)).json()

        #expect(clearing.contains(#""clearing_since":"2026-11-24T05:47:10.310Z""#))
        #expect(!crossed.contains("clearing_since"))
        #expect(try StatusDocument.parse(clearing).alerts.first?.clearingSince == "2026-11-24T05:47:10.310Z")
    }

    @Test func `a status says it in the past, and without the cure`() {
        let text = StatusDocument(Self.report(clearing: true)).text()

        #expect(
            text.hasPrefix(
                "CRITICAL table_full since 2026-11-24T05:47:02.310Z: was until 05:47:10Z: 1000 of 1000 entries (100.0%): new"
                    + " connections are refused; now 14 of 1000 entries (1.40%), over when clear for 60s\n"))
    }
}
