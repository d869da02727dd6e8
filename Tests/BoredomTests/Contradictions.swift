// SPDX-License-Identifier: GPL-3.0-or-later

import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish

/// What the outputs of one moment say of it, taken from their texts as a reader would, and what of it disagrees.
struct Contradictions {
    private let line: [String: String]
    private let document: StatusDocument
    /// What `status` and `check` say of a look at that moment, with what the monitor wrote.
    private let page: StatusDocument
    private let result: CheckResult
    private let text: String
    private let series: [String: String]
    private let said: Set<String>
    private let parameters: [String: UInt64]
    private(set) var found: [String] = []

    init(_ snapshot: HostRun.Snapshot) throws {
        var line: [String: String] = [:]
        for field in statusLine(of: snapshot.shown).split(separator: " ").dropFirst() {
            let parts = field.split(separator: "=", maxSplits: 1).map(String.init)
            line[parts[0]] = parts.count == 2 ? parts[1] : ""
        }
        self.line = line
        document = try StatusDocument.parse(StatusDocument(snapshot.written).json())
        let word = MonitorWord.said(document, age: 0)
        let look = snapshot.written.sample.table
        var seen = Report(
            identity: snapshot.written.identity, sample: Sample(moment: snapshot.written.sample.moment, table: look))
        seen.isUp = false
        page = StatusDocument(judging: seen, word, rules: LookRules())
        result = check(look, word, procfs: "/proc", rules: LookRules())
        text = page.text()
        var series: [String: String] = [:]
        for line in exposition(of: snapshot.written).split(separator: "\n") where !line.hasPrefix("#") {
            let end = line.lastIndex(of: " ") ?? line.endIndex
            series[String(line[..<end])] = String(line[end...].dropFirst())
        }
        self.series = series
        said = snapshot.said
        parameters = Dictionary(snapshot.written.parameters.map { ($0.name, $0.value) }) { first, _ in first }
        compareTable()
        compareForecast()
        compareEvents()
        compareAlerts()
        compareJudgements()
    }

    /// `what` is the same everywhere; nil = it is absent there.
    private mutating func agree(_ what: String, line: String?, json: String?, metric: String?) {
        guard line != json || json != metric else { return }
        found.append("\(what): line \(line ?? "-"), JSON \(json ?? "-"), metric \(metric ?? "-")")
    }

    private mutating func agree(_ what: String, _ json: Double?, _ metric: Double?, within: Double) {
        if json == nil && metric == nil { return }
        if let json, let metric, abs(json - metric) <= within { return }
        found.append("\(what): JSON \(json.map { "\($0)" } ?? "-"), metric \(metric.map { "\($0)" } ?? "-")")
    }

    private mutating func require(_ condition: Bool, _ what: String) {
        if !condition { found.append(what) }
    }

    private func number(_ name: String) -> Double? { series[name].flatMap(Double.init) }

    // MARK: What is compared

    private mutating func compareTable() {
        agree(
            "entries", line: line["entries"], json: document.entries.map(String.init),
            metric: series["conntrack_entries"])
        agree(
            "limit", line: line["limit"].map { $0 == "unlimited" ? "0" : $0 }, json: document.limit.map(String.init),
            metric: series["conntrack_entries_limit"])
        let usage = number("conntrack_usage_ratio")
        agree("usage", line: line["usage"], json: usage.map(percent), metric: usage.map(percent))
        agree("usage", document.usageRatio, usage, within: 1e-6)
        agree(
            "highest", line: line["peak"], json: document.entriesPeak.map(String.init),
            metric: series["conntrack_entries_peak"])
        let entries = document.entries ?? 0
        require(document.entriesPeak ?? entries >= entries, "the highest count is below the count")
        require(
            document.entriesPeakDay ?? .max >= document.entriesPeak ?? 0, "the day's highest is below that of 2 minutes"
        )
        if let entries = document.entries {
            require(text.contains(" \(grouped(entries))"), "the status has another count")
        }
    }

