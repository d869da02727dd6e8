// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel
internal import FoundationEssentials

/// An incident's JSON file: what led to a critical alert, for people (`status --incident`) and programs. What is not known is
/// left out; in a column it is null. Keys are in snake case.
package struct IncidentDocument: Codable, Equatable, Sendable {
    /// The table at each look, a column a value.
    package struct Looks: Codable, Equatable, Sendable {
        /// Of the first look, RFC 3339.
        var start: String
        /// Milliseconds since `start`.
        var milliseconds: [Int64]
        var entries: [UInt64?]
        /// 0 = unlimited.
        var limit: [UInt64?]
    }

    /// One interval.
    package struct Interval: Codable, Equatable, Sendable {
        var time: String
        var newPerSecond: Double?
        var destroyPerSecond: Double?
        var lost: UInt64
        /// Growth of those statistics that grew.
        var stats: [String: UInt64]
    }

    /// Something that was said.
    package struct Line: Codable, Equatable, Sendable {
        var time: String
        /// "CRITICAL", "WARNING", "NOTICE", "RESOLVED", "INFO".
        var word: String
        var name: String
        var subject: String?
        var summary: String

        init(_ announcement: Announcement) {
            time = rfc3339(announcement.time)
            word = announcement.word
            name = announcement.name
            subject = announcement.subject
            summary = announcement.summary
        }

        /// As stderr had it, without host and namespace.
        var text: String { "\(word) \(name)\(subject.map { " (\($0))" } ?? ""): \(summary)" }
    }

    /// What fills the table, by the dump that an alert asked for.
    package struct Why: Codable, Equatable, Sendable {
        var text: String
        var meaning: String
        var ratio: Double
    }

    /// Of this form: 1.
    var format: Int
    /// The alert; absent when somebody asked by a signal.
    var cause: Line?
    /// What is known at its end.
    package var status: StatusDocument
    /// nf_conntrack_* settings.
    var parameters: [String: UInt64]
    /// For each CPU.
    var statsPerCpu: [[String: UInt64]]
    var survey: [Why]?
    var doctor: DoctorReport?
    package var looks: Looks
    var intervals: [Interval]
    var said: [Line]

    /// An incident in this form.
    package init(_ incident: Incident) {
        func named(_ values: StatValues, _ isKept: (UInt64) -> Bool) -> [String: UInt64] {
            let known = Stat.allCases.compactMap { stat in values[stat].map { (stat.name, $0) } }
            return Dictionary(uniqueKeysWithValues: known.filter { isKept($0.1) })
        }
        format = 1
        let report = incident.report
        cause = incident.cause.map(Line.init)
        status = StatusDocument(report)
        parameters = Dictionary(report.parameters.map { ($0.name, $0.value) }) { first, _ in first }
        statsPerCpu = report.sample.statsPerCPU.map { named($0) { _ in true } }
        survey = report.sample.survey.map { survey in
            survey.causes.map { Why(text: $0.text, meaning: $0.meaning, ratio: StatusDocument.rounded($0.share, 6)) }
        }
        doctor = report.doctor
        looks = Looks(incident.looks)
        intervals = incident.intervals.map { interval in
            Interval(
                time: rfc3339(interval.wall), newPerSecond: interval.new.map { StatusDocument.rounded($0, 1) },
                destroyPerSecond: interval.destroy.map { StatusDocument.rounded($0, 1) }, lost: interval.lost,
                stats: interval.stats.map { named($0) { $0 > 0 } } ?? [:])
        }
        said = incident.said.map(Line.init)
    }

    /// One line of JSON, without a line feed.
    package func json() -> String { encodeJSON(self) }

    /// Reads what `json()` wrote; throws DecodingError for anything else.
    package static func parse(_ text: String) throws -> IncidentDocument {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(IncidentDocument.self, from: Data(text.utf8))
    }
}

extension IncidentDocument.Looks {
    init(_ looks: [Incident.Look]) {
        let first = looks.first?.wall ?? WallTime(nanoseconds: 0)
        start = rfc3339(first)
        milliseconds = looks.map { ($0.wall.nanoseconds - first.nanoseconds) / 1_000_000 }
        entries = looks.map(\.entries)
        limit = looks.map(\.limit)
    }
}
