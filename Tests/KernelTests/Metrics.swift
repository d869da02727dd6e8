// SPDX-License-Identifier: GPL-3.0-or-later

internal import TestKit

/// A Prometheus text exposition, read without the code that wrote it.
struct Metrics {
    struct Series: Hashable {
        var name: String
        var labels: [String: String]
    }

    let text: String
    let series: [Series: Double]

    /// Refuses lines that are neither a comment nor `name{label="value",...} number`.
    init(_ text: String) throws {
        self.text = text
        var series: [Series: Double] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else {
                throw TestKitError("no metric: \(line)")
            }
            let key = try Metrics.series(line[..<space])
            guard series.updateValue(value, forKey: key) == nil else { throw TestKitError("twice: \(line)") }
        }
        self.series = series
    }

    /// Label values here hold neither commas nor quotes.
    private static func series(_ text: Substring) throws -> Series {
        guard let brace = text.firstIndex(of: "{") else { return Series(name: String(text), labels: [:]) }
        guard text.last == "}" else { throw TestKitError("no labels: \(text)") }
        var labels: [String: String] = [:]
        for label in text[text.index(after: brace)...].dropLast().split(separator: ",") {
            let parts = label.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[1].count >= 2, parts[1].first == "\"", parts[1].last == "\"" else {
                throw TestKitError("no label: \(label)")
            }
            labels[String(parts[0])] = String(parts[1].dropFirst().dropLast())
        }
        return Series(name: String(text[..<brace]), labels: labels)
    }

    /// The value of one series, nil when it is not there.
    subscript(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        series[Series(name: name, labels: labels)]
    }

    /// The sum over a family; nil when it is not there.
    func sum(_ name: String) -> Double? {
        let values = series.filter { $0.key.name == name }.values
        return values.isEmpty ? nil : values.reduce(0, +)
    }

    /// conntrack_events_total of one kind.
    func events(_ event: String) -> Double? {
        self["conntrack_events_total", ["event": event]]
    }

    /// conntrack_events_lost_total for one reason.
    func lost(_ reason: String) -> Double? {
        self["conntrack_events_lost_total", ["reason": reason]]
    }

    /// A kernel statistic: the sum, or with --per-cpu that of one CPU.
    func statistic(_ name: String, cpu: Int? = nil) -> Double? {
        self["conntrack_stat_\(name)_total", cpu.map { ["cpu": "\($0)"] } ?? [:]]
    }

    /// Whether an alert fires at a level; nil when it is not listed.
    func fires(_ alert: String, _ level: String) -> Bool? {
        self["conntrack_alert_firing", ["alert": alert, "level": level]].map { $0 == 1 }
    }
}
