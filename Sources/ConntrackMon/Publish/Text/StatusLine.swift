// SPDX-License-Identifier: GPL-3.0-or-later

public import ConntrackModel

/// How `watch` prints an interval on stdout.
public enum StatusFormat: String, CaseIterable, Sendable {
    /// A line of key=value pairs.
    case lines
    /// One JSON object.
    case json
    /// Nothing.
    case none
}

/// One interval as a line of key=value pairs; what is not known is left out.
public func statusLine(of report: Report) -> String {
    let sample = report.sample
    var fields = [rfc3339(sample.moment.wall)]
    func add(_ key: String, _ value: String?) {
        if let value { fields.append("\(key)=\(value)") }
    }
    add("age", sample.age.map { readable(seconds: $0.inSeconds) })
    if !report.isModuleLoaded { fields.append("module=absent") }
    add("entries", sample.table.entries.map(String.init))
    add("limit", sample.table.limit.map { $0 == 0 ? "unlimited" : String($0) })
    add("usage", sample.usage.map(percent))
    add("peak", sample.table.entries == nil ? nil : report.entriesPeak.map(String.init))
    if sample.isPartial {
        // Under other names, so that nobody takes an estimate for a count.
        add("new_estimated", sample.newEstimate.map { fixed($0, 0) + "/s" })
        add("destroy_estimated", sample.destroyEstimate.map { fixed($0, 0) + "/s" })
        add("duty", sample.duty.map { percent($0.ratio) })
    } else {
        add("new", sample.newPerSecond.map(rate))
        add("destroy", sample.destroyPerSecond.map(rate))
        add("update", sample.updatePerSecond.map(rate))
    }
    if sample.events != nil, sample.age == nil { add("lost", String(sample.lostNow.total)) }
    add("insert_failed", sample.statsPerSecond(sample.statsNow?[.insertFailed]).map(rate))
    add("other_drop", sample.statsPerSecond(sample.statsNow?.otherDrop).map(rate))
    add("early_drop", sample.statsPerSecond(sample.statsNow?[.earlyDrop]).map(rate))
    add("fill", sample.notableFillRate.map { ($0 >= 0 ? "+" : "") + fixed($0, 1) + "/s" })
    add("full_in", sample.timeToFull.map(readable(seconds:)))
    add("alerts", report.firing.isEmpty ? "none" : alertList(report.firing))
    return fields.joined(separator: " ")
}

private func rate(_ perSecond: Double) -> String {
    fixed(perSecond, 0) + "/s"
}

/// "usage_high:critical,monitor_degraded(textfile):warning".
private func alertList(_ firing: [FiringAlert]) -> String {
    firing.map { alert in
        "\(alert.name.rawValue)\(alert.subject.map { "(\($0))" } ?? ""):\(alert.level.name)"
    }.joined(separator: ",")
}
