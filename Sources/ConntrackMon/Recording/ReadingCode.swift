// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel

/// Readings as a recording names them.
package enum ReadingName: String, CaseIterable, Sendable {
    case tick, time, accept, show, incident, end, stop, settings, kernel, log, health, configuration, origin, doctor,
        survey

    /// Of a reading.
    package init(_ reading: Reading) {
        self =
            switch reading {
            case .tick: .tick
            case .time: .time
            case .accept: .accept
            case .show: .show
            case .incident: .incident
            case .end: .end
            case .stop: .stop
            case .settings: .settings
            case .kernel: .kernel
            case .log: .log
            case .health: .health
            case .configuration: .configuration
            case .origin: .origin
            case .doctor: .doctor
            case .survey: .survey
            }
    }

    /// Whether it stands until the next one: a file that begins later begins with it.
    var isLasting: Bool {
        switch self {
        case .settings, .kernel, .health, .configuration, .origin, .doctor: true
        case .tick, .time, .accept, .show, .incident, .end, .stop, .log, .survey: false
        }
    }
}

/// One setting of a list that has an order.
private struct RecordedSetting: Codable {
    var name: String
    var value: UInt64
}

/// What a survey gave, or why it gave nothing.
private struct RecordedSurvey: Codable {
    var survey: Survey?
    var error: SystemError?
    var took: Duration
}

/// The entry of a reading that was begun at `moment`, after so many records.
func journalEntry(of reading: Reading, at moment: Moment, after records: UInt64) -> String {
    let name = ReadingName(reading)
    var lines = JournalLines("reading", at: moment, words(reading))
    lines.add("READING", name.rawValue)
    lines.add(moment)
    lines.add("AFTER", records)
    if let value = value(reading) { lines.add("VALUE", value) }
    return lines.text
}

private func value(_ reading: Reading) -> String? {
    switch reading {
    case .tick, .time, .accept, .show, .incident, .stop: nil
    case .end(let ending): recordedJSON(ending)
    case .settings(let values): recordedJSON(values.map { RecordedSetting(name: $0.name, value: $0.value) })
    case .kernel(let reading): recordedJSON(reading)
    case .log(let count): recordedJSON(count)
    case .health(let health): recordedJSON(health)
    case .configuration(let configured): recordedJSON(configured)
    case .origin(let origin): recordedJSON(origin)
    case .doctor(let report): recordedJSON(report)
    case .survey(.success(let survey), let took): recordedJSON(RecordedSurvey(survey: survey, took: took))
    case .survey(.failure(let error), let took): recordedJSON(RecordedSurvey(error: error, took: took))
    }
}

private func words(_ reading: Reading) -> String {
    switch reading {
    case .tick: "an interval is over"
    case .time: "time has passed"
    case .accept: "what is live is accepted (SIGHUP)"
    case .show: "the status is asked for (SIGUSR1)"
    case .incident: "the last minutes are asked for (SIGUSR2)"
    case .end(let ending): "watching is to end: \(ending.why)"
    case .stop: "watching has ended"
    case .settings(let values): "\(values.count) nf_conntrack settings read"
    case .kernel(let reading): "kernel statistics read, buckets \(reading.buckets.map { "\($0)" } ?? "unknown")"
    case .log(let count): "the kernel log's lines of a full table: \(count.ours + count.unnamed)"
    case .health: "how the monitor itself is"
    case .configuration(let configured):
        "configuration asks for the limit \(configured.limit.map { limitText($0.limit) } ?? "of nobody")"
    case .origin: "whose limit this host's may be"
    case .doctor(let report): "what a firewall restart would do here: \(report.findings.count) findings"
    case .survey(.success(let survey), _): "the table was dumped: \(survey.entries) entries"
    case .survey(.failure(let error), _): "the table was not dumped: \(error)"
    }
}

/// The reading that an entry tells of.
func reading(_ fields: JournalFields) throws(RecordingFault) -> (Reading, at: Moment) {
    let moment = try fields.moment()
    let name: String = try fields.value("READING")
    guard let name = ReadingName(rawValue: name) else { throw RecordingFault("with an unknown reading, \(name)") }
    return (try reading(name, fields), moment)
}

private func reading(_ name: ReadingName, _ fields: JournalFields) throws(RecordingFault) -> Reading {
    switch name {
    case .tick: return .tick
    case .time: return .time
    case .accept: return .accept
    case .show: return .show
    case .incident: return .incident
    case .stop: return .stop
    case .end: return .end(try fields.json("VALUE", as: Ending.self))
    case .settings:
        return .settings(try fields.json("VALUE", as: [RecordedSetting].self).map { ($0.name, $0.value) })
    case .kernel: return .kernel(try fields.json("VALUE", as: KernelReading.self))
    case .log:
        let count = try fields.json("VALUE", as: TableFullCount.self)
        guard [count.ours, count.unnamed].allSatisfy({ (0..<1 << 32).contains($0) }) else {
            throw RecordingFault("with more lines than there can be")
        }
        return .log(count)
    case .health: return .health(try fields.json("VALUE", as: Health.self))
    case .configuration: return .configuration(try fields.json("VALUE", as: ConfiguredSettings.self))
    case .origin: return .origin(try fields.json("VALUE", as: LimitOrigin.self))
    case .doctor: return .doctor(try fields.json("VALUE", as: DoctorReport.self))
    case .survey:
        let survey = try fields.json("VALUE", as: RecordedSurvey.self)
        guard (.zero...RecordingStart.longest).contains(survey.took) else {
            throw RecordingFault("of no time that can be")
        }
        if let result = survey.survey { return .survey(.success(result), took: survey.took) }
        guard let error = survey.error else { throw RecordingFault("with neither a survey nor why there is none") }
        return .survey(.failure(error), took: survey.took)
    }
}
