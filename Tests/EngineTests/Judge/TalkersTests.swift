// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel
@testable import ConntrackPublish

/// What usage_high says of who fills the table.
@Suite struct TalkersTests {
    /// usage_high fires, and `change` has made of the minute what it likes.
    private func fire(_ change: (inout TalkerWindow) -> Void) throws -> Announcement {
        var talkers = Reports.talkers
        change(&talkers.minute)
        var run = JudgeRun { $0.warnHold = .zero }
        run.samples(0...0, entries: 800) { $0.talkers = talkers }
        try #require(run.said == ["WARNING usage_high"])
        return try #require(run.announcements.first)
    }

    @Test func `source and destination are named, each with what is certain`() throws {
        let said = try fire { _ in }

        try expectGolden(alertLine(said, identity: Reports.identity, journal: false) + "\n", "usage-high-talkers.txt")
        try expectGolden(alertJSON(said, identity: Reports.identity) + "\n", "usage-high-talkers.jsonl")
    }

    @Test func `a destination alone is named too`() throws {
        let said = try fire { $0.sources.top = [] }

        #expect(
            said.summary.contains(
                "threshold 75.0%); in the last minute at least 80.1% of new seen to 198.51.100.7:53/udp; next:"))
        #expect(said.details == ["top_destination": "198.51.100.7:53/udp"])
        #expect(said.values["top_source_ratio"] == nil)
    }

    @Test(arguments: [(8199, false), (8200, true)] as [(UInt64, Bool)])
    func `a source is named from a fifth on, and not for what it may have been`(_ atLeast: UInt64, _ isNamed: Bool)
        throws
    {
        let said = try fire {
            $0.sources.top = [.source("203.0.113.9", atLeast: atLeast, atMost: 20_000)]
            $0.destinations.top = []
        }

        #expect(
            said.summary.contains("at least 20.0% of new seen from 203.0.113.9") == isNamed, "\(said.summary)")
        #expect((said.details["top_source"] != nil) == isNamed)
    }

    @Test func `a share is never rounded up`() throws {
        let said = try fire {
            $0.sources.top = [.source("203.0.113.9", atLeast: 40_999, atMost: 40_999)]
        }

        #expect(said.summary.contains("in the last minute 99.9% of new seen from 203.0.113.9, at least 80.1% to"))
    }

    @Test(arguments: [(99, false), (100, true)] as [(UInt64, Bool)])
    func `of a handful no share is told`(_ new: UInt64, _ isNamed: Bool) throws {
        let said = try fire {
            $0.new = new
            $0.sources.top = [.source("203.0.113.9", atLeast: new, atMost: new)]
            $0.destinations.top = []
        }

        #expect(said.summary.contains(" new seen from ") == isNamed)
    }

    @Test func `without events nothing is said of it`() throws {
        var run = JudgeRun { $0.warnHold = .zero }
        run.samples(0...0, entries: 800)

        #expect(!run.lastSummary.contains("new seen"))
        #expect(run.announcements.first?.details == [:])
    }
}
