// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What is kept of an interval for the plot and for looking back. What is not known is nil.
struct LivePoint: Equatable, Sendable {
    /// What happened in it.
    struct Marks: OptionSet, Sendable {
        let rawValue: UInt8

        static let reload = Marks(rawValue: 1)
        static let limitChange = Marks(rawValue: 2)
        static let alert = Marks(rawValue: 4)
        static let lost = Marks(rawValue: 8)
    }

    /// Its end.
    var moment: Moment
    /// At the end.
    var entries: UInt64?
    /// The lowest and the highest count that was seen.
    var low: UInt64?
    var high: UInt64?
    /// At the end; 0 = unlimited.
    var limit: UInt64?
    /// A second; estimates where `isPartial`.
    var new: Double?
    var destroy: Double?
    var isPartial = false
    /// Events that were lost in it.
    var lost: UInt64 = 0
    /// The share of the time that was listened.
    var duty: Float?
    /// What the monitor took, a share of one core.
    var cpu: Float?
    var marks: Marks = []

    /// entries / limit.
    var usage: Double? {
        guard let entries, let limit, limit > 0 else { return nil }
        return Double(entries) / Double(limit)
    }
}

/// The last hour, in memory that does not grow: a point an interval, or a second where intervals are shorter, and what was
/// said. Points are numbered from the start of watching.
struct LiveHistory: Sendable {
    /// Something said, and the point of its time.
    struct Said: Sendable {
        var announcement: Announcement
        var point: Int
    }

    /// An hour of seconds.
    static let capacity = 3600
    /// How much of what was said is kept.
    static let longestLog = 1000

    private var points: [LivePoint] = []
    /// How many points there were.
    private(set) var total = 0
    /// Oldest first.
    private(set) var said: [Said] = []
    private var openedAt: MonotonicTime?
    /// Marks of the next point.
    private var coming: LivePoint.Marks = []
    private var reloads: UInt64?
    private var cpuSeconds: (at: MonotonicTime, seconds: Double)?

    init() {
        points.reserveCapacity(LiveHistory.capacity)
    }

    /// The numbers of the points that are kept.
    var numbers: Range<Int> { max(0, total - points.count)..<total }

    /// The point of that number, while it is kept.
    subscript(number: Int) -> LivePoint? {
        numbers.contains(number) ? points[number % LiveHistory.capacity] : nil
    }

    /// The newest.
    var last: LivePoint? { self[total - 1] }

    /// The number of the last point that ended at `time` or before; the first one when none did. nil without points.
    func number(at time: WallTime) -> Int? {
        guard !numbers.isEmpty else { return nil }
        // The wall clock may jump, so this is no search by halves.
        return numbers.last { (self[$0]?.moment.wall.nanoseconds ?? .max) <= time.nanoseconds } ?? numbers.first
    }

    // MARK: What comes

    /// An interval's end.
    mutating func add(_ report: Report) {
        var point = LivePoint(report, after: last)
        point.cpu = cpuShare(report.sample)
        point.marks.formUnion(coming)
        coming = []
        if let reloads, report.reloads > reloads { point.marks.insert(.reload) }
        reloads = report.reloads
        let now = report.sample.moment.monotonic
        if let openedAt, report.interval < .seconds(1), now - openedAt < .seconds(1) - report.interval / 2,
            let open = last
        {
            points[(total - 1) % LiveHistory.capacity] = open.joined(with: point)
            return
        }
        openedAt = now
        if points.count < LiveHistory.capacity {
            points.append(point)
        } else {
            points[total % LiveHistory.capacity] = point
        }
        total += 1
    }

    /// Something said. It belongs to the point that comes next, in which it happened.
    mutating func add(_ announcement: Announcement) {
        said.append(Said(announcement: announcement, point: total))
        if said.count > LiveHistory.longestLog { said.removeFirst(said.count - LiveHistory.longestLog) }
        if announcement.state == .firing { coming.insert(.alert) }
    }

    private mutating func cpuShare(_ sample: Sample) -> Float? {
        let now = sample.moment.monotonic
        defer { cpuSeconds = (now, sample.cpuSeconds) }
        guard let before = cpuSeconds, now > before.at else { return nil }
        return Float(max(0, sample.cpuSeconds - before.seconds) / (now - before.at).inSeconds)
    }

    /// What fired at the end of point `number`, as far as what is kept of the log tells, each with its last words; worst
    /// first.
    func firing(at number: Int) -> [Announcement] {
        var firing: [Announcement] = []
        for said in said where said.point <= number {
            let announcement = said.announcement
            guard announcement.state != .notice, announcement.state != .log else { continue }
            firing.removeAll { $0.name == announcement.name && $0.subject == announcement.subject }
            if announcement.state != .resolved { firing.append(announcement) }
        }
        return firing.filter { $0.level == .critical } + firing.filter { $0.level != .critical }
    }
}

extension LivePoint {
    /// What is to be kept of `report`, the one after `last`.
    init(_ report: Report, after last: LivePoint?) {
        let sample = report.sample
        moment = sample.moment
        limit = sample.table.limit
        // An old look is no point of now.
        if sample.age == nil {
            entries = sample.table.entries
            if let entries {
                high = max(entries, sample.entriesPeakSecond ?? 0)
                low = min(entries, last?.entries ?? entries)
            }
        }
        new = sample.newPerSecond
        destroy = sample.destroyPerSecond
        isPartial = sample.isPartial
        lost = sample.lostNow.total
        duty = sample.duty.map { Float($0.ratio) }
        if lost > 0 { marks.insert(.lost) }
        if let before = last?.limit, let limit, before != limit { marks.insert(.limitChange) }
    }

    /// Both as one.
    fileprivate func joined(with next: LivePoint) -> LivePoint {
        var point = next
        point.low = [low, next.low].compactMap { $0 }.min()
        point.high = [high, next.high].compactMap { $0 }.max()
        point.lost += lost
        point.marks.formUnion(marks)
        return point
    }
}
