// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// What the flight recorder keeps, and when it is written.
@Suite struct IncidentTests {
    private func alert(_ level: Level, _ state: Announcement.State = .firing, at time: Double) -> Announcement {
        Announcement(time: Moment.at(time).wall, name: "usage_high", state: state, level: level, summary: "\(time)")
    }

    private func report(at time: Double) -> Report {
        Report(
            identity: Identity(host: "gw12", netns: "root"),
            sample: Sample(moment: .at(time), table: TableLook(moment: .at(time))))
    }

    private func window(_ seconds: Int = 60) -> IncidentWindow {
        IncidentWindow(IncidentTerms(window: .seconds(seconds)), sample: .seconds(1), interval: .seconds(10))
    }

    @Test func `the newest stay, in their order, in memory that does not grow`() {
        var rolling = Rolling<Int>(capacity: 3)
        #expect(rolling.inOrder == [])
        for number in 1...8 { rolling.add(number) }
        #expect(rolling.inOrder == [6, 7, 8])
    }

    @Test func `a critical alert is written five seconds later, with what came until then`() {
        var window = window()
        for second in 0..<100 { window.take(look(at: Double(second))) }
        window.take([alert(.critical, at: 100)], at: Moment.at(100).monotonic)
        #expect(!window.isDue(at: Moment.at(104.9).monotonic))
        window.take(look(at: 104))
        window.take([alert(.warning, .resolved, at: 104)], at: Moment.at(104).monotonic)
        #expect(window.isDue(at: Moment.at(105).monotonic))

        let incident = window.freeze(report(at: 105))
        #expect(incident.cause?.summary == "100.0")
        #expect(incident.looks.first?.wall == Moment.at(45).wall)
        #expect(incident.looks.last?.wall == Moment.at(104).wall)
        #expect(incident.said.count == 2)
        #expect(window.dueAt == nil)
    }

    @Test func `alerts that follow the first are in the same one, and one after it makes another`() {
        var window = window()
        window.take([alert(.critical, at: 10)], at: Moment.at(10).monotonic)
        window.take([alert(.critical, at: 12)], at: Moment.at(12).monotonic)
        #expect(window.dueAt == Moment.at(15).monotonic)
        #expect(window.freeze(report(at: 15)).said.count == 2)
        window.take([alert(.critical, at: 16)], at: Moment.at(16).monotonic)
        #expect(window.dueAt == Moment.at(21).monotonic)
    }

    @Test(arguments: [
        (Level.warning, Announcement.State.firing), (.critical, .repeating), (.critical, .resolved),
    ])
    func `nothing else makes one`(_ level: Level, _ state: Announcement.State) {
        var window = window()
        window.take([alert(level, state, at: 10)], at: Moment.at(10).monotonic)
        #expect(window.dueAt == nil)
    }

    @Test func `asked for, it is written at once and says so`() {
        var window = window()
        window.ask(at: Moment.at(7).monotonic)
        #expect(window.isDue(at: Moment.at(7).monotonic))
        #expect(window.freeze(report(at: 7)).cause == nil)
    }

    private func look(at time: Double) -> TableLook {
        var look = TableLook(moment: .at(time))
        (look.entries, look.limit) = (UInt64(time), 1000)
        return look
    }
}
