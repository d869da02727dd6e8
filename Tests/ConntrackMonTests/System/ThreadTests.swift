// SPDX-License-Identifier: GPL-3.0-or-later

import Synchronization
import TestKit
import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

private final class Trace: Sendable {
    let hasEnded = Atomic<Bool>(false)
    let rounds = Atomic<Int>(0)

    var isOver: Bool { hasEnded.load(ordering: .acquiring) }
}

/// Leaves a trace of what was done with it, and of its end.
private struct Owned: ~Copyable {
    let trace: Trace
    var rounds = 0

    init(_ trace: Trace) {
        self.trace = trace
    }

    deinit {
        trace.hasEnded.store(true, ordering: .releasing)
    }
}

private final class Doorbell: Sendable {
    let bell: EventDescriptor

    init() throws {
        bell = try EventDescriptor()
    }
}

@Suite struct ThreadTests {
    @Test func `what a thread owns is its own, and has ended when the thread has`() throws {
        let trace = Trace()
        let thread = try Thread(name: "owner", owning: Owned(trace)) { owned in
            owned.rounds += 3
            owned.trace.rounds.store(owned.rounds, ordering: .relaxed)
        }

        let isJoined = thread.join(within: .seconds(10))
        #expect(isJoined)
        let rounds = trace.rounds.load(ordering: .relaxed)
        #expect(rounds == 3)
        #expect(trace.isOver)
    }

    @Test func `a thread that is stuck is left behind, and ends by itself`() throws {
        let doorbell = try Doorbell()
        let trace = Trace()
        let thread = try Thread(name: "stuck", owning: Owned(trace)) { _ in doorbell.bell.wait() }

        let isJoined = thread.join(within: .milliseconds(1))
        #expect(!isJoined)
        #expect(!trace.isOver)
        doorbell.bell.ring()
        #expect(eventually { trace.isOver })
    }
}
