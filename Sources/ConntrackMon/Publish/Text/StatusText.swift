// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

extension StatusDocument {
    /// What `status` prints for people: what is wrong first and what to do about it, then what is known.
    public func text(_ style: PageStyle = PageStyle()) -> String {
        let (lines, rows) = (verdict(style) + header, rows(style).lines(indent: 2))
        guard let width = style.width else { return (lines + rows).joined(separator: "\n") }
        // What is to be typed stays in one piece: a terminal breaks it, and still copies it whole.
        let folded =
            lines.flatMap { Finding.isCure($0) ? [$0] : foldedLine($0, width: width, indent: 4) }
            + rows.flatMap { foldedLine($0, width: width, indent: PageStyle.margin) }
        return folded.joined(separator: "\n")
    }

    private func verdict(_ style: PageStyle) -> [String] {
        let findings = findings ?? alerts.map(Finding.init)
        var lines = findings.flatMap { $0.lines(style) }
        if findings.isEmpty { lines.append(state == "ok" ? style.marked(calm, as: nil) : calm) }
        lines += notes ?? []
        if entries == 0, !wasEventSeen { lines.append(nothingTrackedText) }
        return lines
    }

    private var header: [String] {
        let header = ["conntrack on \(place), \(time)"]
        guard !isOfNow, let monitorTime, let monitorAgeSeconds, up else { return header }
        return header + [
            "  what the monitor counts is of \(monitorTime), \(readable(seconds: monitorAgeSeconds)) before;"
                + " entries, limit and hash are of now"
        ]
    }

    private func rows(_ style: PageStyle) -> TextTable {
        var table = TextTable([.left(atLeast: 11), .left()], gap: 1)
        func row(_ name: String, _ value: String?) {
            if let value { table.add([name, value]) }
        }
        row("module", moduleText)
        row("entries", entriesText)
        row("", usageRatio.flatMap { style.bar($0, warn: warnRatio, crit: critRatio) })
        row("limit", limitLine)
        row("hash", hashText)
        row("statistics", statsLine(style))
        row("events", eventsText)
        for (name, value) in talkers?.rows(isWhole: style.isWhole) ?? [] { row(name, value) }
        for (index, line) in natPortLines.enumerated() { row(index == 0 ? "NAT ports" : "", line) }
        row("monitor", monitorText)
        return table
    }

    /// "gw12, network namespace root".
    var place: String { "\(host), network namespace \(netns)" }

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
        let reloaded = moduleReloads.map { $0 > 0 ? ", reloaded \(times($0)) while watched" : "" } ?? ""
        switch module {
        case ConntrackModule.builtIn.rawValue: return "built into the kernel: it cannot be unloaded"
        case ConntrackModule.absent.rawValue: return "nf_conntrack is not loaded: nothing is tracked"
        case nil: return "nf_conntrack is there, /sys does not say how"
        default: return "nf_conntrack is loaded\(reloaded)"
        }
    }

    private func times(_ count: UInt64) -> String { count == 1 ? "once" : "\(grouped(count)) times" }

    private var entriesText: String? {
        guard let entries else { return nil }
        var text = grouped(entries)
        if let limit, limit > 0 { text += " of \(grouped(limit)) (\(percent(usageRatio ?? 0)))" }
        if let lookAgeSeconds { text += " as of \(readable(seconds: lookAgeSeconds)) ago" }
        if let entriesPeak { text += ", highest in 2 minutes \(grouped(entriesPeak))" }
        if let entriesPeakDay { text += ", in 24 hours \(grouped(entriesPeakDay))" }
        if let fillRate { text += ", \(fillRate < 0 ? "emptying" : "filling") by \(fixed(abs(fillRate), 1))/s" }
        if let timeToFullSeconds { text += ", full in \(readable(seconds: timeToFullSeconds))" }
        return text
    }

    private var limitLine: String? {
        func text(_ limit: UInt64) -> String { limit == 0 ? limitText(limit) : grouped(limit) }
        return limit.map { limit in
            let baseline = limitBaseline.flatMap { isLess(limit, $0) ? $0 : nil }
            return text(limit) + (baseline.map { ", should be \(text($0)) (\(limitBaselineSource ?? ""))" } ?? "")
        }
    }

    /// The hash is one for all namespaces, and only this one's entries are known.
    private var hashText: String? {
        buckets.map { buckets in
            let notable = chainLength.flatMap { $0 >= 0.005 ? $0 : nil }
            let chain = notable.map { ", average chain at least \(fixed($0, 2)), by this namespace's entries" }
            return "\(grouped(buckets)) buckets\(chain ?? "")"
        }
    }

    private func statsLine(_ style: PageStyle) -> String? {
        let none = statsReason.map { "none: \($0)" }
        guard let stats else { return entries == nil ? nil : none ?? "not to be had on this kernel" }
        let text = style.isWhole ? wholeStatsText(stats) : notableStatsText(stats)
        return text + (statsReason.map { "; not read now: \($0)" } ?? "")
    }

    private func wholeStatsText(_ stats: [String: UInt64]) -> String {
        Stat.allCases.compactMap { stat in stats[stat.name].map { "\(stat.name) \(grouped($0))" } }
            .joined(separator: ", ")
    }

    /// Those that count something that went wrong, where they did.
    private func notableStatsText(_ stats: [String: UInt64]) -> String {
        let known = Stat.allCases.filter { $0.isTrouble && stats[$0.name] != nil }
        let counted = known.compactMap { stat in
            stats[stat.name].flatMap { $0 > 0 ? "\(stat.name) \(grouped($0))" : nil }
        }
        guard counted.isEmpty else { return counted.joined(separator: ", ") }
        return "no " + known.map(\.name).joined(separator: ", ")
    }

    private var eventsText: String? {
        let lost = eventsLost?.total ?? 0
        guard let events else {
            // Listened to, or not.
            let none = eventsLost == nil ? "none" : lost > 0 ? "none come, lost \(grouped(lost))" : "none come"
            return eventsReason.map { "\(none): \($0)" }
        }
        let isEstimated = events.estimated == true
        func text(_ kind: String, _ count: UInt64?, _ rate: Double?) -> String? {
            let word = isEstimated ? " estimated" : ""
            return count.map { count in
                "\(kind) \(grouped(count))"
                    + (rate.map { " (\(grouped(UInt64(max(0, $0).rounded())))/s\(word))" } ?? "")
            }
        }
        let kinds = [
            text("new", events.new, events.newPerSecond), text("update", events.update, nil),
            text("destroy", events.destroy, events.destroyPerSecond),
        ]
        let counts = (kinds.compactMap { $0 } + ["lost \(grouped(lost))"]).joined(separator: ", ")
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
