// SPDX-License-Identifier: GPL-3.0-or-later

public import ConntrackModel
internal import FoundationEssentials

/// What `status --json`, `watch --format json` and status.json say. What is not known is left out, never 0.
/// In JSON the keys are in snake case ("entriesPeak" is "entries_peak") and sorted.
public struct StatusDocument: Codable, Equatable, Sendable {
    /// Events by kind, and their rates in the last interval. Of a kind that is not listened to nothing is here.
    public struct Events: Codable, Equatable, Sendable {
        var source: String
        var new: UInt64?
        var update: UInt64?
        var destroy: UInt64?
        var newPerSecond: Double?
        var destroyPerSecond: Double?
        /// The two rates are estimates: for a part of the time events were not listened to. The counts are not.
        var estimated: Bool?
        /// Share of the time that was listened.
        var dutyRatio: Double?
        var newByProtocol: [String: UInt64]?

        var total: UInt64 { (new ?? 0) + (update ?? 0) + (destroy ?? 0) }
    }

    /// Events lost, by reason.
    public struct Lost: Codable, Equatable, Sendable {
        var overrun: UInt64
        var truncated: UInt64
        var malformed: UInt64
        var dropped: UInt64
        /// False when the kernel cannot say how many it dropped: then these are lower bounds.
        var exact: Bool

        var total: UInt64 { overrun + truncated + malformed + dropped }
    }

    /// One alert that fires.
    public struct Alert: Codable, Equatable, Sendable {
        /// Its name.
        public var name: String
        /// "warning" or "critical".
        public var level: String
        var subject: String?
        var since: String
        /// Since when what its level stands for is not the case any more; absent while it is.
        public var clearingSince: String?
        /// What is to be said of it now.
        public var summary: String
        /// The same without its cure; nil when it has none.
        public var headline: String?
    }

    var version: String
    /// When, RFC 3339.
    public var time: String
    /// Seconds since 1970.
    public var timestamp: Double
    /// Seconds since boot (CLOCK_BOOTTIME), to judge freshness by.
    public var uptimeSeconds: Double?
    /// Which boot that is about.
    public var bootId: String?
    /// How often this is written.
    public var intervalSeconds: Double
    var host: String
    var netns: String
    /// Identifies the network namespace.
    public var netnsInode: UInt64?
    /// Which /proc it is about.
    public var procfs: String
    /// False once the monitor has stopped.
    public var up: Bool
    /// How nf_conntrack is there; nil when the table is there and /sys does not say how.
    var module: String?
    var moduleReloads: UInt64?
    /// How old entries and limit are, where the table was not looked at in time.
    var lookAgeSeconds: Double?
    var entries: UInt64?
    var entriesPeak: UInt64?
    /// The highest count of the last 24 hours.
    public var entriesPeakDay: UInt64?
    /// nf_conntrack_max, 0 = unlimited.
    public var limit: UInt64?
    /// The limit this host should have.
    public var limitBaseline: UInt64?
    /// Where that comes from, a `BaselineSource`.
    public var limitBaselineSource: String?
    var limitDrops: [String: UInt64]?
    var usageRatio: Double?
    var buckets: UInt64?
    var chainLength: Double?
    var fillRate: Double?
    var timeToFullSeconds: Double?
    var stats: [String: UInt64]?
    var statsReason: String?
    var events: Events?
    var eventsLost: Lost?
    var eventsReason: String?
    var talkers: TalkersDocument?
    /// Pairs that use most of their ports, first; absent without NAT, and while it is not known.
    public var natPorts: [NATPort]?
    var ringCapacity: Int?
    var ringPeak: Int?
    var cpuSeconds: Double?
    /// What fires, worst first.
    public var alerts: [Alert]
    /// Usage that warns, a share of the limit.
    public var warnRatio: Double?
    /// Usage that is critical.
    public var critRatio: Double?

    /// "ok", "warning", "critical" or "unknown": what `status` judges of its look and of what the monitor said; nil in what
    /// a monitor writes.
    public var state: String?
    /// What that state is for, worst first; nil likewise.
    public var findings: [Finding]?
    /// What else `status` has to say, a sentence each.
    public var notes: [String]?
    /// When the monitor said what `status` takes from it. Entries, limit and buckets are of `time`.
    public var monitorTime: String?
    /// How long before `time` that was.
    public var monitorAgeSeconds: Double?

