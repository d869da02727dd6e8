// SPDX-License-Identifier: GPL-3.0-or-later

internal import CRecord
internal import ConntrackModel

/// Whether events that are listened to come at all. Two things speak against it: nf_conntrack_events is 0, or entries come
/// and no event tells of them.
///
/// Unconfirmed entries are in the count and have no event yet: those of packets that are dropped before they are confirmed,
/// and up to 1,024 that a queue to userspace holds (NFQUEUE). So a rise must be large, and stay.
struct SilenceTracker: Sendable {
    /// A reading that says that the kernel makes no events.
    private struct Off {
        var readAt: MonotonicTime
        /// An entry came with its event after that: the reading is old, or rules choose events (CT --ctevents).
        var isDenied = false
        /// How many readings were denied and found to be true again.
        var denials = 0

        /// Once may be an entry that was just being made.
        var isBelieved: Bool { !isDenied && denials < 2 }
    }

    /// So many entries without an event are suspicious...
    private static let enough: UInt64 = 100
    /// ...and a silence when they have been there for so long.
    private static let hold = Duration.seconds(5)
    /// An event may wait in the socket, or in the kernel's ring, before it is counted.
    private static let lateness = Duration.milliseconds(200)

    private let longestPause: Duration
    private let interval: Duration

    private var groups: EventGroups = []
    private var off: Off?
    /// The lowest count since the last event; nil = to be seen by the next look.
    private var lowest: UInt64?
    private var suspectedSince: MonotonicTime?
    /// How many came unheard: a silence, until an event ends it.
    private var unheard: UInt64?
    private var lastLook: MonotonicTime?
    private var away = 0.0
    private var isReadingOld = false
    private var wantedAt: MonotonicTime?

    /// Looks that are further apart than `longestPause` say nothing together; the settings are wanted at most once an
    /// `interval`.
    init(longestPause: Duration, interval: Duration = .seconds(1)) {
        self.longestPause = longestPause
        self.interval = interval
    }

    /// Why nothing is heard; nil as long as nothing speaks for that.
    var silence: EventSilence? {
        guard !groups.isEmpty else { return nil }
        if let off, off.isBelieved || unheard != nil { return .setting }
        return unheard.map { .unheard(entries: $0) }
    }

    /// Takes what nf_conntrack_events was at `time`; nil = there is no such setting, or no table.
    mutating func take(setting value: UInt64?, at time: MonotonicTime) {
        isReadingOld = false
        guard value == 0 else {
            // From here on there are events again, as far as it depended on that.
            if off != nil { forget() }
            off = nil
            return
        }
        var now = off ?? Off(readAt: time)
        if now.isDenied { now.denials += 1 }
        now.isDenied = false
        now.readAt = time
        off = now
    }

    /// Takes how many events came, and were lost: any of them ends a silence.
    mutating func take(_ record: cnf_counts) {
        let received = EventCounts(record.received)
        guard received.total > 0 || LostEvents(record).total > 0 else { return }
        forget()
        // Entries that were made before still send their last event: only a new one speaks against the reading.
        guard received.new > 0, let readAt = off?.readAt else { return }
        guard MonotonicTime(nanoseconds: record.time_ns) > readAt + SilenceTracker.lateness else { return }
        off?.isDenied = true
        isReadingOld = off?.isBelieved == false && off?.denials ?? 0 < 2
    }

    /// Takes a look, with `groups` listened to as `duty` says; nil = not known. True when the settings are to be read again.
    mutating func take(_ look: TableLook, listeningTo groups: EventGroups, _ duty: EventDuty?) -> Bool {
        let now = look.moment.monotonic
        if groups != self.groups {
            forget()
            self.groups = groups
        }
        let isPartial = duty?.away ?? 0 > away
        away = duty?.away ?? 0
        let isAfterPause = lastLook.map { now - $0 > longestPause } ?? false
        lastLook = now
        guard groups.contains(.new), let entries = look.entries, !isPartial, !isAfterPause, !look.unloaded else {
            lowest = nil
            suspectedSince = nil
            return false
        }
        follow(entries, at: now)
        return isWanted(at: now)
    }

    private mutating func follow(_ entries: UInt64, at now: MonotonicTime) {
        let lowest = min(lowest ?? entries, entries)
        self.lowest = lowest
        let rise = entries - lowest
        if let known = unheard {
            unheard = max(known, rise)
        } else if rise < SilenceTracker.enough {
            suspectedSince = nil
        } else {
            let since = suspectedSince ?? now
            suspectedSince = since
            if now - since >= SilenceTracker.hold { unheard = rise }
        }
    }

    /// What is suspected may have its cause in a setting that was written since it was read. Not at the first look: the events
    /// of what it saw are still to be counted.
    private mutating func isWanted(at now: MonotonicTime) -> Bool {
        let isSuspected = unheard == nil && suspectedSince.map { now > $0 } ?? false
        guard isSuspected || isReadingOld, wantedAt.map({ now - $0 >= interval }) ?? true else { return false }
        wantedAt = now
        return true
    }

    /// Nothing is suspected any more.
    private mutating func forget() {
        lowest = nil
        suspectedSince = nil
        unheard = nil
    }
}
