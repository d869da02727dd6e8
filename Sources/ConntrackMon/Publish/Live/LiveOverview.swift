// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

// Screen 1: how full, against which limit, how fast, what is wrong, and how it came about.

extension LiveView {
    func drawOverview(_ frame: inout Frame, top: Int, bottom: Int) {
        guard let viewed, let point = history[viewed] else {
            frame.put("no interval is over yet", top)
            return
        }
        let width = frame.size.columns
        var row = top
        for line in figures(point, width: width, isTall: frame.size.rows >= 20) where row < bottom {
            frame.put(visible(line), row)
            row += 1
        }
        let left = bottom - row
        for line in alertLines(point, viewed, width: width, room: max(2, left - max(6, left / 2))) where row < bottom {
            frame.put(visible(line), row)
            row += 1
        }
        LivePlot(history: history, viewed: state.at, span: state.span, isUTF8: capabilities.isUTF8)
            .draw(&frame, top: row, bottom: bottom)
    }

    // MARK: Figures

    private func figures(_ point: LivePoint, width: Int, isTall: Bool) -> [LiveLine] {
        // Of the past only points are kept.
        let report = isPast ? nil : report
        var lines: [LiveLine] = []
        func row(_ name: String, _ texts: [String?]) {
            let known = texts.compactMap { $0 }
            guard !known.isEmpty else { return }
            let text = known.joined(separator: ", ")
            let parts = isTall ? foldedLine(text, width: width - 9, indent: 0) : [text]
            for (index, part) in parts.enumerated() {
                var line = LiveLine(label(index == 0 ? name : ""), .dim)
                line.add(part)
                lines.append(line)
            }
        }
        if let bar = usageLine(point, width: width) { lines.append(bar) }
        if let report, report.sample.table.absent {
            row("module", ["nf_conntrack is not loaded: nothing is tracked"])
        }
        row("entries", entriesTexts(point, report))
        if let sample = report?.sample, sample.table.entries == 0, (sample.events?.total ?? 0) + sample.lost.total == 0
        {
            lines += foldedLine(nothingTrackedText, width: width - 9, indent: 0).map { LiveLine(label("") + $0) }
        }
        row("limit", limitTexts(point, report))
        row("trend", trendTexts(report))
        row("events", rateTexts(point, report))
        row("kernel", report.map { kernelTexts($0.sample) } ?? [])
        return lines
    }

    private func label(_ name: String) -> String { name + String(repeating: " ", count: max(1, 9 - name.utf8.count)) }

    /// The marks are letters in the bar, so that they are seen without colours.
    private func usageLine(_ point: LivePoint, width: Int) -> LiveLine? {
        guard let usage = point.usage else { return nil }
        let text = " \(percent(usage))"
        let cells = max(10, width - 9 - 2 - text.utf8.count - 1)
        let thresholds = self.report?.thresholds
        let level: CellStyle =
            usage >= thresholds?.crit ?? .infinity
            ? .critical : usage >= thresholds?.warn ?? .infinity ? .warning : .plain
        let full = min(cells, Int((usage * Double(cells)).rounded()))
        func place(_ share: Double?) -> Int? { share.map { min(cells - 1, max(0, Int($0 * Double(cells)))) } }
        let (warn, crit) = (place(thresholds?.warn), place(thresholds?.crit))
        var line = LiveLine(label("usage"), .dim)
        line.add("[")
        let solid = capabilities.isUTF8 ? "\u{2588}" : "#"
        let hollow = capabilities.isUTF8 ? "\u{2591}" : "."
        for cell in 0..<cells {
            let mark = cell == crit ? "c" : cell == warn ? "w" : nil
            if let mark {
                line.add(mark, CellStyle(isBold: true, isReverse: cell < full))
            } else {
                line.add(cell < full ? solid : hollow, cell < full ? CellStyle(colour: level.colour) : .dim)
            }
        }
        line.add("]")
        line.add(text, level == .plain ? .bold : level)
        return line
    }

    private func entriesTexts(_ point: LivePoint, _ report: Report?) -> [String?] {
        let entries = report?.sample.table.entries ?? point.entries
        guard let entries else { return [] }
        var texts: [String?] = [
            "\(entries)" + (report?.sample.age.map { " as of \(readable(seconds: $0.inSeconds)) ago" } ?? "")
        ]
        if report == nil, let low = point.low, let high = point.high, low != high {
            texts.append("from \(low) to \(high)")
        }
        texts.append(report?.entriesPeak.map { "highest in 2 minutes \($0)" })
        texts.append(
            report?.entriesPeakDay.map { peak in
                let known = report?.sample.peakKnownFor ?? .zero
                return known < .seconds(86_400) && known > .zero
                    ? "in \(readable(seconds: known.inSeconds)) \(peak)" : "in 24 hours \(peak)"
            })
        return texts
    }

