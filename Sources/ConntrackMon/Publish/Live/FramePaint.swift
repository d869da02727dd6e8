// SPDX-License-Identifier: GPL-3.0-or-later

/// What a terminal is sent. Escape sequences that every terminal of the last decades and the kernel's console know
/// (ECMA-48, and xterm's alternate screen, which others pass over).
enum TerminalText {
    /// Alternate screen, no cursor, no wrapping at the right edge, blank.
    static let enter = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[?7l\u{1b}[0m\u{1b}[2J"
    /// Back, with what was there before; where there is no alternate screen, below everything.
    static let leave = "\u{1b}[0m\u{1b}[999;1H\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l"
}

extension Frame {
    /// What turns a terminal that shows `old` into one that shows this; nil = nothing is known of what it shows. Rows that
    /// are the same are left alone.
    func paint(over old: Frame?, colour: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        let isKnown = old?.size == size
        if !isKnown { bytes += Array("\u{1b}[0m\u{1b}[2J".utf8) }
        let blank = Frame(size, isUTF8: false)
        for row in 0..<size.rows {
            let before = isKnown ? (old ?? blank).row(row) : blank.row(row)
            if self.row(row).elementsEqual(before) { continue }
            bytes += Array("\u{1b}[\(row + 1);1H".utf8)
            paint(row, colour: colour, into: &bytes)
        }
        return bytes
    }

    /// As lines for a terminal that scrolls.
    func printed(colour: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        for row in 0..<size.rows {
            paint(row, colour: colour, into: &bytes)
            bytes += Array("\r\n".utf8)
        }
        return bytes
    }

    private func paint(_ row: Int, colour: Bool, into bytes: inout [UInt8]) {
        let cells = self.row(row)
        // Blanks to the end of the line are one sequence.
        let end = cells.lastIndex { $0 != Cell() }.map { $0 + 1 } ?? cells.startIndex
        var style = CellStyle.plain
        for cell in cells[..<end] {
            if cell.style != style {
                style = cell.style
                bytes += style.sequence(colour: colour)
            }
            if cell.scalar.isASCII {
                bytes.append(UInt8(truncatingIfNeeded: cell.scalar.value))
            } else {
                bytes += Array(String(Character(cell.scalar)).utf8)
            }
        }
        if style != .plain { bytes += CellStyle.plain.sequence(colour: colour) }
        if end < cells.endIndex { bytes += Array("\u{1b}[K".utf8) }
    }
}

extension CellStyle {
    /// SGR, from nothing.
    fileprivate func sequence(colour: Bool) -> [UInt8] {
        var text = "\u{1b}[0"
        if isBold { text += ";1" }
        if isDim { text += ";2" }
        if isReverse { text += ";7" }
        if colour, self.colour != .standard { text += ";\(self.colour.rawValue)" }
        return Array((text + "m").utf8)
    }
}
