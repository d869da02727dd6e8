// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// The name by which a network namespace was entered goes, or leads elsewhere.
@Suite struct NamespaceTests {
    private func ending(_ name: String, _ standings: [NamespaceStanding?]) -> Ending? {
        var stream = ObservedStream()
        for (second, standing) in standings.enumerated() {
            stream.look(Double(second))
            stream.tick(Double(second)) { $0.namespace = standing }
            if second == 0 { stream.settings(0) }
        }
        var run = EngineRun { $0.netns = name }
        run.take(stream)
        return run.engine.ending
    }

    @Test(
        arguments: [
            ("blue", [.there, .gone, .gone], "network namespace blue was deleted"),
            (
                "blue", [.gone, .replaced],
                "network namespace blue was deleted and made anew: start again to watch the new one"
            ),
            (
                "/proc/12/ns/net", [.gone, .gone],
                "/proc/12/ns/net is gone, and so is what it named: the network namespace that was watched"
            ),
            (
                "/proc/12/ns/net", [.replaced, .replaced],
                "/proc/12/ns/net leads to another network namespace now: start again to watch that one"
            ),
        ] as [(String, [NamespaceStanding?], String)])
    func `a namespace that lost its name ends watching, as what could not go on`(
        _ name: String, _ standings: [NamespaceStanding?], _ why: String
    ) {
        #expect(ending(name, standings) == Ending(why, isFailure: true))
    }

    @Test(
        arguments: [
            [.there, .there, .there], [.gone, .there, .gone, .there], [.gone, nil, .replaced], [nil, nil, nil],
        ] as [[NamespaceStanding?]])
    func `one that is there, seems gone for a moment or cannot be told about is watched on`(
        _ standings: [NamespaceStanding?]
    ) {
        #expect(ending("blue", standings) == nil)
    }
}
