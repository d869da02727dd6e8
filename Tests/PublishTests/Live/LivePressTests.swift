// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackModel
@testable import ConntrackPublish

/// What keys do, and what terminals send for them.
@Suite struct LivePressTests {
    private func view(seconds: Int = 100) -> LiveView {
        var view = LiveView(identity: Reports.identity)
        for second in 1...seconds {
            var report = Report(identity: Reports.identity, sample: .at(Double(second), entries: UInt64(second)))
            report.sample.talkers = Reports.talkers
            view.take(report)
        }
        return view
    }

    private func press(_ view: inout LiveView, _ text: String) {
        for character in text { _ = view.press(character == "\n" ? .enter : .character(character)) }
    }

    @Test func `q quits, Q leaves the screen`() {
        var view = view()
        #expect(view.press(.character("q")) == [.quit(leavesScreen: false)])
        #expect(view.press(.character("Q")) == [.quit(leavesScreen: true)])
        #expect(view.press(.character("x")).isEmpty)
    }

    @Test func `frozen, measuring goes on and what is shown stays`() {
        var view = view()
        press(&view, " ")
        view.take(Report(identity: Reports.identity, sample: .at(101, entries: 4711)))
        #expect(view.report?.sample.table.entries == 100)
        #expect(view.history.last?.entries == 4711)
        press(&view, " ")
        #expect(view.report?.sample.table.entries == 4711)
    }

    @Test(arguments: [
        ("t", 98), ("tt", 97), ("ttT", 98), ("g", 0), ("j10\n", 89), ("j1m\n", 39), ("j1m\nj+30s\n", 69), ("j2h\n", 0),
        ("tG", 99), ("j05:47:42\n", 39),
    ])
    func `time is stepped through and jumped in`(_ keys: String, _ point: Int) {
        var view = view()
        press(&view, keys)
        #expect(view.viewed == point)
        #expect((view.state.at == nil) == (keys.hasSuffix("G")))
    }

    @Test(arguments: ["x", "25:00", "10:61", "1d", "-", "m", "99999999999999999999"])
    func `what is no time is said`(_ text: String) {
        var view = view()
        press(&view, "j\(text)\n")
        #expect(view.state.at == nil)
        #expect(view.state.message?.contains("is no time") == true)
    }

    @Test func `a filter keeps rows that contain it, whatever case it has`() {
        var view = view()
        press(&view, "2/ICMP\n")
        #expect(view.page().shown(filter: view.state.filter).map(\.line.plain).count == 1)
        _ = view.press(.escape)
        #expect(view.page().shown(filter: view.state.filter).count > 3)
    }

    @Test func `Enter in the log goes to that moment`() {
        var view = LiveView(identity: Reports.identity)
        for second in 1...50 {
            if second == 20 {
                view.take(
                    Announcement(
                        time: Moment.at(20).wall, name: "usage_high", state: .firing, level: .warning, summary: "x"))
            }
            view.take(Report(identity: Reports.identity, sample: .at(Double(second), entries: UInt64(second))))
        }
        press(&view, "6\n")
        #expect(view.viewed.flatMap { view.history[$0]?.entries } == 20)
        #expect(view.state.screen == .overview)
        #expect(view.history[19]?.marks == [.alert])
        #expect(view.history.firing(at: 18).isEmpty)
        #expect(view.history.firing(at: 19).count == 1)
    }

    @Test func `an hour is kept and no more`() {
        var view = view(seconds: 4000)
        #expect(view.history.numbers == 400..<4000)
        #expect(view.history[399] == nil)
        #expect(view.history[400]?.entries == 401)
        press(&view, "g")
        #expect(view.viewed == 400)
        view.take(Report(identity: Reports.identity, sample: .at(4001, entries: 1)))
        #expect(view.viewed == 401)
    }

    @Test func `short intervals share a point of a second`() {
        var view = LiveView(identity: Reports.identity)
        for tenth in 1...100 {
            var report = Report(
                identity: Reports.identity, sample: .at(Double(tenth) / 10, entries: tenth == 55 ? 900 : UInt64(tenth)))
            report.interval = .milliseconds(100)
            view.take(report)
        }
        #expect((9...11).contains(view.history.total))
        #expect(view.history.numbers.compactMap { view.history[$0]?.high }.max() == 900)
    }

    // MARK: What terminals send

    @Test(arguments: [
        ("q", [LiveKey.character("q")]), ("\u{1b}[A\u{1b}OB", [.up, .down]),
        ("\u{1b}[5~\u{1b}[6;5~", [.pageUp, .pageDown]),
        ("\r\n\t\u{7f}", [.enter, .enter, .tab, .backspace]), ("\u{1b}[Z\u{1b}[1~", [.backTab, .home]),
        ("\u{1b}x", [.escape, .character("x")]), ("\u{1b}[200~\u{1}\u{e9}", []),
    ])
    func `keys are taken out of what comes, however it is cut`(_ text: String, _ keys: [LiveKey]) {
        let bytes = Array(text.utf8)
        for cut in 0...bytes.count {
            var reader = LiveKeyReader()
            #expect(reader.take(Array(bytes[..<cut])) + reader.take(Array(bytes[cut...])) == keys)
        }
    }

    @Test func `an escape alone is a key once nothing follows`() {
        var reader = LiveKeyReader()
        #expect(reader.take([0x1b]).isEmpty)
        #expect(reader.isWaiting)
        #expect(reader.finish() == [.escape])
        #expect(!reader.isWaiting)
    }

    // MARK: Addresses

    @Test(arguments: [
        ("203.0.113.9 made 83%", "x.x.x.x made 83%"), ("to 198.51.100.7:443/tcp.", "to x.x.x.x:443/tcp."),
        ("[2001:db8::1]:53, 2001:db8:0:2::/64", "[x::x]:53, x::x/64"),
        ("at 05:47:02Z, 1.5k, added", "at 05:47:02Z, 1.5k, added"),
        ("from 192.0.2.1: 3", "from x.x.x.x: 3"),
    ])
    func `addresses are hidden and nothing else is`(_ text: String, _ hidden: String) {
        #expect(hidingAddresses(text) == hidden)
    }
}
