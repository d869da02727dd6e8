// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import Benchmarks

struct PlanTests {
    @Test func `without wishes every part but the sweep is run, in 15 rounds, and written down`() throws {
        let plan = try Plan([:])
        #expect(plan.parts == Part.allCases.filter { $0 != .sweep })
        #expect(plan.rounds == 15)
        #expect(plan.writes)
        #expect(plan.isWhole)
    }

    @Test func `few rounds write nothing`() throws {
        let plan = try Plan(["ROUNDS": "3"])
        #expect(plan.rounds == 3)
        #expect(!plan.writes)
    }

    @Test func `one part alone leaves the table of the numbers as it is`() throws {
        let plan = try Plan(["ONLY": "harm,sweep", "EVENTS": "50000000"])
        #expect(plan.parts == [.harm, .sweep])
        #expect(plan.events == 50_000_000)
        #expect(!plan.isWhole)
    }

    @Test(arguments: [["ONLY": "speed"], ["ROUNDS": "0"], ["ROUNDS": "many"], ["EVENTS": "-1"]])
    func `a wish that makes no sense is refused in one line that names it`(variables: [String: String]) throws {
        let misuse = try #require(throws: Misuse.self) { try Plan(variables) }
        #expect(variables.keys.allSatisfy { misuse.description.hasPrefix($0 + ": ") })
        #expect(!misuse.description.contains("\n"))
    }

    @Test func `every row of the table is filled by one part`() {
        #expect(
            Part.allCases.flatMap(\.goals).sorted { $0.rawValue < $1.rawValue }
                == Goal.allCases.sorted { $0.rawValue < $1.rawValue })
    }

    @Test func `what the floors print is read by name`() throws {
        let fields = Fields("ready\nreceived=600000 bytes=1 sum=6b\n")
        #expect(try fields["received"] == 600_000)
        #expect(throws: (any Error).self) { try fields["sent"] }
    }
}
