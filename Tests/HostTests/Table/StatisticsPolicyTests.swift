// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackHost
@testable import ConntrackModel

private struct Story: CustomTestStringConvertible, Sendable {
    /// Seconds; what is seen then: the module, whether it is the same, what uses nf_conntrack; and the answer.
    typealias Step = (Double, NetlinkModule, Bool, UInt64?, StatisticsPolicy.Answer)

    var testDescription: String
    var terms: StatisticsTerms
    var steps: [Step]

    init(_ name: String, _ steps: [Step]) {
        self.init(name, .watching(settle: .seconds(2)), steps)
    }

    init(_ name: String, _ terms: StatisticsTerms, _ steps: [Step]) {
        (testDescription, self.terms, self.steps) = (name, terms, steps)
    }

    private static let settling = StatisticsPolicy.Answer.obstacle(.settling)
    private static let changing = StatisticsPolicy.Answer.obstacle(.changing)
    private static let absent = StatisticsPolicy.Answer.obstacle(.netlinkAbsent)
    /// Live when the watch begins, and asked since.
    private static let begun: [Step] = [
        (0, .live, false, 2, settling), (1, .live, true, 2, settling), (9.9, .live, true, 2, settling),
        (10, .live, true, 2, .ask),
    ]

    static let all: [Story] = [
        Story("there from the start: asked when it has been so for 10 s", begun + [(11, .live, true, 2, .ask)]),
        Story(
            "at most once a second, however often it is looked",
            begun + [
                (10.25, .live, true, 2, .wait), (10.5, .live, true, 2, .wait), (10.89, .live, true, 2, .wait),
                (10.995, .live, true, 2, .ask), (11.25, .live, true, 2, .wait),
            ]),
        Story(
            "a stop unloads what uses nf_conntrack first: nothing is asked from then on",
            begun + [
                (11, .live, true, 1, settling), (11.2, .changing, true, 1, changing),
                (11.3, .absent, false, nil, absent),
                (12, .absent, false, nil, absent), (60, .absent, false, nil, absent),
            ]),
        Story(
            "unloaded and loaded again between two looks",
            begun + [(11, .live, false, 2, settling), (20.9, .live, true, 2, settling), (21, .live, true, 2, .ask)]),
        Story(
            "it comes later, by somebody else's doing",
            [
                (0, .absent, false, 1, absent), (60, .absent, true, 1, absent), (61, .live, false, 2, settling),
                (70.9, .live, true, 2, settling), (71, .live, true, 2, .ask),
            ]),
        Story(
            "one more user is a change as well",
            begun + [(11, .live, true, 3, settling), (21, .live, true, 3, .ask)]),
        Story(
            "its state goes away while its folder is still there",
            begun + [(11, .changing, false, 2, changing), (12, .live, false, 2, settling), (22, .live, true, 2, .ask)]),
        Story(
            "who uses it cannot be read: never", [(0, .live, false, nil, settling), (60, .live, true, nil, settling)]),
        Story(
            "a longer --settle counts", .watching(settle: .seconds(30)),
            [(0, .live, false, 2, settling), (29.9, .live, true, 2, settling), (30, .live, true, 2, .ask)]),
        Story(
            "a shorter --settle does not", .watching(settle: .zero),
            [(0, .live, false, 2, settling), (9.9, .live, true, 2, settling), (10, .live, true, 2, .ask)]),
        Story("one look, live", .once, [(0, .live, false, 2, .ask)]),
        Story("one look, on its way", .once, [(0, .changing, false, 2, changing)]),
        Story("one look, not there", .once, [(0, .absent, false, 2, absent)]),
        Story("part of the kernel", [(0, .builtIn, false, nil, .ask), (0.1, .builtIn, false, nil, .ask)]),
        Story("nobody wants them", .never, [(0, .live, false, 2, .wait), (60, .builtIn, true, 2, .wait)]),
    ]
}

/// When ctnetlink is asked for statistics: a request at a wrong time undoes a firewall's stop.
@Suite struct StatisticsPolicyTests {
    @Test(arguments: Story.all)
    private func `it is asked only when that does no harm`(_ story: Story) {
        var policy = StatisticsPolicy(story.terms)
        for (seconds, netlink, isSame, users, expected) in story.steps {
            let look = StatisticsPolicy.Look(
                time: Moment.at(seconds).monotonic, netlink: netlink, isSame: isSame, users: users)
            #expect(policy.answer(look) == expected, "at \(seconds) s")
        }
    }
}
