// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// A screen that is a list: what stands above it, its rows, and what is said where there are none.
struct LivePage {
    /// A row that can be selected.
    struct Row {
        var line: LiveLine
        /// More about it, for Enter.
        var more: [String] = []
        /// The number of the point that it belongs to.
        var point: Int?

        init(_ line: LiveLine, more: [String] = [], point: Int? = nil) {
            self.line = line
            self.more = more
            self.point = point
        }
    }

    /// Above the rows, always shown.
    var head: [LiveLine] = []
    var rows: [Row] = []
    /// Instead of rows.
    var empty: [String] = []
    /// Without a choice the last row is the selected one.
    var followsEnd = false
    /// More of the selected row is shown, whether or not it is asked for.
    var alwaysShowsMore = false

    /// The rows that contain `filter`.
    func shown(filter: String) -> [Row] {
        guard !filter.isEmpty else { return rows }
        let wanted = filter.lowercased()
        return rows.filter { $0.line.plain.lowercased().contains(wanted) }
    }
}

extension LiveView {
    /// The list of the screen that is shown; empty for the overview.
    func page() -> LivePage {
        switch state.screen {
        case .overview: LivePage()
        case .who: whoPage()
        case .natPorts: natPage()
        case .kernel: kernelPage()
        case .settings: settingsPage()
        case .log: logPage()
        }
    }

    /// Lists that are of another moment than the one that is looked at say so.
    var ofWhen: [LiveLine] {
        guard isPast, let report else { return [] }
        return [
            LiveLine("as of \(clockTime(report.sample.moment.wall)): of earlier moments screens 1 and 6 tell", .warning)
        ]
    }

    /// Draws it into the rows `top..<bottom`.
    func draw(_ page: LivePage, _ frame: inout Frame, top: Int, bottom: Int) {
        var row = top
        let width = frame.size.columns
        for line in ofWhen + page.head where row < bottom {
            frame.put(visible(line), row)
            row += 1
        }
        let rows = page.shown(filter: state.filter)
        guard !rows.isEmpty else {
            let why = page.rows.isEmpty ? page.empty : ["no row contains '\(state.filter)' (Esc: all rows)"]
            for text in why {
                for line in foldedLine(text, width: width, indent: 2) where row < bottom {
                    frame.put(visible(LiveLine(line)), row)
                    row += 1
                }
            }
            return
        }
        let chosen = min(state.selected[state.screen] ?? (page.followsEnd ? rows.count - 1 : 0), rows.count - 1)
        let more = moreLines(rows[chosen], page, width: width, room: (bottom - row) / 2)
        let room = max(1, bottom - row - more.count)
        let first =
            page.followsEnd && chosen == rows.count - 1
            ? max(0, rows.count - room) : min(max(0, chosen - room / 2), max(0, rows.count - room))
        for index in first..<min(rows.count, first + room) where row < bottom {
            frame.put(visible(rows[index].line), row, isSelected: index == chosen)
            row += 1
        }
        for (index, line) in more.enumerated() { frame.put(visible(line), bottom - more.count + index) }
    }

    private func moreLines(_ row: LivePage.Row, _ page: LivePage, width: Int, room: Int) -> [LiveLine] {
        guard state.isZoomed || page.alwaysShowsMore, !row.more.isEmpty, room > 1 else { return [] }
        let folded = row.more.flatMap { foldedLine($0, width: width, indent: 2) }
        return [LiveLine(rule(width), .dim)] + folded.prefix(room - 1).map { LiveLine($0) }
    }

    /// With addresses hidden if that is wanted.
    func visible(_ line: LiveLine) -> LiveLine { state.isHiding ? line.hidden : line }

    private func rule(_ width: Int) -> String {
        String(repeating: capabilities.isUTF8 ? "\u{2500}" : "-", count: width)
    }
}
