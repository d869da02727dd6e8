// SPDX-License-Identifier: GPL-3.0-or-later

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
    private var owed: (loads: UInt64, until: MonotonicTime)?

    private(set) var absentSince: MonotonicTime?
    private(set) var reloads: UInt64 = 0
    /// How long it was away last time.
    private(set) var lastAbsence: Duration?

    /// Whether the table may be judged by this look: not when the unload or the load fell into it.
    func isWhole(_ look: TableLook) -> Bool {
        look.limit != nil && !((unloadSeen || look.unloaded) && look.entriesFault == ENOENT)
    }

    mutating func observe(_ look: TableLook) -> Change {
        if look.absent { return observeAbsence(look) }
        unloadSeen = unloadSeen || look.unloaded
        guard isWhole(look) else {
            // Its uevents are counted with the next whole look.
            return .none
        }
        defer {
            unloadSeen = false
            isKnown = true
        }
        let time = look.moment.monotonic
        let gone = absentSince.map { time - $0 }
        absentSince = nil
        if !isKnown { return observeFirst(look) }

        let times = count(look, proved: unloadSeen || gone != nil)
        guard times > 0 else { return .none }
        reloads += times
        lastAbsence = gone
        return .back(Return(gone: gone, times: times))
    }

    private mutating func observeAbsence(_ look: TableLook) -> Change {
        unloadSeen = false
        // Loads that did not last are over; only the one that stays is counted, when it is seen.
        if isKnown {
            absentSince = absentSince ?? look.moment.monotonic
            reloads += look.unloads > 1 ? min(look.loads, look.unloads - 1) : 0
            return .none
        }
        defer { saidAbsent = true }
        return saidAbsent ? .none : .absent
    }

    /// The first load is no reload, and neither is its uevent, which may come a moment later.
    private mutating func observeFirst(_ look: TableLook) -> Change {
        guard saidAbsent else { return .none }
        if look.loads == 0 { owed = (1, look.moment.monotonic + ModuleWatch.patience) }
        reloads += look.loads > 1 ? look.loads - 1 : 0
        return .none
    }

    /// How many reloads this look adds.
    private mutating func count(_ look: TableLook, proved: Bool) -> UInt64 {
        let time = look.moment.monotonic
        if let waiting = owed, time > waiting.until { owed = nil }
        let confirmed = min(owed?.loads ?? 0, look.loads)
        if confirmed > 0 { owed?.loads -= confirmed }
        let told = look.loads - confirmed
        guard proved, told == 0 else { return told }
        if confirmed > 0 { return 0 }
        owed = ((owed?.loads ?? 0) + 1, time + ModuleWatch.patience)
        return 1
    }
}
