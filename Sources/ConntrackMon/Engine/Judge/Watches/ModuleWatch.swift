// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import Glibc

/// Follows nf_conntrack through every look at the table: when it is gone, when it is back, and how often.
///
/// Two witnesses: kept descriptors prove at least one unload between two looks, uevents tell how many there were. What a
/// descriptor proved first, the uevent that follows must not count again.
struct ModuleWatch: Sendable {
    /// The module is back.
    struct Return: Equatable, Sendable {
        /// How long it was seen to be gone; nil when it came back between two looks.
        var gone: Duration?
        /// How many times since the look before.
        var times: UInt64
    }

    /// What one look says.
    enum Change: Equatable, Sendable {
        case none
        /// Never seen so far, said once.
        case absent
        case back(Return)
    }

    /// A uevent follows within milliseconds; what it would confirm after that never came.
    private static let patience = Duration.seconds(1)

    private var isKnown = false
    private var saidAbsent = false
    /// An unload was proved since the last look that showed the table.
    private var unloadSeen = false
    /// Loads that uevents told of since then; only such a look counts them.
    private var uncounted: UInt64 = 0
    /// The last uevent was a load.
    private var loadTold = false
    /// Loads that were counted before their uevents came.
    private var owed: (loads: UInt64, until: MonotonicTime)?
    /// One of those came since the last look that showed the table.
    private var owedCame = false

    /// The last run had said that it is gone, and it was not seen since.
    private(set) var wasUnloaded = false
    private(set) var absentSince: MonotonicTime?
    private(set) var reloads: UInt64 = 0
    /// How long it was away last time.
    private(set) var lastAbsence: Duration?

    /// Whether the table may be judged by this look: not when the unload or the load fell into it.
    func isWhole(_ look: TableLook) -> Bool {
        look.limit != nil && !((unloadSeen || look.unloaded) && look.entriesFault == ENOENT)
    }

    /// The last run had said that it is gone: if it still is, that is no module that was never there.
    mutating func restoreUnload() {
        isKnown = true
        wasUnloaded = true
    }

    mutating func observe(_ look: TableLook) -> Change {
        takeUevents(look)
        if look.absent { return observeAbsence(look) }
        unloadSeen = unloadSeen || look.unloaded
        guard isWhole(look) else { return .none }
        defer {
            unloadSeen = false
            uncounted = 0
            owedCame = false
            isKnown = true
            wasUnloaded = false
        }
        let time = look.moment.monotonic
        let gone = absentSince.map { time - $0 }
        absentSince = nil
        if !isKnown { return observeFirst(at: time) }

        let times = count(at: time, proved: unloadSeen || gone != nil)
        guard times > 0 else { return .none }
        reloads += times
        lastAbsence = gone
        return .back(Return(gone: gone, times: times))
    }

    /// Uevents are counted whatever the look they come with shows; those of loads that a descriptor proved first were.
    private mutating func takeUevents(_ look: TableLook) {
        if look.loads != look.unloads { loadTold = look.loads > look.unloads }
        if let waiting = owed, look.moment.monotonic > waiting.until { owed = nil }
        let late = min(owed?.loads ?? 0, look.loads)
        if late > 0 {
            owed?.loads -= late
            owedCame = true
        }
        uncounted += look.loads - late
    }

    private mutating func observeAbsence(_ look: TableLook) -> Change {
        unloadSeen = false
        // Gone again: the uevent of the load before has come, or never will.
        owed = nil
        owedCame = false
        if isKnown {
            absentSince = absentSince ?? look.moment.monotonic
            return .none
        }
        defer { saidAbsent = true }
        return saidAbsent ? .none : .absent
    }

    /// The first load is no reload, and neither is its uevent, which may come a moment later.
    private mutating func observeFirst(at time: MonotonicTime) -> Change {
        guard saidAbsent else { return .none }
        if !loadTold { owed = (1, time + ModuleWatch.patience) }
        let loads = uncounted + (loadTold ? 0 : 1)
        reloads += max(1, loads) - 1
        return .none
    }

    /// How many reloads there were since the last look that showed the table.
    private mutating func count(at time: MonotonicTime, proved: Bool) -> UInt64 {
        guard proved, uncounted == 0 else { return uncounted }
        // One more uevent is to come, and is counted then.
        if owedCame { return 0 }
        owed = ((owed?.loads ?? 0) + 1, time + ModuleWatch.patience)
        return 1
    }
}
