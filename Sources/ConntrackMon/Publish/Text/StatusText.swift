// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

extension StatusDocument {
    /// What `status` prints for people: what is wrong first, then everything that is known. `width`: of the terminal, whose
    /// lines are not broken in words; nil = no line is broken.
    public func text(width: Int? = nil) -> String {
        let findings = findings ?? alerts.map(Finding.init)
        var lines = findings.map(\.line)
        if findings.isEmpty { lines.append(calm) }
        lines += notes ?? []
        if entries == 0, !wasEventSeen { lines.append(nothingTrackedText) }
        lines.append("conntrack on \(host), network namespace \(netns), \(time)")
        if !isOfNow, let monitorTime, let monitorAgeSeconds, up {
            lines.append(
                "  what the monitor counts is of \(monitorTime), \(readable(seconds: monitorAgeSeconds)) before;"
                    + " entries, limit and hash are of now")
        }
        var table = TextTable([.left(atLeast: 11), .left()], gap: 1)
        func row(_ name: String, _ value: String?) {
            if let value { table.add([name, value]) }
        }
        row("module", moduleText)
        row("entries", entriesText)
        row("limit", limitLine)
        row("hash", hashText)
        row("statistics", statsLine)
        row("events", eventsText)
        for (name, value) in talkers?.rows ?? [] { row(name, value) }
        for (index, line) in natPortLines.enumerated() { row(index == 0 ? "NAT ports" : "", line) }
        row("monitor", monitorText)
        let rows = table.lines(indent: 2)
        guard let width else { return (lines + rows).joined(separator: "\n") }
        let folded =
            lines.flatMap { foldedLine($0, width: width, indent: 4) }
            + rows.flatMap { foldedLine($0, width: width, indent: 14) }
        return folded.joined(separator: "\n")
    }

    private var calm: String {
        // What cannot be read has a finding of its own.
        if entries == nil && limit == nil { return "nothing to judge: nf_conntrack is not loaded" }
        // Nobody has judged what is known beside the alerts.
        guard state == "ok" else { return "no alert fires" }
        if let limit, let limitBaseline, isLess(limit, limitBaseline) {
            // The monitor waits for --settle, or for the end of booting, before it calls that a fall.
            return "nothing is wrong so far: nf_conntrack_max is \(limitText(limit)), should be"
                + " \(limitText(limitBaseline)), and may be put back yet"
        }
        return "nothing is wrong" + (up && !isLate ? "" : " as far as one look can tell")
    }

    private var moduleText: String {
        let reloaded = moduleReloads.map { $0 > 0 ? ", reloaded \($0) times while watched" : "" } ?? ""
        switch module {
        case ConntrackModule.builtIn.rawValue: return "built into the kernel: it cannot be unloaded"
        case ConntrackModule.absent.rawValue: return "nf_conntrack is not loaded: nothing is tracked"
        case nil: return "nf_conntrack is there, /sys does not say how"
        default: return "nf_conntrack is loaded\(reloaded)"
        }
    }

    private var entriesText: String? {
        guard let entries else { return nil }
        var text = "\(entries)"
        if let limit, limit > 0 { text += " of \(limit) (\(percent(usageRatio ?? 0)))" }
        if let lookAgeSeconds { text += " as of \(readable(seconds: lookAgeSeconds)) ago" }
        if let entriesPeak { text += ", highest in 2 minutes \(entriesPeak)" }
        if let entriesPeakDay { text += ", in 24 hours \(entriesPeakDay)" }
        if let fillRate { text += ", \(fillRate < 0 ? "emptying" : "filling") by \(fixed(abs(fillRate), 1))/s" }
        if let timeToFullSeconds { text += ", full in \(readable(seconds: timeToFullSeconds))" }
        return text
    }

    private var limitLine: String? {
        limit.map { limit in
            let baseline = limitBaseline.flatMap { isLess(limit, $0) ? $0 : nil }
            return limitText(limit)
                + (baseline.map { ", should be \(limitText($0)) (\(limitBaselineSource ?? ""))" } ?? "")
        }
    }

    /// The hash is one for all namespaces, and only this one's entries are known.
    private var hashText: String? {
        buckets.map { buckets in
            let notable = chainLength.flatMap { $0 >= 0.005 ? $0 : nil }
            let chain = notable.map { ", average chain at least \(fixed($0, 2)), by this namespace's entries" }
            return "\(buckets) buckets\(chain ?? "")"
        }
    }

    private var statsLine: String? {
        let none = statsReason.map { "none: \($0)" }
        guard let stats else { return entries == nil ? nil : none ?? "not to be had on this kernel" }
        return statsText(stats) + (statsReason.map { "; not read now: \($0)" } ?? "")
    }

    private func statsText(_ stats: [String: UInt64]) -> String {
        Stat.allCases.compactMap { stat in stats[stat.name].map { "\(stat.name) \($0)" } }.joined(separator: ", ")
    }

    private var eventsText: String? {
        let lost = eventsLost?.total ?? 0
        guard let events else {
            // Listened to, or not.
            let none = eventsLost == nil ? "none" : lost > 0 ? "none come, lost \(lost)" : "none come"
            return eventsReason.map { "\(none): \($0)" }
        }
        let isEstimated = events.estimated == true
        func text(_ kind: String, _ count: UInt64?, _ rate: Double?) -> String? {
            let word = isEstimated ? " estimated" : ""
            return count.map { "\(kind) \($0)" + (rate.map { " (\(fixed($0, 0))/s\(word))" } ?? "") }
        }
        let kinds = [
            text("new", events.new, events.newPerSecond), text("update", events.update, nil),
            text("destroy", events.destroy, events.destroyPerSecond),
        ]
        let counts = (kinds.compactMap { $0 } + ["lost \(lost)"]).joined(separator: ", ")
        let duty = isEstimated ? ", listening \(percent(events.dutyRatio ?? 0)) of the time" : ""
        let reason = eventsReason.map { ": \($0)" } ?? ""
        return "\(counts), by \(events.source)\(duty)\(reason)"
    }

    /// Entries may be made and destroyed between two looks, which leaves nothing but their events.
    private var wasEventSeen: Bool { (events?.total ?? 0) + (eventsLost?.total ?? 0) > 0 }

    private var monitorText: String {
        if up && isLate, let monitorTime {
            return "conntrack-mon \(version) was watching at \(monitorTime), and has written nothing since"
        }
        if up {
            let cost = cpuSeconds.map { ", \(fixed($0, 1))s of CPU used" } ?? ""
            return "conntrack-mon \(version) is watching\(cost)"
        }
        if let monitorTime {
            return "not answering since \(monitorTime): rates, peaks, events and its alerts are not known"
        }
        return "not watching: rates, peaks, events and alerts with a hold need `conntrack-mon watch`"
    }
}
