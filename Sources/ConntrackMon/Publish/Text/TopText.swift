// SPDX-License-Identifier: GPL-3.0-or-later

extension TopReport {
    /// For people: what was seen, what is doubtful about it, the largest groups, and what is left.
    public func text() -> String {
        var lines = [seenText]
        if isInterrupted { lines.append(TopReport.interruptedText) }
        if truncated > 0 { lines.append("\(truncated) entries could not be decoded: they are not counted") }
        guard !rows.isEmpty else { return lines.joined(separator: "\n") }
        lines += table
        let rest = groups - rows.count
        if rest > 0 {
            let left = entries - rows.reduce(0) { $0 + UInt64($1.entries) }
            lines.append("\(rest) more with \(left) \(left == 1 ? "entry" : "entries") (\(percent(share(of: left))))")
        }
        return lines.joined(separator: "\n")
    }

    private static let interruptedText =
        "the table's hash was resized meanwhile: some entries may be missing or counted twice"

    /// "200000 of 262144 entries (76.3%), dumped in 0.45s".
    private var seenText: String {
        let count =
            switch limit {
            case nil: "\(entries) entries"
            case 0: "\(entries) entries, no limit"
            case let limit?: "\(entries) of \(limit) entries (\(percent(Double(entries) / Double(limit))))"
            }
        return "\(count), dumped in \(fixed(seconds, 2))s"
    }

    func share(of count: UInt64) -> Double {
        entries == 0 ? 0 : Double(count) / Double(entries)
    }

    /// Numbers to the right, keys to the left.
    private var table: [String] {
        let numbers = [["entries", "share", "unreplied", "assured"]] + rows.map(numbers)
        let keys =
            [grouping.fields.map(\.rawValue)]
            + rows.map { row in
                grouping.fields.map { grouping.word($0, of: row.key) }
            }
        let numberWidths = TopReport.widths(numbers)
        let keyWidths = TopReport.widths(keys)
        return zip(numbers, keys).map { numbers, keys in
            let right = zip(numbers, numberWidths).map { TopReport.blanks($1 - $0.utf8.count) + $0 }
            // The last column is not filled up.
            let left = zip(keys, keyWidths.dropLast() + [0]).map { $0 + TopReport.blanks($1 - $0.utf8.count) }
            return (right + left).joined(separator: "  ")
        }
    }

    private func numbers(_ row: TopRow) -> [String] {
        let count = Double(row.entries)
        return [
            "\(row.entries)", percent(share(of: UInt64(row.entries))), percent(Double(row.unreplied) / count),
            percent(Double(row.assured) / count),
        ]
    }

    private static func widths(_ rows: [[String]]) -> [Int] {
        var widths = [Int](repeating: 0, count: rows.first?.count ?? 0)
        for row in rows {
            for column in widths.indices { widths[column] = max(widths[column], row[column].utf8.count) }
        }
        return widths
    }

    private static func blanks(_ count: Int) -> String {
        String(repeating: " ", count: max(0, count))
    }
}
