// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

// The first look, compared with what was known when the monitor last watched.

extension LimitWatch {
    mutating func observeFirst(_ look: TableLook, _ limit: UInt64) -> [Notice] {
        let time = look.moment.monotonic
        defer { accepted = accepted ?? (limit, .accepted) }
        let notices = past.map { compare(look, limit, $0) } ?? []
        past = nil
        if fall == nil, settling == nil, let expected = settings.expectMax, isLess(limit, expected) {
            let story = "below --expect-max \(limitText(expected)) since before the monitor looked"
            begin(Fall(from: expected, to: limit, cause: .unknown, since: time, story: story))
        }
        return notices
    }

    /// What happened while nobody watched.
    private mutating func compare(_ look: TableLook, _ limit: UInt64, _ past: Past) -> [Notice] {
        let time = look.moment.monotonic
        waived = past.waived
        if var fall = past.fall, past.cause == .whileDown, isLess(limit, baseline?.limit ?? past.accepted),
            !isLess(limit, fall.to)
        {
            // It was said and counted when it began.
            accepted = (past.accepted, .state)
            fall.since = time
            fall.to = limit
            self.fall = fall
            return []
        }
        guard isLess(limit, past.accepted), isLess(limit, settings.expectMax ?? past.accepted) else {
            accepted = (limit, .accepted)
            if past.fall != nil { mended = "\(past.story): nf_conntrack_max is \(limitText(limit))" }
            guard limit != past.accepted else { return [] }
            let change = "nf_conntrack_max \(limitText(past.accepted)) -> \(limitText(limit))"
            return [Notice(.limitChanged, Explanation("\(past.story): \(change)"))]
        }
        accepted = (past.accepted, .state)
        if past.cause == .reboot, time < MonotonicTime(nanoseconds: 0) + settings.bootGrace {
            // What is configured may come yet.
            settling = Settling(
                cause: .reboot, at: time, until: MonotonicTime(nanoseconds: 0) + settings.bootGrace,
                limitBefore: past.accepted, lowest: limit, story: past.story)
        } else {
            begin(
                Fall(
                    from: past.accepted, to: limit, cause: past.cause, since: time, story: past.story,
                    isReload: past.isReload))
        }
        return []
    }

    /// What the state file knows; judged at the first look.
    mutating func restore(_ past: Past) {
        self.past = past
    }

    /// What to keep for the next start; nil before the first whole look.
    var keep: Kept? {
        if let past { return Kept(accepted: past.accepted, fall: past.fall, waived: past.waived) }
        return accepted.map { Kept(accepted: $0.limit, fall: fall, waived: waived) }
    }
}
