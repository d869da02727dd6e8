// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// What is said of a sink that hangs or loses something, by a clock of the test's own.
@Suite struct HeartbeatTests {
    private let heartbeat = Heartbeat { "all but the \($0) goes on" }

    private func now(_ seconds: Double) -> MonotonicTime { Moment.at(seconds).monotonic }

    @Test func `a thread at rest is never stuck`() {
        #expect(heartbeat.stuck(now: now(1e6)) == nil)
        heartbeat.begin("textfile", "writing /x", at: now(0))
        heartbeat.end()

        #expect(heartbeat.stuck(now: now(1e6)) == nil)
    }

    @Test func `work that takes longer than its patience is said with how long it has hung, until it ends`() {
        heartbeat.begin("textfile", "writing /x", at: now(0))
        #expect(heartbeat.stuck(now: now(5)) == nil)
        let hung = Degradation(
            part: "textfile", reason: "writing /x has hung for 12s", remains: "all but the textfile goes on")
        #expect(heartbeat.stuck(now: now(12.7)) == hung)
        heartbeat.rename("ending /x")
        #expect(heartbeat.stuck(now: now(13))?.reason == "ending /x has hung for 13s")
        heartbeat.end()

        #expect(heartbeat.stuck(now: now(14)) == nil)
    }

    @Test func `each piece of work is timed by itself`() {
        heartbeat.begin("state", "writing /s", at: now(0))
        heartbeat.begin("textfile", "writing /x", at: now(4))

        #expect(heartbeat.stuck(now: now(9)) == nil)
        #expect(heartbeat.stuck(now: now(9.5))?.reason == "writing /x has hung for 5s")
    }

    @Test func `a clock that was asked before the work began says nothing hangs`() {
        heartbeat.begin("textfile", "writing /x", at: now(10))

        #expect(heartbeat.stuck(now: now(0)) == nil)
    }

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
