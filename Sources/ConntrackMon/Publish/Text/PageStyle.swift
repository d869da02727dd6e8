// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// How `status` is set for whoever reads it.
public struct PageStyle: Equatable, Sendable {
    /// Of the terminal, whose lines are not broken in words; nil = there is none, and no line is broken.
    public var width: Int?
    /// Whether levels and bars may have a colour. What it says, the words say as well.
    public var hasColour: Bool
    /// All that is known, and not what a person needs first.
    public var isWhole: Bool

    /// For a pipe or a file, unless it is said otherwise.
    public init(width: Int? = nil, hasColour: Bool = false, isWhole: Bool = false) {
        self.width = width
        self.hasColour = hasColour
        self.isWhole = isWhole
    }

    /// `text` in the colour of a level: "critical", "warning"; nil = all is well.
    func marked(_ text: String, as level: String?) -> String {
        guard hasColour else { return text }
        let colour =
            switch level {
            case "critical": "1;31"
            case "warning": "1;33"
            case nil: "32"
            default: "1"
            }
        return "\u{1B}[\(colour)m\(text)\u{1B}[0m"
    }

    /// Usage as a bar with marks where it warns and is critical: "[#####-------:--!]". Nothing without a terminal.
    func bar(_ usage: Double, warn: Double?, crit: Double?) -> String? {
        guard let width else { return nil }
        let cells = max(10, min(60, width - PageStyle.margin - 2))
        let full = usage > 0 ? max(1, Int((min(usage, 1) * Double(cells)).rounded(.down))) : 0
        let marks = [(warn, ":"), (crit, "!")].compactMap { share, mark in
            share.map { (Int((min(max($0, 0), 1) * Double(cells)).rounded(.down)), mark) }
        }
        let text = (0..<cells).map { cell in
            cell < full ? "#" : marks.last { $0.0 == cell }?.1 ?? "-"
        }.joined()
        let isCritical = crit.map { usage >= $0 } ?? false
        let isHigh = warn.map { usage >= $0 } ?? false
        return "[" + marked(text, as: isCritical ? "critical" : isHigh ? "warning" : nil) + "]"
    }

    /// How far in the values of a page's rows begin.
    static let margin = 14
}
