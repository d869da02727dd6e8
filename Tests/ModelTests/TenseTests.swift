// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackModel

/// Alerts whose figures are not of the present.
@Suite struct TenseTests {
    private let full = Explanation(
        "1000 of 1000 entries (100.0%): new connections are refused", why: ["why: SYN_RECV 75.0%"],
        next: "conntrack -L", age: .seconds(75), fix: .init("raise it"), prevent: "conntrack-mon doctor")

    @Test func `what was is told without what nobody needs any more`() {
        let past = full.past(
            .until(Moment.at(10).wall), calm: "14 of 1000 entries (1.40%)", clearHold: .seconds(60),
            now: Moment.at(20).wall)

        #expect(
            past.text == "was until 05:47:12Z: 1000 of 1000 entries (100.0%): new connections are refused;"
                + " now 14 of 1000 entries (1.40%), over when clear for 60s")
        #expect(past.headline == past.text)
    }

    @Test func `what is, too, may not be of now`() {
        let past = full.past(
            .until(Moment.at(10).wall), calm: "14 of 1000 entries", calmAt: Moment.at(15).wall,
            clearHold: .milliseconds(500),
            now: Moment.at(20).wall)

        #expect(past.why == ["last known at 05:47:17Z: 14 of 1000 entries, over when clear for 500ms"])
    }

    @Test func `when nobody watched as it ended, it says when it was known last`() {
        let past = Explanation("full").past(
            .after(Moment.at(-86_400).wall), calm: "empty", clearHold: .seconds(60), now: Moment.at(0).wall)

        #expect(past.text == "last known at 2026-11-23T05:47:02Z: full; now empty, over when clear for 60s")
    }

    @Test func `a day that is not this one is named`() {
        let known = Explanation("full").lastKnown(at: Moment.at(-86_400).wall, now: Moment.at(0).wall)

        #expect(known.text == "last known at 2026-11-23T05:47:02Z: full")
    }

    @Test func `a level that is over comes before the reasons of the one that is not`() {
        let lowered = full.lowered(from: .critical, at: Moment.at(0).wall, now: Moment.at(1).wall)

        #expect(lowered.why == ["critical until 05:47:02Z", "why: SYN_RECV 75.0%"])
        #expect(lowered.fix == full.fix)
    }
}
