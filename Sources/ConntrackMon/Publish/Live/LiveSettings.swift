// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

// Screens 5 and 6: the settings now and later, and what was said.

extension LiveView {
    // MARK: Settings

    /// Each setting: live, accepted, configured, after a restart of the firewall.
    func settingsPage() -> LivePage {
        var page = LivePage()
        guard let report, !report.parameters.isEmpty else {
            page.empty = [report == nil ? "no interval is over yet" : "nf_conntrack's settings are not known"]
            return page
        }
        let doctor = report.doctor
        if doctor == nil { page.head = [LiveLine("what a restart would leave is not known yet", .dim)] }
        let outlook = Dictionary((doctor?.settings ?? []).map { ($0.name, $0) }) { first, _ in first }
        var rows = report.parameters.map { parameter in
            SettingRow(parameter.name, live: parameter.value, outlook: outlook[parameter.name], report: report)
        }
        if !rows.contains(where: { $0.name == "nf_conntrack_max" }), let limit = report.sample.table.limit {
            rows.insert(
                SettingRow("nf_conntrack_max", live: limit, outlook: outlook["nf_conntrack_max"], report: report), at: 0
            )
        }
        if state.order == 0 {
            rows = rows.filter(\.differs) + rows.filter { !$0.differs }
        } else {
            rows.sort { $0.name < $1.name }
        }
        var table = TextTable([.left(), .right, .right, .right, .right])
        table.add(["nf_conntrack_", "live", "accepted", "configured", "after restart"])
        for row in rows { table.add(row.cells) }
        let lines = table.lines()
        page.head.append(LiveLine(lines[0], .bold))
        page.rows = zip(rows, lines.dropFirst()).map { row, line in
            LivePage.Row(LiveLine(line, row.differs ? .warning : .plain), more: row.more)
        }
        page.alwaysShowsMore = true
        return page
    }

    // MARK: Log

    /// What was said, the newest last.
    func logPage() -> LivePage {
        var page = LivePage()
        page.followsEnd = true
        page.alwaysShowsMore = true
        page.empty = ["nothing was said yet"]
        page.rows = history.said.map { said in
            let announcement = said.announcement
            let subject = announcement.subject.map { "(\($0))" } ?? ""
            let text = "\(announcement.word) \(announcement.name)\(subject): \(announcement.summary)"
            var line = LiveLine(clockTime(announcement.time) + " ", .dim)
            switch announcement.state {
            case .firing, .repeating:
                for piece in levelLine(text, announcement.level).pieces { line.add(piece.text, piece.style) }
            case .resolved, .notice: line.add(text, .bold)
            case .log: line.add(text)
            }
            return LivePage.Row(line, more: [text], point: said.point)
        }
        return page
    }
}

/// A setting's row.
private struct SettingRow {
    let name: String
    let live: UInt64
    let accepted: UInt64?
    let outlook: OutlookRow?

    /// The accepted value is known of the limit alone.
    init(_ name: String, live: UInt64, outlook: OutlookRow?, report: Report) {
        self.name = name
        self.live = live
        self.outlook = outlook
        accepted = name == "nf_conntrack_max" ? report.baseline?.limit : nil
    }

    var differs: Bool {
        Set(
            ([
                live, accepted, outlook?.configured, outlook?.afterReload, outlook?.afterReloadMost,
                outlook?.afterReboot,
            ])
            .compactMap { $0 }
        ).count > 1
    }

    var cells: [String] {
        [
            name.hasPrefix("nf_conntrack_") ? String(name.dropFirst(13)) : name, "\(live)",
            accepted.map { "\($0)" } ?? "-",
            outlook?.configured.map { "\($0)" } ?? "-", text(outlook?.afterReload, outlook?.afterReloadMost) ?? "-",
        ]
    }

    private func text(_ least: UInt64?, _ most: UInt64?) -> String? {
        guard let least else { return nil }
        return "\(least)" + (most.map { " or \($0)" } ?? "")
    }

    var more: [String] {
        var lines = ["\(name): \(live) live"]
        if let value = text(outlook?.afterReload, outlook?.afterReloadMost) {
            lines.append("after a firewall restart \(value)" + (outlook?.afterReloadBy.map { ", by \($0)" } ?? ""))
        }
        if let value = text(outlook?.afterReboot, outlook?.afterRebootMost) {
            lines.append("after a reboot \(value)" + (outlook?.afterRebootBy.map { ", by \($0)" } ?? ""))
        }
        return lines
    }
}
