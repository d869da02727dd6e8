// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel
@testable import ConntrackPublish

/// Status line, JSON, exposition, status and alert lines of one moment are about one and the same moment.
@Suite struct ContradictionTests {
    @Test(arguments: BoringHosts.all + FaultyHosts.all)
    func `whatever is written of one moment says the same`(_ scenario: Scenario) async throws {
        let snapshots = try await Simulated.of(scenario).snapshots
        #expect(snapshots.count > 5)
        for snapshot in snapshots {
            let found = try Contradictions(snapshot).found
            #expect(found.isEmpty, "\(statusLine(of: snapshot.shown))")
        }
    }

    @Test func `a contradiction is found`() throws {
        var other = Reports.full
        other.sample.table.entries = 7
        other.firing = []
        let found = try Contradictions(
            HostRun.Snapshot(shown: Reports.full, written: other, said: ["usage_high:warning"])
        ).found

        #expect(found.contains { $0.hasPrefix("entries: line 50250, JSON 7") })
        #expect(found.contains { $0.hasSuffix("JSON []") })
    }
}
