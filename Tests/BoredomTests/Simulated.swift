// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackModel
@testable import ConntrackPublish

/// What came of a scenario: run once, looked at by several tests.
struct Simulated: Sendable {
    let scenario: Scenario
    let said: [HostRun.Line]
    let snapshots: [HostRun.Snapshot]

    private static let boring = start(BoringHosts.all)
    private static let faulty = start(FaultyHosts.all)

    private init(_ scenario: Scenario) {
        let run = HostRun(scenario)
        self.scenario = scenario
        said = run.said
        snapshots = run.snapshots
    }

    private static func start(_ scenarios: [Scenario]) -> [(name: String, task: Task<Simulated, Never>)] {
        scenarios.map { scenario in (scenario.name, Task { Simulated(scenario) }) }
    }

    static func of(_ scenario: Scenario) async throws -> Simulated {
        let isFaulty = FaultyHosts.all.contains { $0.name == scenario.name }
        return try await #require((isFaulty ? faulty : boring).first { $0.name == scenario.name }).task.value
    }

    /// All that was said is what the scenario asks for, in its order, in time, and names what it must.
    func expectOnlyWhatIsSo() {
        let said = said.filter { $0.announcement.state != .log }
        #expect(said.map(\.announcement.brief) == scenario.says.map(\.line), "\(story)")
        for (one, expected) in zip(said, scenario.says) where one.announcement.brief == expected.line {
            let since = one.at - expected.after.seconds
            #expect(since >= 0 && since <= expected.within, "\(expected.line) came after \(since) s")
            for name in expected.names { #expect(one.announcement.summary.contains(name)) }
        }
    }

    /// What happened and what was said of it, in order.
    var story: String {
        var lines = ["## \(scenario.name)", ""]
        var told = said[...]
        func take(before time: Double) {
            while let line = told.first, line.at < time {
                lines.append(alertLine(line.announcement, identity: HostRun.identity, journal: false))
                told.removeFirst()
            }
        }
        for event in scenario.happens {
            take(before: event.at.seconds)
            lines.append("# \(rfc3339(Moment.at(event.at.seconds).wall)) \(event.words)")
        }
        take(before: .infinity)
        return lines.joined(separator: "\n") + "\n"
    }
}
