// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

// What `status` makes of a monitor's document: findings, and the table as it is now.

extension StatusDocument {
    /// Something that is wrong: an alert that fires, or what a look at the table shows.
    public struct Finding: Codable, Equatable, Sendable {
        /// An alert's, or "monitor_silent".
        public var name: String
        /// "warning", "critical" or "unknown".
        public var level: String
        /// Which instance of it.
        public var subject: String?
        /// Since when it fires; nil for what is seen only now.
        public var since: String?
        /// What is the case, and why.
        public var text: String
        /// What ends it, as the lines have it: "fix: ..."; nil when there is nothing to type.
        public var cure: String?

        /// Something that is wrong now.
        public init(name: String, level: String, subject: String? = nil, text: String, cure: String? = nil) {
            self.name = name
            self.level = level
            self.subject = subject
            self.text = text
            self.cure = cure
        }

        /// An alert that fires.
        public init(_ alert: Alert) {
            self.init(
                name: alert.name, level: alert.level, subject: alert.subject, text: alert.headline ?? alert.summary)
            since = alert.since
            cure = alert.headline.flatMap { Finding.cure(in: alert.summary, behind: $0) }
        }

        /// What a text has behind its headline; nil when that is nothing.
        public static func cure(in text: String, behind headline: String) -> String? {
            let start = headline + "; "
            return text.hasPrefix(start) ? String(text.dropFirst(start.count)) : nil
        }

        /// What `status` prints for people: what it is, and under it what to do, a line each.
        func lines(_ style: PageStyle) -> [String] {
            let instance = subject.map { " (\($0))" } ?? ""
            let begin = since.map { " since \($0)" } ?? ""
            let (what, next) = Finding.split(text, at: "; next: ")
            let (fix, prevent) = cure.map { Finding.split($0, at: "; prevent: ") } ?? ("", nil)
            let todo = [next.map { "next: \($0)" }, fix.isEmpty ? nil : fix, prevent.map { "prevent: \($0)" }]
            return [style.marked(level.uppercased(), as: level) + " \(name)\(instance)\(begin): \(what)"]
                + todo.compactMap { $0.map { Finding.cureIndent + $0 } }
        }

        /// Whether a line of `lines` is one of those to do.
        static func isCure(_ line: String) -> Bool { line.hasPrefix(cureIndent) }

        private static let cureIndent = "    "

        private static func split(_ text: String, at mark: String) -> (String, String?) {
            guard let place = text.firstRange(of: mark) else { return (text, nil) }
            return (String(text[..<place.lowerBound]), String(text[place.upperBound...]))
        }
    }

    /// This document is at most so many seconds old while the monitor writes it as it should.
    public var patience: Double { 3 * intervalSeconds + 2 }

    /// What the monitor said is of the last interval: it goes with what is seen now.
    var isOfNow: Bool { (monitorAgeSeconds ?? 0) <= intervalSeconds + 0.5 }

    /// The monitor has not written for longer than it should.
    var isLate: Bool { (monitorAgeSeconds ?? 0) > patience }

    /// One look: what only a monitor counts is not known, and nothing fires that needs to be watched.
    public func ofOneLook() -> StatusDocument {
        var document = self
        document.alerts = []
        document.moduleReloads = nil
        document.limitDrops = nil
        document.ringCapacity = nil
        document.ringPeak = nil
        document.cpuSeconds = nil
        return document
    }

    /// This document, which a running monitor wrote `age` seconds before, with the table as `now` sees it. What belongs to
    /// the monitor's own moment alone is left out where that is over.
    public func refreshed(by now: StatusDocument, age: Double) -> StatusDocument {
        var document = self
        document.monitorTime = time
        document.monitorAgeSeconds = StatusDocument.rounded(max(0, age), 1)
        document.time = now.time
        document.timestamp = now.timestamp
        document.uptimeSeconds = now.uptimeSeconds
        document.module = now.module
        document.lookAgeSeconds = now.lookAgeSeconds
        document.entries = now.entries
        document.entriesPeak = now.entries == nil ? nil : entriesPeak.map { max($0, now.entries ?? 0) }
        document.entriesPeakDay = entriesPeakDay.map { max($0, now.entries ?? 0) }
        document.limit = now.limit
        if now.limitBaselineSource == BaselineSource.flag.rawValue || limitBaseline == nil {
            document.limitBaseline = now.limitBaseline
            document.limitBaselineSource = now.limitBaselineSource
        }
        document.usageRatio = now.usageRatio
        document.buckets = now.buckets
        document.chainLength = now.chainLength
        if !document.isOfNow || hasJumped(to: now.entries) { document.fillRate = nil }
        // Where the monitor foresees none, its rate is not to be gone by.
        document.timeToFullSeconds =
            timeToFullSeconds == nil ? nil : document.fillRate.flatMap { now.timeToFull(at: $0) }
        return document
    }

    /// The table has lost or got so many entries since that it fills by another rate, which nobody knows.
    private func hasJumped(to count: UInt64?) -> Bool {
        guard let entries, let count else { return true }
        return max(entries, count) - min(entries, count) > entries / 10 + 100
    }

    /// Seconds until this document's table is full when it fills by `rate` a second; nil when it is full, or that is
    /// more than a day away.
    private func timeToFull(at rate: Double) -> Double? {
        guard rate >= 0.05, let entries, let limit, limit > entries else { return nil }
        let seconds = Double(limit - entries) / rate
        return seconds <= 86_400 ? StatusDocument.rounded(seconds, 1) : nil
    }
}
