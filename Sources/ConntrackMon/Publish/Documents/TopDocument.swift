// SPDX-License-Identifier: GPL-3.0-or-later

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
    var limit: UInt64?
    var dumpSeconds: Double
    /// The table's hash was resized meanwhile: some entries may be missing or counted twice.
    var interrupted: Bool
    var truncated: UInt64
    /// How many groups there are, shown or not.
    var groups: Int
}

extension TopReport {
    /// One line of JSON, without a line feed. Rows are written by hand: there may be a million, for each of which an
    /// encoder would take 9 µs and a kilobyte. They hold numbers and words that need no escape.
    public func json() -> String {
        let header = TopHeader(
            version: conntrackMonVersion, time: rfc3339(moment.wall), host: identity.host, netns: identity.netns,
            by: grouping.fields.map(\.rawValue), prefix4: grouping.prefix4, prefix6: grouping.prefix6,
            entries: entries, limit: limit, dumpSeconds: (seconds * 1000).rounded() / 1000,
            interrupted: isInterrupted, truncated: truncated, groups: groups)
        var text = encodeJSON(header)
        text.removeLast()
        text += ",\"rows\":["
        for index in rows.indices {
            if index > 0 { text += "," }
            write(rows[index], to: &text)
        }
        return text + "]}"
    }

    private func write(_ row: TopRow, to text: inout String) {
        let share = (share(of: UInt64(row.entries)) * 1e6).rounded() / 1e6
        text += "{\"entries\":\(row.entries),\"share\":\(share),\"unreplied\":\(row.unreplied)"
        text += ",\"assured\":\(row.assured),\"key\":{"
        var isFirst = true
        for (name, value) in grouping.fields.flatMap({ grouping.members($0, of: row.key) }) {
            text += "\(isFirst ? "" : ",")\"\(name)\":\(value)"
            isFirst = false
        }
        text += "}}"
    }
}

extension TopGrouping {
    /// A field of a key, as members of a JSON object: none where it does not apply, two or three for a port.
    fileprivate func members(_ field: TopField, of key: TopKey) -> [(name: String, value: String)] {
        switch field {
        case .port: ports(key)
        // A port says it too.
        case .protocol: fields.contains(.port) ? [] : [("protocol", quoted(word(field, of: key)))]
        case .zone, .mark: [(field.rawValue, word(field, of: key))]
        case .assured: [("assured", key.has(TopKey.Traits.assured) ? "true" : "false")]
        case .natSource: key.has(TopKey.Traits.hasNATSource) ? [("nat_source", quoted(word(field, of: key)))] : []
        case .natDestination:
            key.has(TopKey.Traits.hasNATDestination) ? [("nat_destination", quoted(word(field, of: key)))] : []
        case .source, .destination, .state, .nat: [(field.rawValue, quoted(word(field, of: key)))]
        }
    }

    private func ports(_ key: TopKey) -> [(name: String, value: String)] {
        let name = [("protocol", quoted(protocolName(key.protocol)))]
        return switch TopPort(key) {
        case .port(let number): name + [("port", "\(number)")]
        case .icmp(let type, let code): name + [("type", "\(type)"), ("code", "\(code)")]
        case .key(let number): name + [("dstkey", "\(number)")]
        case .none: name
        }
    }

    private func quoted(_ word: String) -> String { "\"\(word)\"" }
}
