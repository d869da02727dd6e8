// SPDX-License-Identifier: GPL-3.0-or-later

/// A report as Prometheus text exposition: HELP and TYPE for every family, no timestamps, a line feed at the end.
public func exposition(of report: Report) -> String {
    var text = ""
    text.reserveCapacity(16384)
    for metric in Metric.allCases where report.isUp || metric.outlivesMonitor {
        let lines = samples(of: metric, in: report)
        guard !lines.isEmpty else { continue }
        text += "# HELP \(metric.rawValue) \(metric.help)\n# TYPE \(metric.rawValue) \(metric.type)\n"
        for line in lines {
            var labels = line.labels
            if let netns = report.netnsLabel { labels.append(("netns", netns)) }
            let inBraces = labels.map { "\($0.name)=\"\(escaped($0.value))\"" }.joined(separator: ",")
            text += "\(metric.rawValue)\(inBraces.isEmpty ? "" : "{\(inBraces)}") \(line.value)\n"
        }
    }
    return text
}

private struct Line {
    var labels: [(name: String, value: String)] = []
    var value: String
}

/// The lines of one family; none when nothing is known. Every label value of a counter is there from the start.
private func samples(of metric: Metric, in report: Report) -> [Line] {
    let sample = report.sample
    func one(_ value: UInt64?) -> [Line] { value.map { [Line(value: "\($0)")] } ?? [] }
    func one(_ value: Double?) -> [Line] { value.map { [Line(value: number($0))] } ?? [] }

    switch metric {
    case .entries: return one(sample.table.entries)
    case .entriesPeak: return one(sample.table.entries == nil ? nil : report.entriesPeak)
    case .limit: return one(sample.table.limit)
    case .baseline: return one(report.baseline?.limit)
    case .baselineInfo:
        return report.baseline.map { [Line(labels: [("source", $0.source.rawValue)], value: "1")] } ?? []
    case .usage: return one(sample.usage)
    case .buckets: return one(sample.buckets)
    case .moduleLoaded: return one(report.isModuleLoaded ? 1 as UInt64 : 0)
    case .moduleReloads: return one(report.reloads)
    case .limitDrops:
        return DropCause.allCases.map { Line(labels: [("cause", $0.rawValue)], value: "\(report.drops[$0] ?? 0)") }
    case .parameter: return report.parameters.map { Line(labels: [("name", $0.name)], value: "\($0.value)") }
    case .events, .eventsLost, .newByProtocol: return eventSamples(of: metric, in: sample)
    case .stat: return statSamples(in: report)
    case .fillRate: return one(sample.fillRate)
    case .timeToFull: return one(sample.timeToFull)
    case .alertFiring: return alertSamples(in: report)
    case .reloadWouldUnload: return one(report.doctor?.reloadWouldUnload.map { $0 ? 1 as UInt64 : 0 })
    case .reloadLimit: return one(report.doctor?.reloadLimit)
    case .doctorFindings:
        return (report.doctor?.findings ?? []).map {
            Line(labels: [("finding", $0.id), ("severity", $0.severity.rawValue)], value: "1")
        }
    case .up: return one(report.isUp ? 1 as UInt64 : 0)
    case .buildInfo:
        return [Line(labels: [("version", conntrackMonVersion), ("source", report.source)], value: "1")]
    case .eventDuty: return one(sample.duty?.ratio)
    case .ringCapacity: return one(UInt64(sample.ringCapacity))
    case .ringPeak: return one(UInt64(sample.ringPeak))
    case .cpuSeconds: return one(sample.cpuSeconds)
    case .lastSample: return [Line(value: fixed(sample.table.moment.wall.seconds, 3))]
    }
}

private func eventSamples(of metric: Metric, in sample: Sample) -> [Line] {
    guard let events = sample.events else { return [] }
    func lines(_ label: String, _ values: [(String, UInt64)]) -> [Line] {
        values.map { Line(labels: [(label, $0.0)], value: "\($0.1)") }
    }
    switch metric {
    case .events:
        return lines("event", [("new", events.new), ("update", events.update), ("destroy", events.destroy)])
    case .eventsLost:
        return lines(
            "stage",
            [("overrun", sample.lost.overrun), ("truncated", sample.lost.truncated), ("dropped", sample.lost.dropped)])
    default:
        let always: [UInt8] = [6, 17, 1, 58, 132, 33, 47]
        let others = sample.newByProtocol.keys.filter { !always.contains($0) }.sorted()
        return lines("protocol", (always + others).map { (protocolName($0), sample.newByProtocol[$0] ?? 0) })
    }
}

private func statSamples(in report: Report) -> [Line] {
    let sample = report.sample
    func lines(_ values: StatValues, _ labels: [(name: String, value: String)]) -> [Line] {
        Stat.allCases.compactMap { stat in
            values[stat].map { Line(labels: [("stat", stat.name)] + labels, value: "\($0)") }
        }
    }
    guard report.perCPU else { return sample.stats.map { lines($0, []) } ?? [] }
    return sample.statsPerCPU.enumerated().flatMap { lines($0.element, [("cpu", "\($0.offset)")]) }
}

private func alertSamples(in report: Report) -> [Line] {
    AlertName.allCases.flatMap { name in
        name.levels.map { level in
            let fires = report.firing.contains { $0.name == name && $0.level == level }
            return Line(labels: [("alert", name.rawValue), ("level", level.name)], value: fires ? "1" : "0")
        }
    }
}

/// A float as Prometheus reads it; a whole one without its point.
private func number(_ value: Double) -> String {
    value == value.rounded() && value.magnitude < 1e15 ? "\(Int64(value))" : "\(value)"
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
