// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackModel

/// What a sample says of itself.
@Suite struct SampleTests {
    @Test func `usage is known only with a limit`() {
        #expect(Sample.at(0, entries: 750, limit: 1000).usage == 0.75)
        #expect(Sample.at(0, entries: 750, limit: 0).usage == nil)
        #expect(Sample.at(0, entries: nil, limit: 1000).usage == nil)
        #expect(Sample.at(0, entries: 750, limit: nil).usage == nil)
    }

    @Test func `a table over its limit is full now`() {
        #expect(Sample.at(0, entries: 2000, limit: 1000) { $0.fillRate = 1 }.timeToFull == 0)
    }

    @Test(arguments: [(0, 1000), (-5, 1000), (5, 0)] as [(Double, UInt64)])
    func `a table that does not fill or has no limit is never full`(_ rate: Double, _ limit: UInt64) {
        #expect(Sample.at(0, limit: limit) { $0.fillRate = rate }.timeToFull == nil)
    }

    @Test func `an interval of no length has no rates`() {
        #expect(Sample.at(0) { $0.elapsed = .zero }.perSecond(5) == nil)
        #expect(Sample.at(0).perSecond(nil) == nil)
    }
}
