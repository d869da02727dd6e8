// SPDX-License-Identifier: GPL-3.0-or-later

/// `line` as lines of at most `width` columns, broken at blanks, those after the first `indent` columns in. A word that is
/// longer stays whole. ASCII.
func foldedLine(_ line: String, width: Int, indent: Int) -> [String] {
    var lines: [String] = []
    var rest = Substring(line)
    var margin = ""
    while margin.utf8.count + rest.utf8.count > width {
        let room = max(1, width - margin.utf8.count)
        // The first line's own margin is no place to break it.
        let start = rest.firstIndex { $0 != " " } ?? rest.endIndex
        let reach = rest.utf8.index(rest.startIndex, offsetBy: min(room, rest.utf8.count))
        let words = rest[start...]
        let fitting = words.indices.last { $0 <= reach && words[$0] == " " }
        guard let end = fitting ?? words.firstIndex(of: " ") else { break }
        lines.append(margin + rest[..<end])
        rest = rest[end...].drop { $0 == " " }
        margin = String(repeating: " ", count: indent)
    }
    return lines + (rest.isEmpty ? [] : [margin + rest])
}
