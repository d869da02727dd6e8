// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

extension IncidentDocument {
    /// What `status --incident` prints for a person: the alert, entries against the limit, what was said, and what is known
    /// at the end.
    package func text(_ style: PageStyle = PageStyle()) -> String {
        let width = min(style.width ?? 80, 160)
        var lines = [heading]
        if let plot = IncidentPlot(looks, width: width - 16) {
            lines += ["", "entries (#) against the limit (=):"] + plot.lines(height: 10).map { "  " + $0 }
        }
        func folded(_ lines: [String]) -> [String] {
            style.width.map { width in lines.flatMap { foldedLine($0, width: width, indent: 4) } } ?? lines
        }
        lines += [""] + (said.isEmpty ? ["nothing was said"] : ["what was said:"] + folded(shownLines))
        if let survey, !survey.isEmpty {
            lines += ["", "what filled the table:"] + folded(survey.map { "  \($0.text): \($0.meaning)" })
        }
        lines += ["", "what was known at its end:", status.text(style)]
        if let doctor { lines += ["", "what doctor said: " + doctor.verdict] }
        return lines.joined(separator: "\n")
    }

    /// "limit_dropped on gw12, network namespace root, 2026-11-24T05:47:02.310Z".
    var heading: String {
        "\(title), \(status.place), \(cause?.time ?? status.time)"
    }

    /// "CRITICAL limit_dropped", "asked for by a signal".
    var title: String {
        cause.map { "\($0.word) \($0.name)" } ?? "asked for by a signal"
    }

    /// The clock alone: the day is in the heading.
    private var shownLines: [String] {
        said.map { line in "  \(line.time.dropFirst(11)) \(line.text)" }
    }
}
