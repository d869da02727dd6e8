// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Most of the table went at once, and not because its time was over.
struct MassDeparture: Equatable, Sendable {
    /// The highest count of the second before.
    var before: UInt64
    /// The lowest count since.
    var left: UInt64
    /// Whose end was heard meanwhile.
    var departures: Departures
    /// How long it took, as far as looks tell.
    var span: Duration

    /// Over half of what was there, and over 1,000.
    func isMost(_ count: UInt64) -> Bool { count > 1000 && count > before / 2 }

    private var fall: UInt64 { before - min(before, left) }

    /// A program deleted them: their events alone say so, and nearly all of those that went were heard.
    var isDeleted: Bool {
        isMost(departures.deleted) && before > 1000 && fall > before / 2 && departures.deleted >= fall / 10 * 9
    }

    /// The kernel forgot connections that were open.
    var isForgotten: Bool { isMost(departures.forgotten) && fall > before / 2 }

    /// That many went, and a program deleted most of those whose end was heard. Not of all it is heard: events are lost,
    /// the groups are left for part of the time, and an entry made before somebody listened sends none.
    var isDeletedAsFarAsHeard: Bool {
        isMost(fall) && departures.heard >= fall / 10 && departures.deleted > departures.heard / 2
    }

    /// Whether most of the table went, and it is known how.
    var isKnown: Bool { isDeleted || isForgotten || isDeletedAsFarAsHeard }

    /// How many entries went, at least.
    var gone: UInt64 {
        isDeleted ? min(departures.deleted, before) : isForgotten ? min(departures.forgotten, before) : fall
    }
}

/// The looks of the last second, with whose end was heard by then: tells when most of the table went at once, as soon as it
/// has calmed and the numbers are whole, and once.
///
/// A look and its events do not come together: what went before a look may be heard after it. So the window has the looks
/// of a second, the one before, and a look more.
struct DepartureWindow: Sendable {
    private static let length = Duration.seconds(1)
    /// What is still going on is told of after this long.
    private static let patience = Duration.seconds(2)
    /// A few looks, as they usually come.
    private static let pause = Duration.milliseconds(300)
    /// It has calmed when in this many looks hardly any went.
    private static let calm = 2
    /// Where no more were forced to go, most of the table was not: half of a tenth of 1,000.
    private static let few: UInt64 = 50

    private struct Mark {
        var time: MonotonicTime
        var entries: UInt64
        var departures: Departures
    }

    /// One that is under way.
    private struct UnderWay {
        /// The last look before it.
        var base: Mark
        var before: UInt64
        var left: UInt64
        var since: MonotonicTime
        /// The look that the last of it was heard by.
        var newest: MonotonicTime
        var forced: UInt64
        var calmLooks = 0
        var isTold = false
    }

    private var marks: [Mark] = []
    private var underWay: UnderWay?

    /// When to come back for one that is under way, or may be as soon as its events are heard: no look wakes anybody for it.
    var until: MonotonicTime? {
        guard let last = marks.last else { return nil }
        let (before, left) = extremes
        let isUnderWay = underWay.map { !$0.isTold } ?? (before > 1000 && left < before / 2)
        return isUnderWay ? last.time + DepartureWindow.pause : nil
    }

    /// The table is another one from here on, or was not looked at.
    mutating func reset() {
        marks.removeAll(keepingCapacity: true)
        underWay = nil
    }

    /// A look at the table, with all departures that were heard by then; what is to be told of.
    mutating func add(_ entries: UInt64, _ departures: Departures, at time: MonotonicTime) -> MassDeparture? {
        let mark = Mark(time: time, entries: entries, departures: departures)
        marks.append(mark)
        while marks.count > 3, time - marks[2].time >= DepartureWindow.length { marks.removeFirst() }
        if underWay != nil { return follow(mark) }
        // Ten times a second nothing is the case.
        guard departures.forced - marks[0].departures.forced > DepartureWindow.few else { return nil }
        begin(mark)
        return nil
    }

    private mutating func begin(_ mark: Mark) {
        let (before, left) = extremes
        // What was heard of it begins after the last look by which nothing was.
        let first = marks.firstIndex { $0.departures.forced > marks[0].departures.forced } ?? 0
        let base = marks[max(0, first - 1)]
        let departure = MassDeparture(
            before: before, left: left, departures: mark.departures - marks[0].departures, span: .zero)
        guard departure.isKnown else { return }
        underWay = UnderWay(
            base: base, before: before, left: left, since: mark.time, newest: mark.time,
            forced: mark.departures.forced)
    }

    /// The highest count, and the lowest one after it.
    private var extremes: (before: UInt64, left: UInt64) {
        var (before, left) = (UInt64(0), UInt64(0))
        for mark in marks {
            if mark.entries >= before { (before, left) = (mark.entries, mark.entries) }
            left = min(left, mark.entries)
        }
        return (before, left)
    }

    private mutating func follow(_ mark: Mark) -> MassDeparture? {
        guard var now = underWay else { return nil }
        let more = mark.departures.forced - now.forced
        // Some programs delete a few all the time.
        let isCalm = more <= (mark.departures.forced - now.base.departures.forced) / 50
        now.calmLooks = isCalm ? now.calmLooks + 1 : 0
        if !isCalm { now.newest = mark.time }
        now.forced = mark.departures.forced
        now.left = min(now.left, mark.entries)
        let isOver = now.calmLooks >= DepartureWindow.calm
        let isTime = isOver || mark.time - now.since >= DepartureWindow.patience
        let wasTold = now.isTold
        now.isTold = isTime
        underWay = isOver ? nil : now
        // Nothing of it counts for the next one.
        if isOver { marks = [mark] }
        guard isTime, !wasTold else { return nil }
        let departure = MassDeparture(
            before: now.before, left: now.left, departures: mark.departures - now.base.departures,
            span: now.newest - now.base.time)
        return departure.isKnown ? departure : nil
    }
}
