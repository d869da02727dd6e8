// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

@Suite struct CadenceTests {
    private static let ring = EventMethod.bpf(ring: 8 << 20)
    private static let milli: UInt64 = 1_000_000

    private func time(_ milliseconds: Double) -> MonotonicTime { Moment.at(milliseconds / 1000).monotonic }

    /// Looks every 10 s, so that only the drains count.
    private func cadence(period: Duration = .seconds(10)) -> Cadence {
        Cadence(period: period, firstSample: time(0))
    }

    private func tick(_ cadence: Cadence, budget: MonotonicTime? = nil) -> UInt64 {
        cadence.wait(at: time(0), isListening: true, budgetChangesAt: budget)
    }

    @Test(
        arguments: [
            (ring, [2, 4, 8, 16, 32, 64, 100, 100]),
            // 32 MB hold 65 ms of the fastest burst, 4 MB 8.192, 8 KB none.
            (.netlink(receiveBuffer: 32 << 20, notBPF: nil), [2, 4, 8, 16, 32, 50, 50]),
            (.netlink(receiveBuffer: 4 << 20, notBPF: nil), [2, 4, 8, 8.19, 8.19]),
            (.netlink(receiveBuffer: 8192, notBPF: nil), [2, 4, 4]),
            (.netlink(receiveBuffer: 0, notBPF: nil), [2, 4, 4]),
        ] as [(EventMethod, [Double])])
    func `with few events ticks grow, as long as what receives them holds a burst`(
        _ method: EventMethod, _ milliseconds: [Double]
    ) {
        var cadence = cadence()
        for expected in milliseconds {
            #expect(tick(cadence) / 10_000 == UInt64((expected * 100).rounded()))
            cadence.drained(0, by: method, isRejoined: false)
        }
    }

    @Test(
        arguments: [
            (0, false, 32), (255, false, 32), (256, false, 16), (511, false, 16), (512, false, 2), (100_000, false, 2),
            (0, true, 2), (300, true, 2),
        ] as [(Int, Bool, UInt64)])
    func `after 16 ms the next tick depends on how many came`(
        _ taken: Int, _ isRejoined: Bool, _ milliseconds: UInt64
    ) {
        var cadence = cadence()
        for _ in 0..<3 { cadence.drained(0, by: Self.ring, isRejoined: false) }
        #expect(tick(cadence) == 16 * Self.milli)
        cadence.drained(taken, by: Self.ring, isRejoined: isRejoined)

        #expect(tick(cadence) == milliseconds * Self.milli)
    }

    @Test func `a socket that takes the place of a ring shortens ticks at once`() {
        var cadence = cadence()
        for _ in 0..<9 { cadence.drained(0, by: Self.ring, isRejoined: false) }
        cadence.drained(300, by: .netlink(receiveBuffer: 8192, notBPF: nil), isRejoined: false)

        #expect(tick(cadence) == 4 * Self.milli)
    }

    @Test(
        arguments: [
            (0, true, nil, 2), (99, true, nil, 1), (100, true, nil, 0), (500, true, nil, 0), (0, false, nil, 100),
            (99, false, nil, 1), (500, false, nil, 0), (0, true, 1.5, 1.5), (98.5, true, 500, 1.5), (50, true, 20, 0),
            (0, false, 1, 100),
        ] as [(Double, Bool, Double?, Double)])
    func `it sleeps to the next drain, the next look or the budget's change, whichever is first`(
        _ now: Double, _ isListening: Bool, _ budget: Double?, _ milliseconds: Double
    ) {
        let cadence = cadence(period: .milliseconds(100))
        let wait = cadence.wait(at: time(now), isListening: isListening, budgetChangesAt: budget.map(time))

        #expect(wait == UInt64(milliseconds * 1e6))
    }

    @Test(
        arguments: [
            (100, 200), (100.7, 200), (199.9, 200), (200, 300), (212, 300), (3_600_050, 3_600_100),
        ])
    func `a delay moves no later look, and a long one is followed by no burst`(_ now: Double, _ next: Double) {
        var cadence = cadence(period: .milliseconds(100))
        #expect(!cadence.isSampleDue(at: time(99.9)))
        #expect(cadence.isSampleDue(at: time(now)))
        cadence.sampled(at: time(now))

        #expect(cadence.sampleDue == time(next))
        #expect(!cadence.isSampleDue(at: time(now)))
    }

    @Test(
        arguments: [
            (100, 200, false), (100, 200.1, true), (1000, 2000, false), (1000, 2000.1, true), (10, 110, false),
            (10, 110.1, true),
        ]
            as [(Int, Double, Bool)])
    func `a look is behind when it is overdue by a period, and by more than a busy machine delays it`(
        _ period: Int, _ now: Double, _ isBehind: Bool
    ) {
        #expect(cadence(period: .milliseconds(period)).isBehind(at: time(now)) == isBehind)
    }
}
