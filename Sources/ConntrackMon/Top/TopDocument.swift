// SPDX-License-Identifier: GPL-3.0-or-later

/// What `top --json` says. What is not known, or does not apply to a group, is left out.
struct TopDocument: Codable, Equatable, Sendable {
    /// One group.
    struct Row: Codable, Equatable, Sendable {
        /// What its entries have in common: one member a field, two or three for a port.
        var key: TopKeyDocument
        var entries: UInt32
        /// Of all that the dump gave.
        var share: Double
        var unreplied: UInt32
        var assured: UInt32
    }

    var version: String
    var time: String
    var host: String
    var netns: String
    var by: [String]
    var prefix4: Int
    var prefix6: Int
    var entries: UInt64
    var limit: UInt64?
    var dumpSeconds: Double
    /// The table's hash was resized meanwhile: some entries may be missing or counted twice.
    var interrupted: Bool
    var truncated: UInt64
    /// How many groups there are, shown or not.
    var groups: Int
    var rows: [Row]

    init(_ report: TopReport) {
        version = conntrackMonVersion
        time = rfc3339(report.moment.wall)
        host = report.identity.host
        netns = report.identity.netns
        by = report.grouping.fields.map(\.rawValue)
        prefix4 = report.grouping.prefix4
        prefix6 = report.grouping.prefix6
        entries = report.entries
        limit = report.limit
        dumpSeconds = (report.seconds * 1000).rounded() / 1000
        interrupted = report.isInterrupted
        truncated = report.truncated
        groups = report.groups
        rows = report.rows.map { row in
            Row(
                key: TopKeyDocument(row.key, report.grouping), entries: row.entries,
                share: (report.share(of: UInt64(row.entries)) * 1e6).rounded() / 1e6, unreplied: row.unreplied,
                assured: row.assured)
        }
    }
}

extension TopReport {
    /// One line of JSON, without a line feed.
    public func json() -> String { encodeJSON(TopDocument(self)) }
}
