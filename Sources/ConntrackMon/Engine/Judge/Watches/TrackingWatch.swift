// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// New connections were steady and none has been tracked for a minute, though the module is there and connections are
/// opened as before: the rules that have connections tracked are gone (`nft flush ruleset`).
///
/// That none is tracked proves nothing: a batch that ends, a night, look the same. So TCP's own count of opened connections
/// is asked, but only where it went with the tracked ones before: where few of them were tracked (notrack, a rule for IPv4
/// alone), or most of what was tracked is forwarded, what goes on now may never have been tracked. Datagrams, forwarded or
/// not, tell nothing: a tunnel or a backup that goes on needs no new connection.
struct TrackingWatch: Sendable {
    private static let silence = Duration.seconds(60)
    private static let minute = Duration.seconds(60)
    private static let minutesBefore = 3
    /// New entries a minute that count as steady, and opened connections that count as traffic.
    private static let steady: UInt64 = 60
    private static let opened: UInt64 = 30
    /// Who begins to open connections again after this long is another one than before.
    private static let longest = Duration.seconds(180)
    /// Between two readings of the traffic.
    private static let step = Duration.seconds(10)

    /// What was counted by a time at which the traffic was read.
    private struct Point {
        var time: MonotonicTime
        var new: UInt64
        var newTCP: UInt64
        var opens: UInt64
    }

    /// Those of the last minutes, and one before them.
    private var points: [Point] = []
    /// The last sample with a new entry, or in which there may have been one.
    private var silentSince: MonotonicTime?
    private var last: (new: UInt64, entries: UInt64?)?
    private var isSaid = false

    /// Forgets what came before: a reload.
    mutating func restart() {
        points = []
        silentSince = nil
        last = nil
        isSaid = false
    }

    mutating func observe(_ sample: Sample) -> Notice? {
        guard let events = sample.events, sample.kinds.contains(.new), sample.silence == nil, sample.gap == nil,
            sample.lostNow.total == 0, !sample.table.absent, sample.isNetlinkThere != false
        else {
            restart()
            return nil
        }
        let time = sample.moment.monotonic
        if mayHaveTracked(sample, events.new) {
            silentSince = time
            isSaid = false
        }
        last = (events.new, sample.table.entries)
        guard let traffic = sample.traffic else { return nil }
        add(Point(time: time, new: events.new, newTCP: sample.newByProtocol[6] ?? 0, opens: traffic.tcpOpens))
        guard !isSaid, let opened = openedUntracked(at: time) else { return nil }
        isSaid = true
        return notice(opened)
    }

    /// Whether this sample has a new entry, or may have one that was not heard: events were not listened to for a part of
    /// it, or the table grew, which it cannot where nothing is tracked.
    private func mayHaveTracked(_ sample: Sample, _ new: UInt64) -> Bool {
        guard let last else { return true }
        let isMore = sample.table.entries.flatMap { now in last.entries.map { now > $0 } } ?? false
        return new != last.new || sample.isPartial || isMore
    }

    private mutating func add(_ point: Point) {
        if let last = points.last, point.opens < last.opens || point.new < last.new { points = [] }
        points.append(point)
        let needed = TrackingWatch.minute * TrackingWatch.minutesBefore + TrackingWatch.longest + .seconds(120)
        while points.count > 2, point.time - points[1].time > needed { points.removeFirst() }
    }

    /// The last point at `time` or before it.
    private func point(at time: MonotonicTime, minus duration: Duration = .zero) -> Point? {
        points.last { $0.time + duration <= time }
    }

    /// How many connections were opened in the last minute, and tracked in the minutes before; nil unless tracking stopped.
    private func openedUntracked(at now: MonotonicTime) -> (opened: UInt64, tracked: UInt64)? {
        guard let since = silentSince, now - since >= TrackingWatch.silence, now - since <= TrackingWatch.longest,
            let end = points.last,
            let start = points.first(where: {
                $0.time >= since && now - $0.time <= TrackingWatch.minute + TrackingWatch.step
            })
        else { return nil }
        let before = (0...TrackingWatch.minutesBefore).map { point(at: since, minus: TrackingWatch.minute * $0) }
        guard let newest = before.first ?? nil, let oldest = before.last ?? nil else { return nil }
        for (later, earlier) in zip(before, before.dropFirst()) {
            guard let later, let earlier, later.new - earlier.new >= TrackingWatch.steady else { return nil }
        }
        let opened = end.opens - start.opens
        let (opensBefore, tcpBefore) = (newest.opens - oldest.opens, newest.newTCP - oldest.newTCP)
        let rate = Double(opened) / (end.time - start.time).inSeconds
        let rateBefore = Double(opensBefore) / (newest.time - oldest.time).inSeconds
        // One over loopback is opened, accepted and tracked once.
        let isTracked = Double(opensBefore) <= 2.2 * Double(tcpBefore) && Double(tcpBefore) <= 1.5 * Double(opensBefore)
        guard isTracked, opened >= TrackingWatch.opened, rate >= 0.75 * rateBefore else { return nil }
        return (opened, newest.new - oldest.new)
    }

    private func notice(_ count: (opened: UInt64, tracked: UInt64)) -> Notice {
        Notice(
            .trackingStopped,
            Explanation(
                "no new connection was tracked for a minute (\(count.tracked) in the three minutes before), while traffic"
                    + " goes on (\(count.opened) TCP connections were opened or accepted here meanwhile): the rules that"
                    + " have connections tracked are gone (nft flush ruleset, iptables -F)"),
            values: ["opened": Double(count.opened), "tracked_before": Double(count.tracked)])
    }
}
