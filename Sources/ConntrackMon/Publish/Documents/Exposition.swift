// SPDX-License-Identifier: GPL-3.0-or-later

public import ConntrackModel

/// A report as Prometheus text exposition: HELP and TYPE for every family, no timestamps, a line feed at the end.
public func exposition(of report: Report) -> String {
    var text = ""
    text.reserveCapacity(16384)
    for family in MetricFamily.all where report.isUp || family.outlivesMonitor {
        let series = family.series(report)
        guard !series.isEmpty else { continue }
        text += "# HELP \(family.name) \(family.help)\n# TYPE \(family.name) \(family.type)\n"
        for one in series {
            var labels = one.labels
            if let netns = report.netnsLabel { labels.append(("netns", netns)) }
            let inBraces = labels.map { "\($0.name)=\"\(escaped($0.value))\"" }.joined(separator: ",")
            text += "\(family.name)\(inBraces.isEmpty ? "" : "{\(inBraces)}") \(one.value)\n"
        }
    }
    return text
}

/// A label value: backslash, quote and line feed escaped.
private func escaped(_ value: String) -> String {
    var text = ""
    // By scalars: as a Character "\r\n" is no "\n".
    for scalar in value.unicodeScalars {
        switch scalar {
        case "\\": text += "\\\\"
        case "\"": text += "\\\""
        case "\n": text += "\\n"
        default: text.unicodeScalars.append(scalar)
        }
    }
    return text
}
