// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackModel
@testable import ConntrackSystem

/// What is said of a thread that hangs, by a clock of the test's own.
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
}
