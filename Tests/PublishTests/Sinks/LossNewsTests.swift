// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackModel
@testable import ConntrackPublish

/// What is said of a sink that loses something, by a clock of the test's own.
@Suite struct LossNewsTests {
    private func now(_ seconds: Double) -> MonotonicTime { Moment.at(seconds).monotonic }

    @Test func `a loss is said until nothing waited and nothing more was lost for a minute`() {
        var news = LossNews(part: "lines", what: "announcements")
        func step(_ lost: UInt64, empty: Bool = true, _ at: Double) -> UInt64? {
            news.step(lost: lost, isEmpty: empty, now: now(at))
        }
        #expect(step(0, 0) == nil)
        #expect(step(3, empty: false, 1) == 3)
        #expect(step(12, empty: false, 90) == 12)
        #expect(step(12, 100) == 12)
        #expect(step(12, 159) == 12)
        #expect(step(12, empty: false, 159.5) == 12)
        #expect(step(12, 160) == 12)
        #expect(step(13, 200) == 13)
        #expect(step(13, 201) == 13)
        #expect(step(13, 261) == nil)
        // The next one is counted from here.
        #expect(step(15, 262) == 2)
    }
}
