// SPDX-License-Identifier: GPL-3.0-or-later

/// One look at the table: what /proc said, and what that proves.
public struct TableLook: Equatable, Sendable {
    /// When.
    public var moment: Moment
    /// nf_conntrack_count; nil when it is absent or could not be read.
    public var entries: UInt64?
    /// nf_conntrack_max, 0 = unlimited; nil when it is absent or could not be read.
    public var limit: UInt64?
    /// Both files are missing: no nf_conntrack here.
    public var absent = false
    /// A kept descriptor proved an unload since the look before.
    public var unloaded = false
    /// How many unloads uevents told of since the look before.
    public var unloads: UInt64 = 0
    /// How many loads uevents told of since the look before.
    public var loads: UInt64 = 0
    /// Uevents tell of every reload; else only those are known that a descriptor proves.
    public var countsReloads = false
    /// errno of a value that is there but cannot be had (unreadable, not a number); 0 = none.
    public var entriesFault: Int32 = 0
    /// Likewise for the limit.
    public var limitFault: Int32 = 0

    /// A look with nothing seen yet.
    public init(moment: Moment) {
        self.moment = moment
    }
}

/// Something that was asked for, or worked before, and fails.
public struct Degradation: Equatable, Sendable {
    /// Which part, one word ("textfile"); the alert's subject.
    public var part: String
    /// What is wrong and what to do.
    public var reason: String
    /// What still works, or nil to leave it unsaid.
    public var remains: String?

    /// A failing part.
    public init(part: String, reason: String, remains: String? = nil) {
        self.part = part
        self.reason = reason
        self.remains = remains
    }
}

/// All that is known at the end of an interval. A plain value: absent is nil and never 0.
public struct Sample: Sendable {
    /// The end of the interval.
    public var moment: Moment
    /// How long the interval was.
    public var elapsed: Duration = .zero
    /// Sampling stood still for this long (machine paused, process stopped): nothing across it is a rate.
    public var gap: Duration?
    /// How old `table` is, where no look came in time: then nothing of this interval is a rate. nil = it is of the interval's
    /// end.
    public var age: Duration?

    /// The last look at the table.
    public var table: TableLook
    /// nf_conntrack_buckets.
    public var buckets: UInt64?
    /// The highest count of the last 2 minutes.
    public var entriesPeak: UInt64?
    /// The highest count of the last 24 hours.
    public var entriesPeakDay: UInt64?
    /// How long counts have been known for `entriesPeakDay`.
    public var peakKnownFor: Duration = .zero
    /// The highest count of the last second.
    public var entriesPeakSecond: UInt64?
    /// Entries a second over the last 60 s; nil until that long is known, and after a gap or reload.
    public var fillRate: Double?
    /// The same over the last 10 s: whether it still fills.
    public var fillRateRecent: Double?

    /// Events received since the monitor began; nil when it does not listen. With the lost ones it is what the kernel sent.
    public var events: EventCounts?
    /// The kinds of events whose counts and rates can be believed: listened to, and not silent. Any other is absent, not 0.
    public var kinds: EventGroups = [.new, .update, .destroy]
    /// Why nothing is heard though events are listened to; nil as long as nothing speaks for that.
    public var silence: EventSilence?
    /// How events are listened to; nil when they are not.
    public var duty: EventDuty?
    /// For a part of this interval events were not listened to (see `duty`): `eventsNow` is too low for a rate.
    public var isPartial = false
    /// New entries a second, estimated; only while `isPartial`.
    public var newEstimate: Double?
    /// Entries gone a second, estimated; only while `isPartial`.
    public var destroyEstimate: Double?
    /// Whether what sends events is there; nil when none are listened to or the table is absent.
    public var isNetlinkThere: Bool?
    /// Kinds of which the table shows that there were some in this interval, and none was heard: their rates are not known.
    public var unheardNow: EventGroups = []
    /// Events of this interval.
    public var eventsNow: EventCounts?
    /// New entries since the monitor began, by IP protocol number.
    public var newByProtocol: [UInt8: UInt64] = [:]
    /// Who made the new entries; nil when it does not listen, or none was seen yet.
    public var talkers: Talkers?
    /// What the namespace's own protocols counted; nil when that was not read for this sample.
    public var traffic: Traffic?
    /// Which ports NAT uses; nil when no NAT was seen, and as long as that is not known.
    public var natPorts: NATPorts?
    /// The last look into the table, made for an alert.
    public var survey: Survey?
    /// Events lost since the monitor began.
    public var lost = LostEvents()
    /// Events lost in this interval.
    public var lostNow = LostEvents()
    /// Events of the last minute; nil when it does not listen.
    public var eventsMinute: UInt64?
    /// New entries a second over the last minute, or since the monitor began.
    public var newRate: Double?
    /// `newRate` is an estimate: for a part of that time events were not listened to.
    public var isNewRateEstimated = false
    /// What listening cost the host in the last minute, a share of one core; nil until that long is known.
    public var eventLoadMinute: Double?
    /// How long `newRate` spans.
    public var newRateSpan: Duration = .zero
    /// Events lost in the last minute.
    public var lostMinute = LostEvents()
    /// False when the kernel cannot say how many it dropped.
    public var lossIsExact = true

