// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackModel
@testable import ConntrackPublish

/// What the terminal view shows, as text with marks of its looks: "R" reverse, "B" bold, "d" dim, "w" yellow, "!" red.
@Suite struct LiveFrameTests {
    private static let sizes = [(80, 24), (200, 60), (40, 12), (120, 40)]

    private func view(_ story: LiveStory, _ capabilities: LiveView.Capabilities = .init()) -> LiveView {
        let identity = story.name == "no-events" ? Identity(host: "edge", netns: "blue") : Reports.identity
        var view = LiveView(identity: identity, capabilities: capabilities)
        for step in story.steps {
            switch step {
            case .report(let report): view.take(report)
            case .said(let announcement): view.take(announcement)
            }
        }
        return view
    }

    private func frame(_ view: LiveView, _ columns: Int = 80, _ rows: Int = 24) -> Frame {
        var view = view
        return view.render(FrameSize(columns: columns, rows: rows))
    }

    @Test(arguments: LiveStory.all.map(\.name))
    func `the overview of a host fits each size`(_ name: String) throws {
        let story = try #require(LiveStory.all.first { $0.name == name })
        let view = view(story)
        let text = LiveFrameTests.sizes.map { "\($0)x\($1)\n\(frame(view, $0, $1).text)" }.joined(separator: "\n")
        try expectGolden(text, "live/\(name).txt")
    }

    @Test(arguments: LiveStory.all.map(\.name))
    func `every screen says what is known`(_ name: String) throws {
        let story = try #require(LiveStory.all.first { $0.name == name })
        var view = view(story)
        var text = ""
        for key in "23456" {
            _ = view.press(.character(key))
            text += frame(view).text + "\n"
        }
        try expectGolden(text, "live/\(name)-screens.txt")
    }

    @Test func `without UTF-8 nothing but ASCII is shown`() throws {
        var view = view(.reload, LiveView.Capabilities(isUTF8: false, hasColour: false))
        try expectGolden(frame(view).text, "live/ascii.txt")
        for key in "123456" {
            _ = view.press(.character(key))
            let frame = frame(view, 100, 30)
            #expect(frame.text.utf8.allSatisfy { $0 < 0x80 })
            #expect(frame.paint(over: nil, colour: false).allSatisfy { $0 < 0x80 })
        }
    }

    @Test func `help and what is zoomed`() throws {
        var view = view(.filling)
        _ = view.press(.character("?"))
        var text = frame(view).text
        _ = view.press(.escape)
        _ = view.press(.character("2"))
        _ = view.press(.down)
        _ = view.press(.enter)
        text += "\n" + frame(view).text
        _ = view.press(.character("p"))
        text += "\n" + frame(view).text
        try expectGolden(text, "live/help-and-zoom.txt")
    }

    @Test func `the past is that of its time`() throws {
        var view = view(.reload)
        for key in "j1m" { _ = view.press(.character(key)) }
        _ = view.press(.enter)
        let past = frame(view).text
        #expect(past.contains("PAST, 1m00s ago") || past.contains("PAST, 60.0s ago"))
        #expect(past.contains("no alert is known to have fired"))
        #expect(past.contains("1048576"))
        _ = view.press(.character("2"))
        try expectGolden(past + "\n" + frame(view).text, "live/past.txt")
    }

    @Test func `nothing to show is said, and so is too small a terminal`() throws {
        let fresh = LiveView(identity: Reports.identity)
        let text = [(80, 24), (39, 24), (80, 9), (1, 1)].map { frame(fresh, $0, $1).text }.joined(separator: "\n")
        try expectGolden(text, "live/nothing.txt")
    }

    @Test func `absent is not 0`() throws {
        var view = LiveView(identity: Reports.identity)
        view.take(Reports.minimal)
        view.take(Reports.minimal)
        let text = frame(view).text
        #expect(text.contains("nf_conntrack is not loaded"))
        #expect(!text.contains("0/s"))
        #expect(!text.contains("entries "))
        #expect(!text.contains("lost"))
        try expectGolden(text, "live/absent.txt")
    }

    @Test func `every size and key gives a frame`() {
        var random = SplitMix(state: 7)
        let keys: [LiveKey] =
            "qtTjgG123456/sp? m0:x".map { .character($0) } + [
                .enter, .escape, .tab, .backTab, .backspace, .up, .down, .left, .right, .pageUp, .pageDown, .home, .end,
            ]
        for story in LiveStory.all {
            var view = view(story)
            for step in 0..<400 {
                _ = view.press(keys[Int(random.next() % UInt64(keys.count))])
                if step % 5 == 0, case .report(let report)? = story.steps.last { view.take(report) }
                let size = FrameSize(columns: Int(random.next() % 240), rows: Int(random.next() % 70))
                #expect(view.render(size).cells.count == size.columns * size.rows)
            }
        }
    }

    // MARK: Paint

    @Test func `only rows that changed are sent`() throws {
        let view = view(.quiet)
        let first = frame(view)
        #expect(first.paint(over: first, colour: true).isEmpty)
        var second = first
        second.put("here", 7)
        let bytes = String(decoding: second.paint(over: first, colour: true), as: UTF8.self)
        #expect(bytes.hasPrefix("\u{1b}[8;1Hhere"))
        #expect(bytes.count { $0 == "H" } == 1)
        #expect(String(decoding: first.paint(over: nil, colour: true), as: UTF8.self).contains("\u{1b}[2J"))
    }

    @Test func `without colours none is sent, and what they say stays`() {
        let bytes = String(decoding: frame(view(.filling)).paint(over: nil, colour: false), as: UTF8.self)
        #expect(!bytes.contains("\u{1b}[0;1;31") && !bytes.contains(";36m") && !bytes.contains(";33m"))
        #expect(bytes.contains("CRITICAL"))
    }

    @Test func `what a host is called sends nothing to the terminal`() {
        let view = LiveView(identity: Identity(host: "a\u{1b}[31mb\u{7}\u{9b}2J\u{4e2d}", netns: "x"))
        let bytes = frame(view).paint(over: nil, colour: true)
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.contains("a?[31mb??2J?"))
    }
}