    private mutating func compareForecast() {
        let time = number("conntrack_time_to_full_seconds")
        let words = time.map { readable(seconds: $0) }
        agree("time to full", line: line["full_in"], json: words, metric: words)
        agree("time to full", document.timeToFullSeconds, time, within: 0.06)
        require(
            (time == nil) == !text.contains("full in") || !document.alerts.isEmpty, "the status has another forecast")
        require(time == nil || document.fillRate ?? 0 > 0, "a forecast of a table that does not fill")
        let isFilling = line["fill"].map { $0.hasPrefix("+") }
        require(
            isFilling == nil || (document.fillRate ?? 0 >= 0) == isFilling, "it fills in one and empties in the other")
    }

    private mutating func compareEvents() {
        compare(
            "new", document.events?.newPerSecond, isCounted: series["conntrack_events_total{event=\"new\"}"] != nil)
        compare(
            "destroy", document.events?.destroyPerSecond,
            isCounted: series["conntrack_events_total{event=\"destroy\"}"] != nil)
        require(
            parameters["nf_conntrack_events"] != 0 || line["new"] != "0/s",
            "0 new entries a second where the kernel tells of none")
    }

    private mutating func compare(_ kind: String, _ rate: Double?, isCounted: Bool) {
        let shown = line[kind] ?? line[kind + "_estimated"]
        require((shown == nil) == (rate == nil), "\(kind): line \(shown ?? "-"), JSON \(rate.map { "\($0)" } ?? "-")")
        require(rate == nil || isCounted, "\(kind) has a rate and no count")
        // One is rounded to a whole number, the other to a tenth.
        if let shown = shown.flatMap({ Double($0.dropLast(2)) }), let rate {
            require(abs(shown - rate) <= 0.55, "\(kind): line \(shown), JSON \(rate)")
        }
    }

    private mutating func compareAlerts() {
        let shown = line["alerts"].map { $0 == "none" ? [] : $0.split(separator: ",").map(String.init) } ?? []
        let written = document.alerts.map { alert in
            "\(alert.name)\(alert.subject.map { "(\($0))" } ?? ""):\(alert.level)"
        }
        require(shown == written, "status line \(shown), JSON \(written)")
        // Of an alert that has become less no line is said.
        let names = Set(shown.map(\.withoutLevel))
        require(names == Set(said.map(\.withoutLevel)), "lines said \(said.sorted()), status line \(shown)")
        for alert in shown where alert.hasSuffix(":critical") { require(said.contains(alert), "\(alert) was not said") }
        let firing = series.filter { $0.key.hasPrefix("conntrack_alert_firing") && $0.value == "1" }.count
        require(firing == Set(shown.map(\.withoutSubject)).count, "\(shown.count) alerts, \(firing) in metrics")
    }

    private mutating func compareJudgements() {
        let state = result.state.word.lowercased()
        require(page.state == state, "status \(page.state ?? "-"), check \(state)")
        require(text.contains("nothing is wrong") == (state == "ok"), "check \(result.line), status: \(text)")
        let levels = document.alerts.map(\.level)
        require(!levels.contains("critical") || state == "critical", "check \(result.line), alerts \(levels)")
        require(levels.isEmpty || state != "ok", "check \(result.line), alerts \(levels)")
        // Without an alert it is the look that says more: a hold is not over yet.
        let usage = document.usageRatio ?? 0
        require(usage < RuleSettings().warn || state != "ok", "check \(result.line) at \(percent(usage))")
        for alert in document.alerts { require(result.text.contains(alert.name), "\(alert.name): \(result.line)") }
        if let entries = document.entries, let limit = document.limit, limit > 0 {
            require(result.text.hasPrefix("\(entries) of \(limit) entries"), "entries \(entries): \(result.line)")
        }
    }
}

extension String {
    /// Without "(PART)": a metric has one series for all parts.
    fileprivate var withoutSubject: String {
        guard let open = firstIndex(of: "("), let close = lastIndex(of: ")") else { return self }
        return String(self[..<open]) + self[index(after: close)...]
    }

    fileprivate var withoutLevel: String { lastIndex(of: ":").map { String(self[..<$0]) } ?? self }
}
