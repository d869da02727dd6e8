// SPDX-License-Identifier: GPL-3.0-or-later

public import ConntrackModel

extension DoctorReport {
    /// For a person in a hurry: the verdict, the findings, worst first, and the table.
    public func text() -> String {
        var lines = [verdict] + why.map { "  \($0)" }
        for finding in findings {
            lines.append("")
            lines.append("\(finding.severity.rawValue.uppercased()) \(finding.id): \(finding.summary)")
            lines += finding.evidence.map { "  see:  \($0)" }
            if !finding.cure.isEmpty { lines.append("  cure: \(finding.cure)") }
        }
        if findings.isEmpty { lines += ["", "nothing found"] }
        if let size { lines += ["", sizeLine(size)] }
        if let table { lines += [""] + table }
        return lines.joined(separator: "\n")
    }

    private func sizeLine(_ size: TableSize) -> String {
        let share = size.memory.map { memory in
            ": \(percent(Double(size.bytes) / Double(max(memory, 1)))) of the \(KernelDefaults.size(memory)) here"
        }
        return "A table of \(size.entries) entries, with the \(size.buckets) buckets that are recommended for it, takes"
            + " \(size.text)\(share ?? "")"
    }

    private var origin: String { limitOrigin.map { ", \($0)" } ?? "" }

    /// The answer in one sentence.
    var verdict: String {
        let start = "A firewall restart here would"
        guard let reloadWouldUnload else {
            return "\(start) unload nf_conntrack or not: that can't be known from here."
        }
        guard reloadWouldUnload else {
            if let limit, let reloadLimit, limit != reloadLimit {
                return "\(start) not unload nf_conntrack, but change nf_conntrack_max from \(limitText(limit)) to"
                    + " \(limitText(reloadLimit))."
            }
            let keep = limit.map { ": nf_conntrack_max stays \(limitText($0))" + origin } ?? ""
            return "\(start) not unload nf_conntrack\(keep)."
        }
        guard let reloadLimit, let limit else { return "\(start) unload nf_conntrack and reset its settings." }
        if limit == reloadLimit {
            return
                "\(start) unload nf_conntrack and forget all connections; nf_conntrack_max stays \(limitText(limit))."
        }
        let most = settings.first { $0.name == "nf_conntrack_max" }?.afterReloadMost
        return "\(start) unload nf_conntrack and \(most == limit ? "may " : "")change nf_conntrack_max from"
            + " \(limitText(limit)) to \(limitText(reloadLimit))"
            + (most.map { $0 == limit ? "" : " or \(limitText($0))" } ?? "") + "."
    }

    /// Settings that are or will be different, and always the limit and the buckets.
    private var table: [String]? {
        let shown = settings.filter { $0.changes || $0.name == "nf_conntrack_max" || $0.name == "nf_conntrack_buckets" }
        guard !shown.isEmpty else { return nil }
        func cell(_ value: UInt64?, _ most: UInt64? = nil) -> String {
            guard let value else { return "-" }
            return "\(value)" + (most.map { " or \($0)" } ?? "")
        }
        let head = ["", "now", "after reload", "configured", "after reboot"]
        var table = TextTable(head.indices.map { $0 == 0 ? .left() : .right })
        table.add(head)
        for row in shown {
            table.add([
                row.name, cell(row.now), cell(row.afterReload, row.afterReloadMost), cell(row.configured),
                cell(row.afterReboot, row.afterRebootMost),
            ])
        }
        var lines = table.lines()
        let rest = settings.count - shown.count
        if rest > 0 { lines.append("\(rest) more without a difference") }
        return lines + setters("after reload", shown, \.afterReloadBy) + setters("after reboot", shown, \.afterRebootBy)
    }

    /// Who sets the settings of the table, besides the kernel: a line each.
    private func setters(_ when: String, _ rows: [OutlookRow], _ by: (OutlookRow) -> String?) -> [String] {
        var order: [String] = []
        var names: [String: [String]] = [:]
        for row in rows {
            guard let by = by(row)?.replacing(#/:[0-9]+\)/#, with: ")"), by != Self.kernelDefault else { continue }
            if names[by] == nil { order.append(by) }
            names[by, default: []].append(row.name)
        }
        return order.map { "\(when), \($0) sets \((names[$0] ?? []).joined(separator: ", "))" }
    }

    private static let kernelDefault = "this kernel's default"
}
