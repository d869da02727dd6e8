// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What the table's own change says of the events of an interval: entries at its end are those at its beginning, and the new
/// ones, less those destroyed. Where not one event of a kind came, and there must have been some, its rate is not 0 but not
/// known.
///
/// A look is a little ahead of the events of what it saw. So each side of the balance is taken where it is certain: what
/// must have been from the events that surely fell between two looks, what was heard from all that may have.
struct IntervalBalance: Sendable {
    private struct Mark {
        var entries: UInt64
        /// Counted when the look was taken: events from before it may still be missing.
        var events: EventCounts
    }

    /// The last look of the interval before.
    private var begin: Mark?
    /// Counted at the first look after that one: all events from before `begin` are in it.
    private var settled: EventCounts?
    private var latest: Mark?

    /// Takes a look, with what was counted until then; `entries` nil = not known.
    mutating func take(_ entries: UInt64?, _ events: EventCounts) {
        settled = settled ?? events
        latest = entries.map { Mark(entries: $0, events: events) }
    }

    /// The kinds of which there must have been some up to now, with `events` counted, and none came.
    func unheard(_ events: EventCounts) -> EventGroups {
        guard let begin, let latest, let settled else { return [] }
        let heard = events - begin.events
        let certain = latest.events - settled
        let gain = Int64(clamping: latest.entries) - Int64(clamping: begin.entries)
        var unheard: EventGroups = []
        if heard.new == 0, gain + Int64(clamping: certain.destroy) > 0 { unheard.insert(.new) }
        if heard.destroy == 0, Int64(clamping: certain.new) - gain > 0 { unheard.insert(.destroy) }
        return unheard
    }

    /// The interval is over.
    mutating func close() {
        begin = latest
        settled = nil
    }
}
