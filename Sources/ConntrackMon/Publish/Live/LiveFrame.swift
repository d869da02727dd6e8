// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

// The frame around every screen: whose host, when, where events come from and what that costs; the tabs; the keys.

extension LiveView {
    /// The least that anything can be shown on.
    static let least = FrameSize(columns: 40, rows: 10)

    /// What is to be shown now.
    package mutating func render(_ size: FrameSize) -> Frame {
        var frame = Frame(size, isUTF8: capabilities.isUTF8)
        guard size.columns >= LiveView.least.columns, size.rows >= LiveView.least.rows else {
            frame.put("too small: \(size.columns)x\(size.rows)", 0)
            frame.put("needs \(LiveView.least.columns)x\(LiveView.least.rows)", 1)
            if size.rows > 2 { frame.put("q quits", 2) }
            return frame
        }
        drawHeader(&frame)
        drawTabs(&frame, row: 2)
        let bottom = size.rows - 1
        pageRows = max(1, bottom - 6)
        if state.isHelp {
            drawHelp(&frame, top: 3, bottom: bottom)
        } else if state.screen == .overview {
            drawOverview(&frame, top: 3, bottom: bottom)
        } else {
            draw(page(), &frame, top: 3, bottom: bottom)
        }
        drawFooter(&frame, row: bottom)
        return frame
    }

    // MARK: Header

    private func drawHeader(_ frame: inout Frame) {
        let width = frame.size.columns
        frame.fill(0, with: .reverse)
        let mode = modeText
        let end = width - mode.utf8.count - 1
        let time = viewed.flatMap { history[$0] }.map { dayTime($0.moment.wall) }
        let whole = [identity.host, "netns \(identity.netns)", time].compactMap { $0 }.joined(separator: "  ")
        let brief = [time.map { String($0.suffix(9)) }, identity.host].compactMap { $0 }.joined(separator: " ")
        let text = whole.unicodeScalars.count + 2 <= end ? whole : brief
        frame.put(text, 0, 1, .reverse, to: end - 1)
        frame.put(mode, 0, max(0, end), state.at == nil ? .reverse : CellStyle(isBold: true, isReverse: true))
        frame.put(sourceLine, 1)
    }

    private var modeText: String {
        guard state.at != nil else { return history.last == nil ? "WAITING" : "LIVE" }
        let back = age.map { $0 > .zero ? ", \(readable(seconds: $0.inSeconds.rounded())) ago" : "" } ?? ""
        return (isPast ? "PAST" : "FROZEN") + back
    }

    /// Where events come from and why, what was lost, what that and the monitor cost.
    private var sourceLine: LiveLine {
        guard let report else { return LiveLine("waiting for the first interval") }
        let sample = report.sample
        var line = LiveLine(report.source == "none" ? "no events" : "events by \(report.source)")
        if let events = sample.events, events.total == 0, report.source != "none", report.eventsReason != nil {
            line = LiveLine("no events come")
        }
        if sample.events != nil {
            let lost = sample.lost.total
            line.add(", lost \(lost)", lost > 0 ? .warning : .plain)
        }
        if let duty = sample.duty, sample.isPartial || duty.ratio < 1 {
            line.add(", listening \(percent(duty.ratio)) of the time")
        }
        if let load = sample.eventLoadMinute { line.add(", listening costs \(percent(load)) of a core") }
        if let cpu = viewed.flatMap({ history[$0]?.cpu }) { line.add(", monitor \(percent(Double(cpu))) of a core") }
        if let why = report.eventsReason { line.add(": \(why)", .warning) }
        return line
    }

    // MARK: Tabs and keys

    private func drawTabs(_ frame: inout Frame, row: Int) {
        let isWide = frame.size.columns >= 72
        var column = 0
        for screen in LiveState.Screen.allCases {
            let style = screen == state.screen ? CellStyle(isBold: true, isReverse: true) : .dim
            let title = isWide ? screen.title : screen.brief
            column = frame.put(
                "\(isWide ? " " : "")\(screen.rawValue + 1) \(title)\(isWide ? " " : "")", row, column, style)
            column += 1
        }
    }

    private func drawFooter(_ frame: inout Frame, row: Int) {
        let width = frame.size.columns
        if let prompt = state.prompt {
            let label = prompt.kind == .filter ? "rows that contain: " : "back by 10m, +10m, or to 05:47:02 (UTC): "
            let shown = label.utf8.count + 12 < width ? label : prompt.kind == .filter ? "/ " : "j "
            let end = frame.put(shown, row, 0, .bold)
            // What was typed last is what must be seen.
            let text = String(prompt.text.suffix(max(1, width - end - 1)))
            frame.put(" ", row, frame.put(text, row, end), .reverse)
            return
        }
        if let message = state.message {
            frame.put(LiveLine(message, .bold), row)
            return
        }
        var column = 0
        if !state.filter.isEmpty {
            column = frame.put("filter '\(state.filter)' (Esc)", row, 0, .warning) + 2
        }
        if state.isHiding { column = frame.put("addresses hidden", row, column, .bold) + 2 }
        for (key, what) in keys where column + key.utf8.count + what.utf8.count + 1 <= width {
            column = frame.put(key, row, column, .bold)
            column = frame.put(" \(what)", row, column) + 2
        }
    }

    /// Those that fit are shown, the most important first.
    private var keys: [(String, String)] {
        let enter: String? =
            switch state.screen {
            case .overview: "span"
            case .log: "go there"
            case .who, .natPorts, .settings, .kernel: "more"
            }
        var keys = [("q", "quit"), ("?", "help"), ("space", state.at == nil ? "freeze" : "live"), ("t/T", "step")]
        if let enter { keys.append(("Enter", enter)) }
        if state.screen != .overview { keys.append(("/", "filter")) }
        if !state.screen.orders.isEmpty { keys.append(("s", "sort")) }
        return keys + [("j", "jump"), ("p", "hide"), ("Tab", "next")]
    }

    // MARK: Help

    private func drawHelp(_ frame: inout Frame, top: Int, bottom: Int) {
        let rows: [(String, String)] = [
            ("q", "quit"), ("Q", "quit and leave the screen as it is"),
            ("space", "freeze and go on; measuring goes on meanwhile"),
            ("t T", "one interval back, forth (also: arrows left, right)"),
            ("j", "jump: 10m back, +10m forth, or to 05:47:02 (UTC)"),
            ("g G", "to the begin of what is kept (an hour), to now"),
            ("1 to 6", "screens; Tab and Shift-Tab turn to the next"),
            ("arrows", "select a row; PgUp, PgDn, Home, End"),
            ("Enter", "more of the row; in the log: to its moment;"), ("", "in the overview: another span of time"),
            ("/", "only rows that contain some text; Esc: all"), ("s", "another order"),
            ("p", "hide IP addresses; host names stay"), ("Ctrl-Z", "to the shell; fg comes back"),
            ("", "under the plot: R module reloaded, L limit changed,"), ("", "! an alert began, x events were lost"),
        ]
        for (index, (key, what)) in rows.enumerated() where top + index < bottom {
            frame.put(key, top + index, 1, .bold)
            frame.put(what, top + index, 9)
        }
    }
}
