// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel

extension IncidentDocument {
    /// One page of HTML for a ticket: nothing outside it is asked for, no script, light or dark as the reader's screen is.
    package func html() -> String {
        let alert = cause.map { "<p class=\"\($0.word.lowercased())\">\(HTML.text($0.text))</p>" } ?? ""
        let lines = said.map { line in
            "<tr class=\"\(HTML.text(line.word.lowercased()))\"><td>\(HTML.text(String(line.time.dropFirst(11))))</td>"
                + "<td>\(HTML.text(line.text))</td></tr>"
        }.joined(separator: "\n")
        let why = (survey ?? []).map { "<li>\(HTML.text($0.text)): \(HTML.text($0.meaning))</li>" }.joined()
        let verdict = doctor.map { "<p>\(HTML.text($0.verdict))</p>" } ?? ""
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <title>\(HTML.text(heading))</title><style>\(IncidentDocument.style)</style></head><body>
            <h1>\(HTML.text(title))</h1>
            <p class="place">\(HTML.text(status.place)), \(HTML.text(cause?.time ?? status.time))</p>
            \(alert)
            <h2>Entries against the limit</h2>
            \(picture)
            <h2>What was said</h2>
            \(said.isEmpty ? "<p>Nothing.</p>" : "<table>\(lines)</table>")
            \(why.isEmpty ? "" : "<h2>What filled the table</h2><ul>\(why)</ul>")
            <h2>What was known at its end</h2>
            <pre>\(HTML.text(status.text()))</pre>
            \(verdict.isEmpty ? "" : "<h2>What doctor said</h2>\(verdict)")
            </body></html>

            """
    }

    /// As SVG: an area of entries, a line of the limit, and a line where something was said that is no mere word.
    private var picture: String {
        let (width, height) = (600, 200)
        guard let plot = IncidentPlot(looks, width: width) else { return "<p>Nothing was seen of the table.</p>" }
        func y(_ value: UInt64) -> String { fixed(Double(height) * (1 - Double(value) / Double(plot.top)), 1) }
        var area = "M0 \(height)"
        var limit = ""
        var hadLimit = false
        for (x, column) in plot.columns.enumerated() {
            area += "L\(x) \(y(column.entries ?? 0))"
            if let value = column.limit { limit += "\(hadLimit ? "L" : "M")\(x) \(y(value))" }
            hadLimit = column.limit != nil
        }
        area += "L\(width) \(height)Z"
        return """
            <svg viewBox="-4 -14 \(width + 8) \(height + 34)" role="img" aria-label="entries against the limit">
            <path class="entries" d="\(area)"/><path class="limit" d="\(limit)"/>
            <path class="axis" d="M0 0V\(height)H\(width)"/>
            <text x="2" y="-4">\(grouped(plot.top))</text><text x="0" y="\(height + 16)">\
            -\(readable(seconds: Double(plot.span) / 1000))</text>\
            <text x="\(width)" y="\(height + 16)" text-anchor="end">end</text>
            </svg><p class="key"><span class="entries">&#9632;</span> entries <span class="limit">&#9473;</span> limit</p>
            """
    }

    private static let style = """
        :root{color-scheme:light dark;--fg:#1b1f23;--bg:#fff;--soft:#57606a;--area:#7aa7e0;--limit:#b35900;--bad:#b00020;\
        --warn:#8a5a00;--line:#d0d7de}
        @media(prefers-color-scheme:dark){:root{--fg:#e6edf3;--bg:#0d1117;--soft:#8b949e;--area:#3d6ea8;--limit:#f0a050;\
        --bad:#ff7b72;--warn:#e3b341;--line:#30363d}}
        body{margin:1rem auto;max-width:60rem;padding:0 1rem;font:16px/1.5 system-ui,sans-serif;color:var(--fg);\
        background:var(--bg)}
        h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.1rem;margin:1.5rem 0 .5rem}
        .place,.key,svg text{color:var(--soft);fill:var(--soft);font-size:.85rem}svg text{font-size:11px}
        svg{width:100%;height:auto}path.entries{fill:var(--area)}path.limit{fill:none;stroke:var(--limit);stroke-width:2}
        path.axis{fill:none;stroke:var(--line)}span.entries{color:var(--area)}span.limit{color:var(--limit)}
        .critical{color:var(--bad)}.warning{color:var(--warn)}
        table{border-collapse:collapse;font-size:.9rem}td{padding:.2rem .6rem .2rem 0;vertical-align:top;\
        border-bottom:1px solid var(--line);overflow-wrap:anywhere}td:first-child{white-space:nowrap}
        pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.85rem;padding:.6rem;border:1px solid var(--line)}
        """
}

/// Text inside HTML.
enum HTML {
    static func text(_ text: String) -> String {
        var out = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }
}

/// Writes a page to `path` as a whole; who talks to whom is in it, so it is for its owner alone.
package func writePage(_ text: String, to path: String) throws(SystemError) {
    try replaceFile(at: path, with: text, mode: 0o600)
}