    /// A report in this form.
    public init(_ report: Report) {
        let sample = report.sample
        version = conntrackMonVersion
        time = rfc3339(sample.moment.wall)
        timestamp = (sample.moment.wall.seconds * 1000).rounded() / 1000
        uptimeSeconds = StatusDocument.rounded(Double(sample.moment.monotonic.nanoseconds) / 1e9, 3)
        bootId = report.bootId
        intervalSeconds = report.interval.inSeconds
        host = report.identity.host
        netns = report.identity.netns
        netnsInode = report.netnsInode
        procfs = report.procfs
        up = report.isUp
        let isUnsaid = report.isModuleLoaded && report.module == .absent
        module = isUnsaid ? nil : (report.isModuleLoaded ? report.module : .absent).rawValue
        moduleReloads = report.reloads
        lookAgeSeconds = sample.age.map { StatusDocument.rounded($0.inSeconds, 3) }
        entries = sample.table.entries
        entriesPeak = report.entriesPeak
        entriesPeakDay = report.entriesPeakDay
        limit = sample.table.limit
        limitBaseline = report.baseline?.limit
        limitBaselineSource = report.baseline?.source.rawValue
        limitDrops = Dictionary(uniqueKeysWithValues: DropCause.allCases.map { ($0.rawValue, report.drops[$0] ?? 0) })
        usageRatio = sample.usage.map { StatusDocument.rounded($0, 6) }
        buckets = sample.buckets
        chainLength = sample.chainLength.map { StatusDocument.rounded($0, 3) }
        fillRate = sample.notableFillRate.map { StatusDocument.rounded($0, 3) }
        timeToFullSeconds = sample.timeToFull.map { StatusDocument.rounded($0, 1) }
        stats = sample.stats.map { stats in
            Dictionary(uniqueKeysWithValues: Stat.allCases.compactMap { stat in stats[stat].map { (stat.name, $0) } })
        }
        statsReason = sample.statsObstacle?.reason
        if let counts = sample.events, !sample.kinds.isEmpty { events = StatusDocument.events(counts, report) }
        if sample.events != nil {
            let lost = sample.lost
            eventsLost = Lost(
                overrun: lost.overrun, truncated: lost.truncated, malformed: lost.malformed, dropped: lost.dropped,
                exact: sample.lossIsExact)
        }
        eventsReason = report.eventsReason
        if sample.kinds.contains(.new) { talkers = sample.talkers.map { TalkersDocument($0) } }
        natPorts = sample.natPorts?.uses.map { NATPort($0) }
        ringCapacity = sample.ringCapacity
        ringPeak = sample.ringPeak
        cpuSeconds = StatusDocument.rounded(sample.cpuSeconds, 3)
        warnRatio = report.thresholds?.warn
        critRatio = report.thresholds?.crit
        alerts = report.firing.map { alert in
            let explanation = alert.explanation
            return Alert(
                name: alert.name.rawValue, level: alert.level.name, subject: alert.subject,
                since: rfc3339(alert.since.wall), clearingSince: alert.clearingSince.map { rfc3339($0.wall) },
                summary: explanation.text,
                headline: explanation.headline == explanation.text ? nil : explanation.headline)
        }
    }

    private static func events(_ counts: EventCounts, _ report: Report) -> Events {
        let sample = report.sample
        let kinds = sample.kinds
        let byProtocol = sample.newByProtocol.map { (protocolName($0.key), $0.value) }
        return Events(
            source: report.source, new: kinds.contains(.new) ? counts.new : nil,
            update: kinds.contains(.update) ? counts.update : nil,
            destroy: kinds.contains(.destroy) ? counts.destroy : nil,
            newPerSecond: sample.newPerSecond.map { rounded($0, 1) },
            destroyPerSecond: sample.destroyPerSecond.map { rounded($0, 1) },
            estimated: sample.duty == nil ? nil : sample.isPartial,
            dutyRatio: sample.duty.map { rounded($0.ratio, 4) },
            newByProtocol: kinds.contains(.new) ? Dictionary(uniqueKeysWithValues: byProtocol) : nil)
    }

    static func rounded(_ value: Double, _ digits: Int) -> Double {
        let scale = (0..<digits).reduce(1.0) { product, _ in product * 10 }
        return (value * scale).rounded() / scale
    }

    // MARK: JSON

    /// One line of JSON, without a line feed.
    public func json() -> String {
        encodeJSON(self)
    }

    /// Reads what `json()` wrote; throws DecodingError for anything else.
    public static func parse(_ text: String) throws -> StatusDocument {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(StatusDocument.self, from: Data(text.utf8))
    }
}
