// SPDX-License-Identifier: GPL-3.0-or-later

public import ConntrackModel

/// How alerts and notices are written on stderr.
public enum AlertFormat: String, CaseIterable, Sendable {
    /// `TIME LEVEL NAME host= netns=: text`.
    case text
    /// One JSON object a line.
    case json
}

/// One announcement as a line for people. In the journal sd-daemon's priority stands in front instead of the time.
public func alertLine(_ announcement: Announcement, identity: Identity, journal: Bool) -> String {
    let start = journal ? "<\(priority(of: announcement))>" : rfc3339(announcement.time) + " "
    let text =
        "\(announcement.word) \(announcement.name) host=\(identity.host) netns=\(identity.netns): \(announcement.summary)"
    return start + singleLine(text)
}

/// sd-daemon(3): 2 critical, 4 warning, 5 notice, 6 informational.
private func priority(of announcement: Announcement) -> Int {
    switch announcement.state {
    case .firing, .repeating: announcement.level == .critical ? 2 : 4
    case .notice: 5
    case .log: announcement.level == nil ? 6 : 4
    case .resolved: 6
    }
}

/// A line stays a line whatever a path in it holds.
private func singleLine(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : $0 }))
}

/// One announcement as JSON, for programs: stderr with --alert-format json, and the hook's standard input.
public func alertJSON(_ announcement: Announcement, identity: Identity) -> String {
    struct Document: Encodable {
        var time: String
        var name: String
        var level: String
        var state: String
        var host: String
        var netns: String
        var incident: String?
        var fingerprint: String
        var summary: String
        var labels: [String: String]
        var values: [String: Double]
        var details: [String: String]?
    }
    let level: String =
        switch announcement.state {
        case .notice: "notice"
        case .log: announcement.level?.name ?? "info"
        case .firing, .repeating, .resolved: announcement.level?.name ?? "warning"
        }
    var labels = ["alertname": announcement.name]
    labels["part"] = announcement.subject
    return encodeJSON(
        Document(
            time: rfc3339(announcement.time), name: announcement.name, level: level, state: announcement.state.rawValue,
            host: identity.host, netns: identity.netns, incident: announcement.incident,
            fingerprint: fingerprint(announcement, identity), summary: announcement.summary, labels: labels,
            values: announcement.values.filter { $0.value.isFinite }.mapValues { ($0 * 1e6).rounded() / 1e6 },
            details: announcement.details.isEmpty ? nil : announcement.details))
}

/// The same for every line about one alert on one host, across restarts: FNV-1a, 64 bits, of what identifies it.
private func fingerprint(_ announcement: Announcement, _ identity: Identity) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    let key = [identity.host, identity.netns, announcement.name, announcement.subject ?? ""].joined(separator: "\u{0}")
    for byte in key.utf8 {
        hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
    }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}
