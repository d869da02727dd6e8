// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

extension StatusDocument {
    /// What `status` prints for people: what is wrong first, then everything that is known.
    public func text() -> String {
        var lines = alerts.map { alert in
            let subject = alert.subject.map { " (\($0))" } ?? ""
            return "\(alert.level.uppercased()) \(alert.name)\(subject) since \(alert.since): \(alert.summary)"
        }
        if alerts.isEmpty { lines.append(calm) }
        if entries == 0 { lines.append(nothingTrackedText) }
        lines.append("conntrack on \(host), network namespace \(netns), \(time)")
        var table = TextTable([.left(atLeast: 11), .left()], gap: 1)
        func row(_ name: String, _ value: String?) {
            if let value { table.add([name, value]) }
        }
        row("module", moduleText)
        row("entries", entriesText)
        row("limit", limitLine)
        row("hash", hashText)
        row("statistics", stats.map(statsText) ?? (entries == nil ? nil : "not to be had on this kernel"))
        row("events", eventsText)
        for (name, value) in talkers?.rows ?? [] { row(name, value) }
        row("monitor", monitorText)
        lines += table.lines(indent: 2)
        return lines.joined(separator: "\n")
    }

    private var calm: String {
        if entries == nil && limit == nil { return "nothing to judge: nf_conntrack is not loaded" }
        return "nothing is wrong" + (up ? "" : " as far as one look can tell")
    }

    private var moduleText: String {
        let reloaded = moduleReloads > 0 ? ", reloaded \(moduleReloads) times while watched" : ""
        switch module {
        case ConntrackModule.builtIn.rawValue: return "built into the kernel: it cannot be unloaded"
        case ConntrackModule.absent.rawValue where entries == nil:
            return "nf_conntrack is not loaded: nothing is tracked"
        case ConntrackModule.absent.rawValue: return "nf_conntrack is there, /sys does not say how"
        default: return "nf_conntrack is loaded\(reloaded)"
        }
    }

    private var entriesText: String? {
        guard let entries else { return nil }
        var text = "\(entries)"
        if let limit, limit > 0 { text += " of \(limit) (\(percent(usageRatio ?? 0)))" }
        if let entriesPeak { text += ", highest in 2 minutes \(entriesPeak)" }
        if let entriesPeakDay { text += ", in 24 hours \(entriesPeakDay)" }
        if let fillRate { text += ", \(fillRate < 0 ? "emptying" : "filling") by \(fixed(abs(fillRate), 1))/s" }
        if let timeToFullSeconds { text += ", full in \(readable(seconds: timeToFullSeconds))" }
        return text
    }

    private var limitLine: String? {
        limit.map { limit in
            let baseline = limitBaseline.map { ", should be \(limitText($0)) (\(limitBaselineSource ?? ""))" }
            return limitText(limit) + (limitBaseline == limit ? "" : baseline ?? "")
        }
    }

    /// The hash is one for all namespaces, and only this one's entries are known.
    private var hashText: String? {
        buckets.map { buckets in
            let chain = chainLength.map { ", average chain at least \(fixed($0, 2)), by this namespace's entries" }
            return "\(buckets) buckets\(chain ?? "")"
        }
    }

    private func statsText(_ stats: [String: UInt64]) -> String {
        Stat.allCases.compactMap { stat in stats[stat.name].map { "\(stat.name) \($0)" } }.joined(separator: ", ")
    }

    private var eventsText: String? {
        guard let events else { return eventsReason.map { "none: \($0)" } }
        let isEstimated = events.estimated == true
        let word = isEstimated ? " estimated" : ""
        let new = events.newPerSecond.map { " (\(fixed($0, 0))/s\(word))" } ?? ""
        let destroy = events.destroyPerSecond.map { " (\(fixed($0, 0))/s\(word))" } ?? ""
        let lost = eventsLost?.total ?? 0
        let duty = isEstimated ? ", listening \(percent(events.dutyRatio ?? 0)) of the time" : ""
        let reason = eventsReason.map { ": \($0)" } ?? ""
        return
            "new \(events.new)\(new), destroy \(events.destroy)\(destroy), lost \(lost), by \(events.source)\(duty)\(reason)"
    }

    private var monitorText: String {
        up
            ? "conntrack-mon \(version) is watching, \(fixed(cpuSeconds, 1))s of CPU used"
            : "not watching: rates, peaks, events and alerts with a hold need `conntrack-mon watch`"
    }

    /// This document, known from a running monitor, with the table as it is now.
    public func refreshed(by now: StatusDocument) -> StatusDocument {
        var document = self
        document.time = now.time
        document.timestamp = now.timestamp
        document.entries = now.entries
        // What was the highest before this look.
        document.entriesPeak = entriesPeak.map { max($0, now.entries ?? 0) }
        document.entriesPeakDay = entriesPeakDay.map { max($0, now.entries ?? 0) }
        document.limit = now.limit
        document.usageRatio = now.usageRatio
        document.buckets = now.buckets
        document.chainLength = now.chainLength
        document.alerts += now.alerts.filter { alert in !alerts.contains { $0.name == alert.name } }
        return document
    }
}
