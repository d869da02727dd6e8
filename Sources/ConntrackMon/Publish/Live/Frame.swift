// SPDX-License-Identifier: GPL-3.0-or-later

/// How a cell looks: one of the terminal's own colours, so that it can be read on a light and on a dark background. What a
/// colour says a word says as well.
package struct CellStyle: Equatable, Sendable {
    /// SGR 31 to 36; `standard` is the terminal's own.
    package enum Colour: UInt8, Sendable {
        case standard = 39
        case red = 31
        case green = 32
        case yellow = 33
        case blue = 34
        case magenta = 35
        case cyan = 36
    }

    /// The colour of the character, or of its background when it is reversed.
    package var colour = Colour.standard
    /// Bright or heavy.
    package var isBold = false
    /// Less important.
    package var isDim = false
    /// Foreground and background change places.
    package var isReverse = false

    static let plain = CellStyle()
    static let bold = CellStyle(isBold: true)
    static let dim = CellStyle(isDim: true)
    static let reverse = CellStyle(isReverse: true)
    static let good = CellStyle(colour: .green)
    static let warning = CellStyle(colour: .yellow, isBold: true)
    static let critical = CellStyle(colour: .red, isBold: true, isReverse: true)
    static let plot = CellStyle(colour: .cyan)

    /// As golden files mark it.
    var mark: Character {
        switch (colour, isReverse, isBold, isDim) {
        case (.standard, false, false, false): " "
        case (.standard, true, _, _): "R"
        case (.standard, false, true, _): "B"
        case (.standard, false, false, true): "d"
        case (.red, _, _, _): "!"
        case (.yellow, _, _, _): "w"
        case (.green, _, _, _): "g"
        case (.cyan, _, _, _): "c"
        case (.blue, _, _, _): "b"
        case (.magenta, _, _, _): "m"
        }
    }
}

/// How large a terminal is, in characters.
package struct FrameSize: Equatable, Sendable {
    /// Characters in a row.
    package var columns: Int
    /// Rows.
    package var rows: Int

    /// A size; at least one of each, and no more than any terminal has.
    package init(columns: Int, rows: Int) {
        self.columns = max(1, min(columns, 1000))
        self.rows = max(1, min(rows, 500))
    }
}

/// A screen of cells, one character wide each.
package struct Frame: Equatable, Sendable {
    /// A character and how it looks.
    package struct Cell: Equatable, Sendable {
        var scalar: Unicode.Scalar = " "
        var style = CellStyle.plain
    }

    /// How large it is.
    package let size: FrameSize
    /// Row by row.
    private(set) var cells: [Cell]
    private let isUTF8: Bool

    /// A blank one. `isUTF8`: false = what is not ASCII is shown as "?".
    package init(_ size: FrameSize, isUTF8: Bool) {
        self.size = size
        self.isUTF8 = isUTF8
        cells = Array(repeating: Cell(), count: size.columns * size.rows)
    }

    /// The cells of a row.
    func row(_ row: Int) -> ArraySlice<Cell> { cells[row * size.columns..<(row + 1) * size.columns] }

    /// Writes `text` from there on as far as there is room; returns the column behind it.
    @discardableResult
    mutating func put(_ text: String, _ row: Int, _ column: Int = 0, _ style: CellStyle = .plain, to end: Int? = nil)
        -> Int
    {
        guard row >= 0, row < size.rows else { return column }
        let last = min(size.columns, end ?? size.columns)
        var place = column
        for scalar in text.unicodeScalars {
            guard place < last else { break }
            if place >= 0 { cells[row * size.columns + place] = Cell(scalar: shown(scalar), style: style) }
            place += 1
        }
        return place
    }

    /// Writes the pieces of a line after each other, over the whole row from `column` on.
    mutating func put(_ line: LiveLine, _ row: Int, _ column: Int = 0, isSelected: Bool = false) {
        guard row >= 0, row < size.rows else { return }
        var place = column
        let end = size.columns
        for piece in line.pieces { place = put(piece.text, row, place, piece.style, to: end) }
        if line.width > end - column, end > 0 {
            put(isUTF8 ? "\u{2026}" : ">", row, end - 1, line.pieces.last?.style ?? .plain)
        }
        if isSelected { fill(row, with: .reverse) }
    }

    /// Gives all of a row the same look.
    mutating func fill(_ row: Int, with style: CellStyle) {
        guard row >= 0, row < size.rows else { return }
        for index in row * size.columns..<(row + 1) * size.columns { cells[index].style = style }
    }

    /// What a terminal may be sent: neither a control character nor one that takes no cell or two.
    private func shown(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar.value {
        case 0x20...0x7e: scalar
        case 0xa0...0x24f, 0x2026, 0x2190...0x2193, 0x2500...0x259f: isUTF8 ? scalar : "?"
        default: "?"
        }
    }

    /// As text, each row followed by one with the marks of its styles where it has any.
    var text: String {
        var lines: [String] = []
        for row in 0..<size.rows {
            var scalars = String.UnicodeScalarView()
            var marks = ""
            for cell in self.row(row) {
                scalars.append(cell.scalar)
                marks.append(cell.style.mark)
            }
            lines.append("|" + String(scalars) + "|")
            if marks.contains(where: { $0 != " " }) { lines.append(" " + marks) }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

/// A line of pieces that look different.
package struct LiveLine: Equatable, Sendable {
    struct Piece: Equatable, Sendable {
        var text: String
        var style: CellStyle
    }

    private(set) var pieces: [Piece]

    /// One piece.
    init(_ text: String = "", _ style: CellStyle = .plain) {
        pieces = text.isEmpty ? [] : [Piece(text: text, style: style)]
    }

    /// Adds a piece.
    mutating func add(_ text: String, _ style: CellStyle = .plain) {
        pieces.append(Piece(text: text, style: style))
    }

    /// How many cells it takes.
    var width: Int { pieces.reduce(0) { $0 + $1.text.unicodeScalars.count } }

    /// Without the looks.
    var plain: String { pieces.map(\.text).joined() }

    /// With all addresses hidden.
    var hidden: LiveLine {
        var line = self
        for index in line.pieces.indices { line.pieces[index].text = hidingAddresses(line.pieces[index].text) }
        return line
    }
}
