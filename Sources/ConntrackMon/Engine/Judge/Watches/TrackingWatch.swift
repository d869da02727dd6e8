// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// New connections were steady and none has come for a minute, though the module is there: the rules that have
/// connections tracked are gone (`nft flush ruleset`), or the traffic is.
struct TrackingWatch: Sendable {
    private static let minutesBefore = 3
    /// New entries a minute that count as steady.
    private static let steady: UInt64 = 60

    private var minutes: [UInt64] = []
    private var began: (time: MonotonicTime, new: UInt64)?
    /// For a part of this minute events were not listened to.
    private var isPartial = false

    /// Forgets what came before: a reload.
    mutating func restart() {
        minutes = []
        began = nil
    }

    mutating func observe(_ sample: Sample) -> Notice? {
        guard isStopped(by: sample) else { return nil }
        return Notice(
            .trackingStopped,
            Explanation(
                "new connections were steady, and none has come for a minute: the rules that have them tracked are gone"
                    + " (nft flush ruleset, iptables -F), or the traffic is"))
    }

    /// Whether tracking stopped with this sample. Loss, a gap, an absence or events that
    /// cannot come start the watch anew.
    private mutating func isStopped(by sample: Sample) -> Bool {
        guard let events = sample.events, sample.gap == nil, sample.lostNow.total == 0, !sample.table.absent,
            sample.isNetlinkThere != false
        else {
            restart()
            return false
        }
        let time = sample.moment.monotonic
        guard let start = began, events.new >= start.new else {
            began = (time, events.new)
            isPartial = sample.isPartial
            return false
        }
        isPartial = isPartial || sample.isPartial
        guard time - start.time >= .seconds(60) else { return false }
        let new = events.new - start.new
        began = (time, events.new)
        // What was heard in a part of a minute is the least there was: enough to be steady, never to be none.
        let isUnsure = isPartial && new < TrackingWatch.steady
        isPartial = false
        if isUnsure { return false }
        defer { minutes = (minutes + [new]).suffix(TrackingWatch.minutesBefore) }
        return new == 0 && minutes.count == TrackingWatch.minutesBefore
            && minutes.allSatisfy { $0 >= TrackingWatch.steady }
    }
}