    /// Kernel statistics since the monitor began, summed over CPUs; nil when this kernel shows none.
    public var stats: StatValues?
    /// The same for each CPU.
    public var statsPerCPU: [StatValues] = []
    /// Growth in this interval; nil without a reading before, or across a gap.
    public var statsNow: StatValues?
    /// How long `statsNow` spans, where statistics were not read in each interval.
    public var statsSpan: Duration?
    /// Growth in the last minute, or since it has been known; nil likewise. Unlike `statsNow` one quiet interval does not
    /// hide what goes on.
    public var statsMinute: StatGrowth?
    /// The same of the last 30 s.
    public var statsHalfMinute: StatGrowth?
    /// Why no statistics are read, where somebody might expect them; what was read before stays in `stats`.
    package var statsObstacle: StatisticsObstacle?
    /// The kernel log said "table full" for this namespace since the last interval.
    public var tableFullLines = TableFullCount()

    /// Ring slots.
    public var ringCapacity = 0
    /// The most records that ever waited in the ring.
    public var ringPeak = 0
    /// CPU seconds this process has used.
    public var cpuSeconds = 0.0
    /// What fails.
    public var degraded: [Degradation] = []

    /// A sample that knows nothing but its table.
    public init(moment: Moment, table: TableLook) {
        self.moment = moment
        self.table = table
    }

    /// entries / limit; nil when either is unknown or the limit is 0 (unlimited).
    public var usage: Double? {
        guard let entries = table.entries, let limit = table.limit, limit > 0 else { return nil }
        return Double(entries) / Double(limit)
    }

    /// Events are listened to and none can come: of what does not come nothing follows.
    public var isSilent: Bool { silence != nil || isNetlinkThere == false }

    /// Of the events of the last minute, the share that was lost; nil when none are listened to.
    public var lostShareOfMinute: Double? {
        guard let eventsMinute else { return nil }
        let all = eventsMinute + lostMinute.total
        return all > 0 ? Double(lostMinute.total) / Double(all) : 0
    }

    /// Entries hang in the hash twice, once a direction: the average length of a bucket's chain.
    public var chainLength: Double? {
        guard let entries = table.entries, let buckets, buckets > 0 else { return nil }
        return 2 * Double(entries) / Double(buckets)
    }

    /// `fillRate` where it says something: nil as well when it rounds to nothing.
    public var notableFillRate: Double? {
        fillRate.flatMap { $0.magnitude >= Sample.leastFillRate ? $0 : nil }
    }

    /// Seconds until the table is full at the last minute's rate; nil when it is not filling any more, has no limit, or
    /// that is more than a day away.
    public var timeToFull: Double? {
        guard isStillFilling, let seconds = secondsToFull, seconds <= Sample.longestForecast else { return nil }
        return seconds
    }

    /// Likewise, however far away that is and whether or not it still fills.
    package var secondsToFull: Double? {
        guard let entries = table.entries, let limit = table.limit, limit > 0, let rate = notableFillRate, rate > 0
        else { return nil }
        return limit > entries ? Double(limit - entries) / rate : 0
    }

    /// The last 10 s go on with what the minute began: what rose and then stood still is not on its way to the limit.
    package var isStillFilling: Bool {
        guard let fillRate, let fillRateRecent else { return true }
        return fillRateRecent >= fillRate / 4
    }

    private static let leastFillRate = 0.05
    private static let longestForecast = 86_400.0

    /// New entries a second: counted in this interval, or estimated while `isPartial`; nil when such events are not heard.
    public var newPerSecond: Double? { isPartial ? newEstimate : rate(of: .new, eventsNow?.new) }

    /// Changes of entries a second; nil while `isPartial`, for which there is no estimate.
    public var updatePerSecond: Double? { isPartial ? nil : rate(of: .update, eventsNow?.update) }

    /// Entries gone a second, as `newPerSecond`.
    public var destroyPerSecond: Double? { isPartial ? destroyEstimate : rate(of: .destroy, eventsNow?.destroy) }

    private func rate(of kind: EventGroups, _ count: UInt64?) -> Double? {
        kinds.contains(kind) && unheardNow.isDisjoint(with: kind) ? perSecond(count) : nil
    }

    /// A count of this interval as a rate; nil across a gap, without a look, or in an interval of no length.
    public func perSecond(_ count: UInt64?) -> Double? {
        perSecond(count, in: elapsed)
    }

    /// What `statsNow` has, as a rate; likewise.
    package func statsPerSecond(_ count: UInt64?) -> Double? {
        perSecond(count, in: statsSpan ?? elapsed)
    }

    private func perSecond(_ count: UInt64?, in span: Duration) -> Double? {
        guard let count, gap == nil, age == nil, span > .zero else { return nil }
        return Double(count) / span.inSeconds
    }
}

/// "table full" lines of the kernel log in one interval.
public struct TableFullCount: Equatable, Sendable {
    /// Naming this network namespace (kernel 6.18).
    public var ours = 0
    /// Naming none: any namespace's table may have been full.
    public var unnamed = 0

    /// None.
    public init() {}

    /// Adds those of another time.
    package mutating func add(_ other: TableFullCount) {
        ours += other.ours
        unnamed += other.unnamed
    }
}
