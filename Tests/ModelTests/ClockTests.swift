// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackModel

/// Points in time and what lies between them.
@Suite struct ClockTests {
    @Test func `time never runs backwards`() {
        let (early, late) = (MonotonicTime(nanoseconds: 5), MonotonicTime(nanoseconds: 9))

        #expect(late - early == .nanoseconds(4))
        #expect(early - late == .zero)
        #expect(early < late)
        #expect(early + .nanoseconds(4) == late)
        #expect(late + .seconds(-1) == late)
    }

    @Test func `a record's moment has the wall clock's offset of its look`() {
        let look = Moment(monotonic: MonotonicTime(nanoseconds: 100), wall: WallTime(nanoseconds: 1000))
        let early = Moment(monotonic: MonotonicTime(nanoseconds: 100), wall: WallTime(nanoseconds: 70))

        #expect(look.wallOffset == 900)
        #expect(early.wallOffset == -30)
        #expect(Moment(monotonic: MonotonicTime(nanoseconds: 60), wallOffset: 900).wall.nanoseconds == 960)
        #expect(Moment(monotonic: MonotonicTime(nanoseconds: 60), wallOffset: -70).wall.nanoseconds == -10)
    }

    @Test func `durations convert without overflow`() {
        #expect(Duration.milliseconds(1500).inNanoseconds == 1_500_000_000)
        #expect(Duration.milliseconds(1500).inSeconds == 1.5)
        #expect(Duration.seconds(Int64.max).inNanoseconds == .max)
    }
}
