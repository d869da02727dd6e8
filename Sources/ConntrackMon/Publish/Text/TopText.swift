// SPDX-License-Identifier: GPL-3.0-or-later

public import ConntrackModel

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
        if let filter {
            return "\(entries) of \(filter.dumped) entries dumped are \(filter.text), in \(fixed(seconds, 2))s"
        }
        let count =
            switch limit {
            case nil: "\(entries) entries"
            case 0: "\(entries) entries, no limit"
            case let limit?: "\(entries) of \(limit) entries (\(percent(Double(entries) / Double(limit))))"
            }
        return "\(count), dumped in \(fixed(seconds, 2))s"
    }

    /// Numbers to the right, keys to the left.
    private var table: [String] {
        let numbers = ["entries", "share", "unreplied", "assured"]
        var table = TextTable(
            numbers.map { _ in .right } + grouping.fields.map { _ in .left() })
        table.add(numbers + grouping.fields.map(\.rawValue))
        for row in rows {
            table.add(self.numbers(row) + grouping.fields.map { grouping.word($0, of: row.key) })
        }
        return table.lines()
    }

    private func numbers(_ row: TopRow) -> [String] {
        let count = Double(row.entries)
        return [
            "\(row.entries)", percent(share(of: UInt64(row.entries))), percent(Double(row.unreplied) / count),
            percent(Double(row.assured) / count),
        ]
    }
}