    private func limitTexts(_ point: LivePoint, _ report: Report?) -> [String?] {
        guard let limit = report?.sample.table.limit ?? point.limit else { return [] }
        let baseline = report?.baseline.map { baseline in
            let value = limitText(baseline.limit)
            return isLess(limit, baseline.limit)
                ? "should be \(value) (\(baseline.source.rawValue))"
                : baseline.limit == limit
                    ? "as it should be (\(baseline.source.rawValue))"
                    : "baseline \(value) (\(baseline.source.rawValue))"
        }
        let reloads = report.flatMap { $0.reloads > 0 ? "module reloaded \($0.reloads) times while watched" : nil }
        return [limitText(limit), baseline, reloads]
    }

    private func trendTexts(_ report: Report?) -> [String?] {
        guard let sample = report?.sample else { return [] }
        return [
            sample.notableFillRate.map { "\($0 < 0 ? "emptying" : "filling") by \(fixed(abs($0), 1))/s" },
            sample.timeToFull.map { "full in \(readable(seconds: $0))" },
        ]
    }

    private func rateTexts(_ point: LivePoint, _ report: Report?) -> [String?] {
        let word = point.isPartial ? " estimated" : ""
        return [
            point.new.map { "new \(fixed($0, 0))/s\(word)" }, point.destroy.map { "destroy \(fixed($0, 0))/s\(word)" },
            report?.sample.updatePerSecond.map { "update \(fixed($0, 0))/s" },
            point.lost > 0 ? "lost \(point.lost)" : nil,
        ]
    }

    private func kernelTexts(_ sample: Sample) -> [String?] {
        func rate(_ name: String, _ count: UInt64?) -> String? {
            sample.statsPerSecond(count).map { "\(name) \(fixed($0, 0))/s" }
        }
        return [
            rate("insert_failed", sample.statsNow?[.insertFailed]), rate("other_drop", sample.statsNow?.otherDrop),
            rate("early_drop", sample.statsNow?[.earlyDrop]),
            sample.chainLength.flatMap { $0 >= 0.5 ? "average chain at least \(fixed($0, 2))" : nil },
        ]
    }

    // MARK: Alerts

    /// What fires or fired then: level, name, age, and its words as far as there is room.
    private func alertLines(_ point: LivePoint, _ number: Int, width: Int, room: Int) -> [LiveLine] {
        let now = point.moment
        let alerts: [(level: Level, name: String, subject: String?, seconds: Double, text: String)]
        if isPast {
            alerts = history.firing(at: number).map {
                ($0.level ?? .warning, $0.name, $0.subject, max(0, now.wall.seconds - $0.time.seconds), $0.summary)
            }
        } else {
            alerts = (report?.firing ?? []).map {
                ($0.level, $0.name.rawValue, $0.subject, (now.monotonic - $0.since.monotonic).inSeconds, $0.summary)
            }
        }
        guard !alerts.isEmpty else {
            return [LiveLine(isPast ? "no alert is known to have fired" : "no alert fires", .good)]
        }
        var lines: [LiveLine] = []
        // The words of each are cut before one of them is left out.
        let each = max(1, min(6, room / alerts.count))
        for (index, alert) in alerts.enumerated() {
            if lines.count >= room - 1, index < alerts.count - 1 {
                lines.append(LiveLine("and \(alerts.count - index) more: 6 shows the log", .bold))
                break
            }
            let word = alert.level == .critical ? "CRITICAL" : "WARNING"
            let name = alert.name + (alert.subject.map { "(\($0))" } ?? "")
            let text = "\(word) \(name) \(readable(seconds: alert.seconds)): \(alert.text)"
            let folded = foldedLine(text, width: width, indent: 2)
            for (place, part) in folded.prefix(each).enumerated() {
                let isCut = place == each - 1 && folded.count > each
                let shown = isCut ? part.prefix(width - 4) + " ..." : part[...]
                lines.append(place == 0 ? levelLine(String(shown), alert.level) : LiveLine(String(shown)))
            }
        }
        return lines
    }
}

/// A line with its level's word in that level's look.
func levelLine(_ text: String, _ level: Level?) -> LiveLine {
    let word = text.prefix { $0 != " " }
    var line = LiveLine(String(word), level == .critical ? .critical : .warning)
    line.add(String(text.dropFirst(word.count)))
    return line
}
