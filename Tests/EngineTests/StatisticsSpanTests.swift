// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// Statistics that are not read in each interval.
@Suite struct StatisticsSpanTests {
    @Test func `what grew while nothing was read is no rate of one interval`() throws {
        var stream = ObservedStream()
        for (second, drops) in ([100, 100, nil, nil, 130] as [UInt64?]).enumerated() {
            stream.look(Double(second))
            stream.tick(Double(second)) { kernel in
                if let drops {
                    kernel.statistics = StatisticsReading(
                        perCPU: [StatValues([.drop: drops, .insertFailed: 0, .earlyDrop: 0])])
                }
            }
            stream.settings(Double(second))
        }
        var run = EngineRun()
        run.take(stream)
        let lines = run.lines.map { $0.split(separator: " ").first { $0.hasPrefix("other_drop=") } }

        #expect(lines == ["other_drop=0/s", nil, nil, "other_drop=10/s"])
    }
}
