// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

/// Simulated hosts in compressed time: an hour, a night, a week of nothing, and what goes wrong in them.
@Suite struct BoredomTests {
    @Test(arguments: BoringHosts.all)
    func `a host on which nothing is wrong says nothing but what is so`(_ scenario: Scenario) async throws {
        try await Simulated.of(scenario).expectOnlyWhatIsSo()
    }

    @Test(arguments: FaultyHosts.all)
    func `what is wrong on a host is said once, in time, by its cause`(_ scenario: Scenario) async throws {
        try await Simulated.of(scenario).expectOnlyWhatIsSo()
    }

    @Test(arguments: [("boredom/boring.txt", BoringHosts.all), ("boredom/faulty.txt", FaultyHosts.all)])
    func `every line that they say is known`(_ name: String, _ scenarios: [Scenario]) async throws {
        var stories: [String] = []
        for scenario in scenarios { stories.append(try await Simulated.of(scenario).story) }
        try expectGolden(stories.joined(separator: "\n"), name)
    }
}
