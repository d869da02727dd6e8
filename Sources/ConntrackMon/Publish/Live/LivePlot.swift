// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Entries over time, with the limit's line, and under it what happened.
struct LivePlot {
    /// How many columns' worth of time Enter goes through: seconds; 0 = all that is kept.
    static let spans = [0, 60, 300, 900]

    private let history: LiveHistory
    /// The point that is looked at, if it is not the present.
    private let viewed: Int?
    private let span: Int
    private let isUTF8: Bool

    init(history: LiveHistory, viewed: Int?, span: Int, isUTF8: Bool) {
        self.history = history
        self.viewed = viewed
        self.span = LivePlot.spans[span]
        self.isUTF8 = isUTF8
    }

    /// What a column shows.
    private struct Column {
        var numbers: Range<Int>
        var high: UInt64?
        var limit: UInt64?
        var marks: LivePoint.Marks = []
    }

    func draw(_ frame: inout Frame, top: Int, bottom: Int) {
        let rows = bottom - top - 2
        let columns = columns(frame.size.columns - 10)
        guard rows >= 2, !columns.isEmpty else { return }
        guard let highest = columns.compactMap(\.high).max() else { return }
        let limits = columns.compactMap(\.limit).filter { $0 > 0 }
        let ceiling = scale(highest, limits)
        for row in 0..<rows {
            let share = Double(rows - row) / Double(rows)
            if row % 4 == 0 {
                let text = shortNumber(share * Double(ceiling))
                frame.put(String(repeating: " ", count: max(0, 8 - text.utf8.count)) + text, top + row, 0, .dim)
            }
            frame.put(isUTF8 ? "\u{2502}" : "|", top + row, 9, .dim)
        }
        for (index, column) in columns.enumerated() {
            drawBar(column, &frame, top: top, rows: rows, at: index + 10, ceiling: ceiling)
            drawMark(column, &frame, row: top + rows, at: index + 10)
        }
        if let lowest = limits.min(), lowest > ceiling {
            frame.put(" limit \(lowest) is above ", top, 11, .dim)
        }
        drawTimes(columns, &frame, row: top + rows + 1)
    }

    /// From the last `span` seconds, or all, as many columns as there are points, each of the same number of them. While
    /// an earlier moment is looked at, it is in the picture.
    private func columns(_ room: Int) -> [Column] {
        guard room > 0, let last = history.numbers.last, let first = history.numbers.first else { return [] }
        let end = viewed ?? last
        var length = last - first + 1
        if span > 0, let point = history[end] {
            let reach = history.numbers.prefix(end - first + 1).reversed().prefix { number in
                guard let earlier = history[number] else { return false }
                return point.moment.monotonic - earlier.moment.monotonic <= .seconds(span)
            }
            length = max(2, reach.count)
        }
        let each = max(1, (length + room - 1) / room)
        // Columns begin at multiples, so that a bar does not change when the next point comes.
        var start = max(first, (span > 0 ? min(end, last) : last) + 1 - each * room)
        start -= start % each
        let stop = span > 0 ? min(last, max(end, start)) : last
        return stride(from: start, through: stop, by: each).suffix(room).map { from in
            var column = Column(numbers: from..<min(from + each, last + 1))
            for number in column.numbers {
                guard let point = history[number] else { continue }
                column.high = [column.high, point.high].compactMap { $0 }.max()
                column.limit = point.limit ?? column.limit
                column.marks.formUnion(point.marks)
            }
            return column
        }
    }

    /// The top of the scale: the limit where the bars would still be seen under it.
    private func scale(_ highest: UInt64, _ limits: [UInt64]) -> UInt64 {
        let near = limits.filter { $0 / 8 <= highest }.max() ?? 0
        let top = max(highest, near, 20)
        return top + top / 20
    }

    private func drawBar(_ column: Column, _ frame: inout Frame, top: Int, rows: Int, at place: Int, ceiling: UInt64) {
        let steps = isUTF8 ? 8 : 2
        func height(_ value: UInt64) -> Int {
            Int((Double(value) / Double(ceiling) * Double(rows * steps)).rounded())
        }
        if let high = column.high {
            let level = high > 0 ? max(1, height(high)) : 0
            for row in 0..<rows {
                let part = min(steps, level - (rows - 1 - row) * steps)
                if part > 0 { frame.put(glyph(part), top + row, place, .plot) }
            }
        }
        if let limit = column.limit, limit > 0, limit <= ceiling {
            let row = rows - 1 - min(rows - 1, (height(limit) - 1) / steps)
            let isOver = (column.high ?? 0) >= limit
            frame.put(
                isUTF8 ? "\u{2550}" : "=", top + row, place, isOver ? .critical : CellStyle(colour: .red, isBold: true))
        }
    }

    /// So many eighths, or halves.
    private func glyph(_ part: Int) -> String {
        guard isUTF8 else { return part == 2 ? "#" : ":" }
        return Unicode.Scalar(UInt32(0x2580 + part)).map { String(Character($0)) } ?? "#"
    }

    private func drawMark(_ column: Column, _ frame: inout Frame, row: Int, at place: Int) {
        if let viewed, column.numbers.contains(viewed) {
            frame.put("^", row, place, CellStyle(isBold: true, isReverse: true))
        } else if column.marks.contains(.reload) {
            frame.put("R", row, place, .critical)
        } else if column.marks.contains(.limitChange) {
            frame.put("L", row, place, .warning)
        } else if column.marks.contains(.alert) {
            frame.put("!", row, place, .warning)
        } else if column.marks.contains(.lost) {
            frame.put("x", row, place, .warning)
        } else {
            frame.put(isUTF8 ? "\u{2500}" : "-", row, place, .dim)
        }
    }

    private func drawTimes(_ columns: [Column], _ frame: inout Frame, row: Int) {
        guard let first = columns.first, let last = columns.last,
            let begin = first.numbers.compactMap({ history[$0] }).first,
            let end = last.numbers.compactMap({ history[$0] }).last
        else { return }
        let after = frame.put(clockTime(begin.moment.wall), row, 10, .dim)
        let text = clockTime(end.moment.wall)
        let place = 10 + columns.count - text.utf8.count
        if place > after { frame.put(text, row, place, .dim) }
        let seen = columns.reduce(into: LivePoint.Marks()) { $0.formUnion($1.marks) }
        let legend = [
            seen.contains(.reload) ? "R reload" : nil, seen.contains(.limitChange) ? "L limit" : nil,
            seen.contains(.alert) ? "! alert" : nil, seen.contains(.lost) ? "x lost" : nil,
        ].compactMap { $0 }.joined(separator: "  ")
        let middle = after + 2
        if middle + legend.utf8.count + 1 < max(place, after + 2) || place <= after {
            frame.put(legend, row, middle, .dim)
        }
    }
}

/// "1.05M", "65.5k", "812".
func shortNumber(_ value: Double) -> String {
    switch value {
    case ..<1000: fixed(value, 0)
    case ..<1e6: fixed(value / 1e3, value < 1e4 ? 2 : value < 1e5 ? 1 : 0) + "k"
    case ..<1e9: fixed(value / 1e6, value < 1e7 ? 2 : value < 1e8 ? 1 : 0) + "M"
    default: fixed(value / 1e9, 2) + "G"
    }
}
