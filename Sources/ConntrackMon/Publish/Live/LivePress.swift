// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

// What keys do. They follow below, atop and less.

extension LiveView {
    /// Takes a key; what of it others must do.
    package mutating func press(_ key: LiveKey) -> [LiveEffect] {
        state.message = nil
        if state.prompt != nil {
            type(key)
            return []
        }
        if state.isHelp, key != .character("q"), key != .character("Q") {
            state.isHelp = false
            return []
        }
        switch key {
        case .character("q"): return [.quit(leavesScreen: false)]
        case .character("Q"): return [.quit(leavesScreen: true)]
        case .character(let character): press(character)
        case .tab: turn(by: 1)
        case .backTab: turn(by: -1)
        case .escape: leaveSomething()
        case .enter: zoom()
        case .up: move(by: -1)
        case .down: move(by: 1)
        case .pageUp: move(by: -pageRows)
        case .pageDown: move(by: pageRows)
        case .home: move(by: -1_000_000)
        case .end: move(by: 1_000_000)
        case .left: step(by: -1)
        case .right: step(by: 1)
        case .backspace: break
        }
        return []
    }

    private mutating func press(_ character: Character) {
        switch character {
        case " ": if state.at == nil { freeze() } else { unfreeze() }
        case "t": step(by: -1)
        case "T": step(by: 1)
        case "j": state.prompt = LiveState.Prompt(kind: .jump)
        case "g": look(at: history.numbers.first ?? 0)
        case "G": unfreeze()
        case "/": state.prompt = LiveState.Prompt(kind: .filter, text: state.filter)
        case "s": sort()
        case "p": state.isHiding.toggle()
        case "?", "h": state.isHelp = true
        case "1"..."6":
            if let number = character.wholeNumberValue { show(LiveState.Screen(rawValue: number - 1)) }
        default: break
        }
    }

    private mutating func show(_ screen: LiveState.Screen?) {
        guard let screen else { return }
        state.screen = screen
        state.isZoomed = false
    }

    private mutating func turn(by step: Int) {
        let count = LiveState.Screen.allCases.count
        show(LiveState.Screen(rawValue: (state.screen.rawValue + step + count) % count))
    }

    /// The nearest thing to get out of.
    private mutating func leaveSomething() {
        if state.isZoomed {
            state.isZoomed = false
        } else if !state.filter.isEmpty {
            state.filter = ""
        } else {
            unfreeze()
        }
    }

    private mutating func step(by count: Int) {
        guard let viewed else { return }
        look(at: viewed + count)
    }

    private mutating func sort() {
        let orders = state.screen.orders
        guard !orders.isEmpty else {
            state.message = "this screen has one order only"
            return
        }
        state.orders[state.screen] = (state.order + 1) % orders.count
        state.message = "order: \(orders[state.order])"
    }

    private mutating func move(by step: Int) {
        let count = page().shown(filter: state.filter).count
        guard state.screen != .overview, count > 0 else { return }
        let start = state.selected[state.screen] ?? (state.screen == .log ? count - 1 : 0)
        let selected = min(max(min(start, count - 1) + step, 0), count - 1)
        // At the log's end it goes on with what is said next.
        state.selected[state.screen] = state.screen == .log && selected == count - 1 ? nil : selected
    }

    private mutating func zoom() {
        switch state.screen {
        case .overview: state.span = (state.span + 1) % LivePlot.spans.count
        case .log: jumpToSelected()
        default: state.isZoomed.toggle()
        }
    }

    private mutating func jumpToSelected() {
        let rows = page().shown(filter: state.filter)
        let selected = state.selected[.log] ?? rows.count - 1
        guard rows.indices.contains(selected), let point = rows[selected].point else { return }
        guard let first = history.numbers.first, point >= first else {
            state.message = "what is kept begins later: an hour is"
            return
        }
        look(at: point)
        show(.overview)
    }

    // MARK: What is typed

    private mutating func type(_ key: LiveKey) {
        switch key {
        case .character(let character):
            if (state.prompt?.text.utf8.count ?? 0) < 64 { state.prompt?.text.append(character) }
        case .backspace:
            if state.prompt?.text.isEmpty == true { state.prompt = nil } else { state.prompt?.text.removeLast() }
        case .escape: state.prompt = nil
        case .enter: accept()
        default: break
        }
    }

    private mutating func accept() {
        guard let prompt = state.prompt else { return }
        state.prompt = nil
        switch prompt.kind {
        case .filter:
            state.filter = prompt.text
            state.selected[state.screen] = nil
        case .jump:
            guard !prompt.text.isEmpty else { return }
            jump(prompt.text)
        }
    }

    private mutating func jump(_ text: String) {
        guard let viewed, let from = history[viewed]?.moment.wall, let now = history.last?.moment.wall else { return }
        guard let time = jumpTarget(text, from: from, now: now), let number = history.number(at: time) else {
            state.message = "'\(text)' is no time: 10m (back), +10m (forth), 05:47 or 05:47:02 (UTC)"
            return
        }
        look(at: number)
        if let first = history.numbers.first, let begin = history[first]?.moment.wall,
            time.nanoseconds < begin.nanoseconds
        {
            state.message = "what is kept begins at \(clockTime(begin))"
        }
    }
}

/// "05:47:02Z".
func clockTime(_ time: WallTime) -> String {
    let text = rfc3339(time)
    return text.drop { $0 != "T" }.dropFirst().prefix { $0 != "." } + "Z"
}

/// "2026-11-24 05:47:02Z".
func dayTime(_ time: WallTime) -> String {
    rfc3339(time).prefix { $0 != "." }.map { $0 == "T" ? " " : "\($0)" }.joined() + "Z"
}
