// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// One level of one alert: hold 5 s, clear for 10 s.
@Suite struct LatchTests {
    struct Step {
        var at: Double
        var condition: Condition
        var fires: Bool
        var blocked = false

        init(_ at: Double, _ condition: Condition, _ fires: Bool, blocked: Bool = false) {
            self.at = at
            self.condition = condition
            self.fires = fires
            self.blocked = blocked
        }
    }

    @Test(arguments: [
        (
            "fires when the hold has passed",
            [Step(0, .crossed, false), Step(4.9, .crossed, false), Step(5, .crossed, true)]
        ),
        (
            "the hold begins anew when it is clear",
            [
                Step(0, .crossed, false), Step(3, .clear, false), Step(5, .crossed, false), Step(9, .crossed, false),
                Step(10, .crossed, true),
            ]
        ),
        ("between does not begin it", [Step(0, .between, false), Step(100, .between, false)]),
        (
            "between ends what is pending",
            [Step(0, .crossed, false), Step(4, .between, false), Step(6, .crossed, false), Step(11, .crossed, true)]
        ),
        (
            "unknown ends what is pending",
            [Step(0, .crossed, false), Step(4, .unknown, false), Step(6, .crossed, false)]
        ),
        (
            "ends when it was clear for long enough",
            [
                Step(0, .crossed, false), Step(5, .crossed, true), Step(6, .clear, true), Step(15.9, .clear, true),
                Step(16, .clear, false),
            ]
        ),
        (
            "between keeps it firing",
            [Step(0, .crossed, false), Step(5, .crossed, true), Step(6, .between, true), Step(100, .between, true)]
        ),
        (
            "between begins the clearing anew",
            [
                Step(0, .crossed, false), Step(5, .crossed, true), Step(6, .clear, true), Step(15, .between, true),
                Step(17, .clear, true), Step(26, .clear, true), Step(27, .clear, false),
            ]
        ),
        (
            "crossed begins the clearing anew",
            [
                Step(0, .crossed, false), Step(5, .crossed, true), Step(6, .clear, true), Step(15, .crossed, true),
                Step(17, .clear, true), Step(27, .clear, false),
            ]
        ),
        (
            "unknown freezes what fires",
            [
                Step(0, .crossed, false), Step(5, .crossed, true), Step(6, .clear, true), Step(7, .unknown, true),
                Step(100, .unknown, true), Step(101, .clear, true), Step(111, .clear, false),
            ]
        ),
        (
            "blocked does not begin, and begins when it no longer is",
            [
                Step(0, .crossed, false, blocked: true), Step(50, .crossed, false, blocked: true),
                Step(51, .crossed, true),
            ]
        ),
        (
            "blocked goes on firing and may end",
            [
                Step(0, .crossed, false), Step(5, .crossed, true), Step(6, .crossed, true, blocked: true),
                Step(7, .clear, true, blocked: true), Step(17, .clear, false, blocked: true),
            ]
        ),
    ])
    func `a latch`(_ what: String, _ steps: [Step]) {
        var latch = Latch()
        for step in steps {
            latch.step(
                step.condition, hold: .seconds(5), clearHold: .seconds(10), blocked: step.blocked,
                now: Moment.at(step.at).monotonic)
            #expect(latch.isFiring == step.fires, "\(what): at \(step.at)")
        }
    }

    @Test func `without holds it fires and ends at once`() {
        var latch = Latch()
        latch.step(.crossed, hold: .zero, clearHold: .zero, now: Moment.at(0).monotonic)
        #expect(latch.isFiring)
        latch.step(.clear, hold: .zero, clearHold: .zero, now: Moment.at(0).monotonic)
        #expect(!latch.isFiring)
    }
}
