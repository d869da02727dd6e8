// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Cells under each other in columns, as wide as the widest of each. Cells are ASCII.
struct TextTable {
    /// How a column's cells are filled up.
    enum Column {
        /// Words: blanks follow, up to the widest cell or `atLeast`.
        case left(atLeast: Int = 0)
        /// Numbers: blanks precede.
        case right
    }

    private let columns: [Column]
    private let gap: Int
    private var rows: [[String]] = []

    /// A table with `gap` blanks between its columns.
    init(_ columns: [Column], gap: Int = 2) {
        self.columns = columns
        self.gap = gap
    }

    /// Adds a row: a cell for each column.
    mutating func add(_ cells: [String]) {
        rows.append(cells)
    }

    /// The rows as lines, `indent` blanks before each. No line ends with what fills up a cell.
    func lines(indent: Int = 0) -> [String] {
        let widths = widths()
        return rows.map { cells in
            var line = TextTable.blanks(indent)
            for (index, cell) in cells.enumerated() {
                if index > 0 { line += TextTable.blanks(gap) }
                let fill = TextTable.blanks(widths[index] - cell.utf8.count)
                switch columns[index] {
                case .right: line += fill + cell
                case .left: line += index == cells.count - 1 ? cell : cell + fill
                }
            }
            return line
        }
    }

    private func widths() -> [Int] {
        var widths = columns.map { column in
            switch column {
            case .left(let atLeast): atLeast
            case .right: 0
            }
        }
        for row in rows {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], cell.utf8.count) }
        }
        return widths
    }

    private static func blanks(_ count: Int) -> String {
        String(repeating: " ", count: max(0, count))
    }
}
