// SPDX-License-Identifier: GPL-3.0-or-later

public import ConntrackModel

/// What `top --json` says before its rows. What is not known is left out.
private struct TopHeader: Encodable {
    var version: String
    var time: String
    var host: String
    var netns: String
    var by: [String]
    var prefix4: Int
    var prefix6: Int
    var entries: UInt64
    /// Which entries were wanted, and how many there were with the others.
    var filter: String?
    var dumped: UInt64?
    var limit: UInt64?
    var dumpSeconds: Double
    /// The table's hash was resized meanwhile: some entries may be missing or counted twice.
    var interrupted: Bool
    var truncated: UInt64
    /// How many groups there are, shown or not.
    var groups: Int
}

extension TopReport {
    /// One line of JSON, without a line feed.
    public func json() -> String {
        let header = TopHeader(
            version: conntrackMonVersion, time: rfc3339(moment.wall), host: identity.host, netns: identity.netns,
            by: grouping.fields.map(\.rawValue), prefix4: grouping.prefix4, prefix6: grouping.prefix6,
            entries: entries, filter: filter?.text, dumped: filter?.dumped, limit: limit,
            dumpSeconds: (seconds * 1000).rounded() / 1000,
            interrupted: isInterrupted, truncated: truncated, groups: groups)
        var line = JSONLine()
        line.object { line in
            line.members(of: header)
            line.array("rows") { line in
                for row in rows { line.object { write(row, to: &$0) } }
            }
        }
        return line.text()
    }

    private func write(_ row: TopRow, to line: inout JSONLine) {
        line.member("entries", row.entries)
        line.member("share", (share(of: UInt64(row.entries)) * 1e6).rounded() / 1e6)
        line.member("unreplied", row.unreplied)
        line.member("assured", row.assured)
        line.object("key") { line in
            for field in grouping.fields { grouping.write(field, of: row.key, to: &line) }
        }
    }
}

extension TopGrouping {
    /// A field of a key, as members of a JSON object: none where it does not apply, two or three for a port.
    fileprivate func write(_ field: TopField, of key: TopKey, to line: inout JSONLine) {
        switch field {
        case .source: line.member("source", word(field, of: key))
        case .destination: line.member("destination", word(field, of: key))
        case .port: writePort(of: key, to: &line)
        // A port says it too.
        case .protocol: if !fields.contains(.port) { line.member("protocol", key.protocol.name) }
        case .state: line.member("state", word(field, of: key))
        case .zone: line.member("zone", key.zone)
        case .mark: line.member("mark", key.mark)
        case .assured: line.member("assured", key.has(TopTraits.assured))
        case .nat: line.member("nat", word(field, of: key))
        case .natSource: if key.has(TopTraits.hasNATSource) { line.member("nat_source", word(field, of: key)) }
        case .natDestination:
            if key.has(TopTraits.hasNATDestination) { line.member("nat_destination", word(field, of: key)) }
        }
    }

    private func writePort(of key: TopKey, to line: inout JSONLine) {
        line.member("protocol", key.protocol.name)
        switch key.port {
        case .number(let number): line.member("port", number)
        case .icmp(let type, let code):
            line.member("type", type)
            line.member("code", code)
        case .identifier(let number): line.member("id", number)
        case .key(let number): line.member("dstkey", number)
        case .none: break
        }
    }
}
