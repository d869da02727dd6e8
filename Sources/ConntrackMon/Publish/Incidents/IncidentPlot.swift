// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Entries against the limit over the looks of an incident, in as many columns as there is room for. A picture of it is
/// made by whoever draws it.
struct IncidentPlot {
    /// What one column shows.
    struct Column: Equatable {
        /// The highest count in it; nil where nothing was known.
        var entries: UInt64?
        /// The lowest limit in it; nil where there was none, or it was unlimited.
        var limit: UInt64?
    }

    /// From the first look to the last.
    let columns: [Column]
    /// What the height stands for: the highest of all, rounded up to two digits.
    let top: UInt64
    /// Milliseconds from the first look to the last.
    let span: Int64

    /// nil where there is nothing to draw.
    init?(_ looks: IncidentDocument.Looks, width: Int) {
        let count = min(looks.milliseconds.count, looks.entries.count, looks.limit.count)
        guard count > 1, width > 0, let last = looks.milliseconds.prefix(count).max(), last > 0 else { return nil }
        var columns = [Column](repeating: Column(), count: width)
        for index in 0..<count {
            // As a share: a file may hold any number.
            let share = Double(looks.milliseconds[index]) / Double(last) * Double(width)
            let place = min(width - 1, Int(min(Double(width), max(0, share))))
            if let entries = looks.entries[index] {
                columns[place].entries = max(entries, columns[place].entries ?? 0)
            }
            if let limit = looks.limit[index], limit > 0 {
                columns[place].limit = min(limit, columns[place].limit ?? limit)
            }
        }
        let highest = columns.flatMap { [$0.entries, $0.limit] }.compactMap { $0 }.max() ?? 0
        guard highest > 0 else { return nil }
        self.columns = IncidentPlot.filled(columns)
        top = IncidentPlot.rounded(highest)
        span = last
    }

    /// A column between two looks goes on with what was seen last.
    private static func filled(_ columns: [Column]) -> [Column] {
        var previous = Column()
        return columns.map { column in
            if column.entries != nil || column.limit != nil { previous = column }
            return previous
        }
    }

    private static func rounded(_ value: UInt64) -> UInt64 {
        var unit: UInt64 = 1
        while value / unit >= 100 { unit *= 10 }
        return (value + unit - 1) / unit * unit
    }

    /// As lines of ASCII, `height` rows: "#" up to the entries, "=" for the limit, a scale on the left, times below.
    func lines(height: Int) -> [String] {
        func row(of value: UInt64) -> Int {
            min(height - 1, Int(Double(value) / Double(top) * Double(height)))
        }
        let scale = grouped(top).count
        var lines: [String] = []
        for row_ in (0..<height).reversed() {
            let label = row_ == height - 1 ? grouped(top) : row_ == 0 ? "0" : ""
            let cells = columns.map { column -> String in
                if let limit = column.limit, row(of: limit) == row_ { return "=" }
                guard let entries = column.entries, entries > 0 else { return " " }
                return row(of: entries) >= row_ ? "#" : " "
            }.joined()
            lines.append(blanks(scale - label.count) + label + " |" + cells)
        }
        let start = "-\(readable(seconds: Double(span) / 1000))"
        let gap = columns.count - start.count - 3
        lines.append(blanks(scale + 2) + start + blanks(gap) + "end")
        return lines
    }

    private func blanks(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }
}
