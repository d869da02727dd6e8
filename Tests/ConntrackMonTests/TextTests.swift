// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// Numbers and times as people read them.
@Suite struct TextTests {
    @Test(
        arguments: [
            (0, 0, "0"), (0.5, 0, "1"), (1.49, 0, "1"), (-0.5, 0, "-1"), (-0.4, 0, "0"), (1.005, 1, "1.0"),
            (1.25, 1, "1.3"),
            (-1.25, 1, "-1.3"), (0.04, 1, "0.0"), (-0.04, 1, "0.0"), (12.3456, 3, "12.346"), (9.999, 2, "10.00"),
            (1e14, 2, "100000000000000.00"), (950_000_000_000_000, 4, "950000000000000.0000"),
            (1e15, 2, "1000000000000000.0"),
            (.infinity, 1, "inf"), (-.infinity, 1, "-inf"), (.nan, 1, "nan"),
        ] as [(Double, Int, String)])
    func `fixed rounds half away from zero`(_ value: Double, _ digits: Int, _ text: String) {
        #expect(fixed(value, digits) == text)
    }

    @Test(arguments: [
        (0, "0.00%"), (0.0016, "0.16%"), (0.0999, "9.99%"), (0.1, "10.0%"), (0.767, "76.7%"), (1, "100.0%"),
        (6.2866, "628.7%"), (12.34, "1234%"),
    ])
    func `a share has as many digits as it needs`(_ share: Double, _ text: String) {
        #expect(percent(share) == text)
    }

    @Test(arguments: [
        (0, "0.0s"), (-5, "0.0s"), (0.44, "0.4s"), (128.1, "128.1s"), (599.94, "599.9s"), (599.96, "10m00s"),
        (600, "10m00s"), (750, "12m30s"), (3599.4, "59m59s"), (3599.6, "1h00m"), (11_100, "3h05m"), (86_399.6, "1d0h"),
        (187_200, "2d4h"), (1e12, "11574074d1h"), (.infinity, "forever"), (.nan, "forever"), (1e30, "forever"),
    ])
    func `a duration is told in the largest unit that keeps it readable`(_ seconds: Double, _ text: String) {
        #expect(readable(seconds: seconds) == text)
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1_795_499_222_310_000_000, "2026-11-24T05:47:02.310Z"),
            (1_795_499_222_310_999_999, "2026-11-24T05:47:02.310Z"),
            (951_782_400_001_000_000, "2000-02-29T00:00:00.001Z"),
            (.max, "2262-04-11T23:47:16.854Z"),
        ] as [(Int64, String)])
    func `times are RFC 3339 in UTC with milliseconds`(_ nanoseconds: Int64, _ text: String) {
        #expect(rfc3339(WallTime(nanoseconds: nanoseconds)) == text)
    }

    @Test(
        arguments: [
            (6, "tcp"), (17, "udp"), (1, "icmp"), (58, "icmpv6"), (132, "sctp"), (33, "dccp"), (47, "gre"),
            (136, "udplite"),
            (0, "0"), (255, "255"),
        ] as [(UInt8, String)])
    func `protocols have their names, or their numbers`(_ number: UInt8, _ name: String) {
        #expect(protocolName(number) == name)
    }

    @Test(arguments: [(0, "0s"), (5, "5ms"), (100, "100ms"), (1000, "1s"), (1500, "1500ms"), (90_000, "90s")])
    func `a duration is written as flags have it`(_ milliseconds: Int, _ text: String) {
        #expect(durationText(.milliseconds(milliseconds)) == text)
    }

    @Test func `a limit of 0 is called unlimited`() {
        #expect(limitText(0) == "unlimited (0)")
        #expect(limitText(65_536) == "65536")
    }
}

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
