// SPDX-License-Identifier: GPL-3.0-or-later

/// Follows the limit through every look at the table, and says when it has fallen.
///
/// Pure: looks in, notices out. 0 means unlimited and ranks above every number.
package struct LimitWatch: Sendable {
    /// The limit is lower than it should be.
    package struct Fall: Equatable, Sendable {
        package var from: UInt64
        package var to: UInt64
        package var cause: DropCause
        package var since: MonotonicTime
        /// What happened, for the line's parentheses.
        package var story: String
        package var incident: String?
        /// It came with a reload or a boot, which other settings do not survive either.
        package var isReload = false
        /// Usage reached the warning threshold since; a limit that does not suffice is never adopted.
        package var wasTight = false
    }

    /// The limit may be put back yet: a reload or boot is under way.
    private struct Settling: Sendable {
        var cause: DropCause
        var at: MonotonicTime
        var until: MonotonicTime
        var times: UInt64 = 0
        var limitBefore: UInt64
        var lowest: UInt64
        var forgotten: UInt64?
        var incident: String?
        /// Reloads that came after the notice.
        var unsaid: UInt64 = 0
        /// What happened, where it is not this reload.
        var story: String?
    }

    /// What was accepted when the monitor last watched, and what became of the host since.
    package struct Past: Equatable, Sendable {
        package var accepted: UInt64
        /// A fall that had not ended.
        package var fall: Fall?
        package var cause: DropCause
        /// "while not watching (4m12s): rebooted".
        package var story: String
        /// A reboot or a load of the module began everything with its default.
        package var isReload = false
        /// The configured limit below which a lower one was accepted.
        package var waived: UInt64?
    }

    /// What to keep for the next start.
    package struct Kept: Equatable, Sendable {
        package var accepted: UInt64
        package var fall: Fall?
        package var waived: UInt64?
    }

    private let settings: RuleSettings
    private var last: TableLook?  // the last whole look
    private var accepted: (limit: UInt64, source: BaselineSource)?
    private var settling: Settling?
    private var past: Past?
    /// The configured limit below which a lower one was written and accepted: that it is not applied is known.
    private(set) var waived: UInt64?

    /// What sysctl configuration asks for; nil = nothing.
    var configured: ConfiguredLimit?
    /// What parameters lost in the reload under way, for the line's "also reverted".
    var reverted = ""
    private(set) var fall: Fall?
    private(set) var drops: [DropCause: UInt64] = [:]
    /// How a fall ended that the last run had said; nil when there was none, or it goes on.
    private var mended: String?
    /// How the last fall ended.
    private(set) var ending = ""

    init(settings: RuleSettings) {
        self.settings = settings
    }

    /// The limit this host should have, and where that comes from.
    var baseline: (limit: UInt64, source: BaselineSource)? {
        if let expected = settings.expectMax { return (expected, .flag) }
        return accepted
    }

    /// When something is to be judged that no change of the table will announce.
    var settlesAt: MonotonicTime? { settling?.until }

    /// The incident that what happens now belongs to.
    var incident: String? { settling?.incident ?? fall?.incident }

    /// The limit of the last whole look.
    var live: UInt64? { last?.limit }

    // MARK: Looks

    /// Takes a whole look: one whose limit can be trusted.
    mutating func observe(_ look: TableLook, _ change: ModuleWatch.Change, reloads: ReloadCount) -> [Notice] {
        guard let limit = look.limit else { return [] }
        defer { last = look }
        guard let before = last?.limit else { return observeFirst(look, limit) }

        var notices: [Notice] = []
        if case .back(let back) = change {
            notices += observeReload(look, limit, before, back, reloads)
        } else if settling == nil && limit != before {
            notices += observeWrite(look, limit, before)
        }
        notices += settle(look, limit)
        adopt(look, limit)
        return notices
    }

    private mutating func observeFirst(_ look: TableLook, _ limit: UInt64) -> [Notice] {
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
            return [Notice(name: .limitChanged, summary: "\(past.story): \(change)")]
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

    /// The module is back, or came and went between two looks.
    private mutating func observeReload(
        _ look: TableLook, _ limit: UInt64, _ before: UInt64, _ back: ModuleWatch.Return, _ reloads: ReloadCount
    ) -> [Notice] {
        let time = look.moment.monotonic
        if var under = settling {
            // Another one before the first was judged: one restart, one notice.
            under.at = time
            under.until = max(under.until, time + settings.settle)
            under.times += back.times
            under.unsaid += back.times
            under.lowest = isLess(limit, under.lowest) ? limit : under.lowest
            settling = under
            return []
        }
        let incident = "reload-\(rfc3339(look.moment.wall))"
        let forgotten = last?.entries
        settling = Settling(
            cause: .moduleReload, at: time, until: time + settings.settle, times: back.times, limitBefore: before,
            lowest: limit, forgotten: forgotten, incident: incident)
        let gone = back.gone.map { "was gone for \(readable(seconds: $0.inSeconds))" } ?? "between two looks"
        let times = back.times > 1 ? "\(back.times) times (\(gone))" : "(\(gone))"
        let entries = forgotten.map { "; \($0) tracked connections forgotten" } ?? ""
        let limits = limit == before ? "\(limitText(limit)) as before" : "\(limitText(before)) -> \(limitText(limit))"
        let settle = readable(seconds: settings.settle.inSeconds)
        return [
            Notice(
                name: .moduleReloaded,
                summary: "nf_conntrack was unloaded and loaded again \(times)\(entries); nf_conntrack_max \(limits),"
                    + " judged in \(settle)\(reloads.caveat)",
                incident: incident,
                values: ["reloads": Double(reloads.total), "limit_before": Double(before), "limit": Double(limit)])
        ]
    }

    private mutating func observeWrite(_ look: TableLook, _ limit: UInt64, _ before: UInt64) -> [Notice] {
        if isLess(limit, wanted(after: before)) {
            if fall == nil {
                let story = "written while the module stayed loaded"
                begin(Fall(from: before, to: limit, cause: .sysctlWrite, since: look.moment.monotonic, story: story))
            } else {
                // Another value: whether it suffices shows from now on.
                fall?.to = limit
                fall?.since = look.moment.monotonic
                fall?.wasTight = false
            }
            return []
        }
        if let configured, isLess(limit, configured.limit), !isLess(before, configured.limit) {
            waived = configured.limit
        }
        let wasFallen = end("nf_conntrack_max is \(limitText(limit))")
        accepted = (limit, .accepted)
        if wasFallen { return [] }
        let why = configured.map { isLess(limit, before) ? ", not below what \($0.place) says" : "" } ?? ""
        return [
            Notice(
                name: .limitChanged,
                summary: "nf_conntrack_max \(limitText(before)) -> \(limitText(limit)); written while the module stayed"
                    + " loaded\(why)",
                values: ["limit_before": Double(before), "limit": Double(limit)])
        ]
    }

    /// The least that a write may leave without being a fall: --expect-max, else what is configured where that is less
    /// than the accepted limit, else the accepted limit.
    private func wanted(after before: UInt64) -> UInt64 {
        if let expected = settings.expectMax { return expected }
        let accepted = accepted?.limit ?? before
        guard let configured else { return accepted }
        return isLess(configured.limit, accepted) ? configured.limit : accepted
    }

    /// After a reload udev rules and sysctl lists put the limit back a moment later: judged when they had that moment.
    private mutating func settle(_ look: TableLook, _ limit: UInt64) -> [Notice] {
        guard var reload = settling else { return [] }
        if isLess(limit, reload.lowest) { reload.lowest = limit }
        settling = reload
        guard look.moment.monotonic >= reload.until else { return [] }
        settling = nil

        let baseline = baseline?.limit ?? reload.limitBefore
        if isLess(limit, baseline), fall != nil, !isLess(limit, reload.limitBefore) {
            // It had fallen before, and this took nothing more.
            fall?.to = limit
            return moreReloads(reload)
        }
        if isLess(limit, baseline) {
            let from = fall?.from ?? reload.limitBefore
            let story = reload.story ?? story(of: reload, now: look.moment.monotonic)
            begin(
                Fall(
                    from: from, to: limit, cause: reload.cause, since: reload.at, story: story,
                    incident: reload.incident, isReload: true))
            return []
        }
        _ = end("nf_conntrack_max is \(limitText(limit))")
        accepted = (limit, .accepted)
        return restored(reload, limit) + moreReloads(reload)
    }

    private func story(of reload: Settling, now: MonotonicTime) -> String {
        let age = readable(seconds: (now - reload.at).inSeconds)
        let reloaded =
            reload.times > 1 ? "module reloaded \(reload.times) times, last \(age) ago" : "module reloaded \(age) ago"
        return reloaded + (reload.forgotten.map { ", \($0) tracked connections forgotten" } ?? "")
    }

    private func restored(_ reload: Settling, _ limit: UInt64) -> [Notice] {
        guard isLess(reload.lowest, reload.limitBefore), isLess(reload.lowest, limit) else { return [] }
        return [
            Notice(
                name: .limitRestored,
                summary: "nf_conntrack_max came back as \(limitText(reload.lowest)) from the"
                    + " \(reload.cause == .reboot ? "reboot" : "reload") and was put back to \(limitText(limit))",
                incident: reload.incident, values: ["limit_lowest": Double(reload.lowest), "limit": Double(limit)])
        ]
    }

    private func moreReloads(_ reload: Settling) -> [Notice] {
        guard reload.unsaid > 0 else { return [] }
        return [
            Notice(
                name: .moduleReloaded,
                summary: "nf_conntrack was reloaded \(reload.times) times in all, limit as before",
                incident: reload.incident)
        ]
    }

    /// A lower limit that somebody wrote on purpose becomes the normal one, if it suffices.
    private mutating func adopt(_ look: TableLook, _ limit: UInt64) {
        // What a reload leaves is not what somebody wrote.
        guard let fall, settling == nil else { return }
        if let entries = look.entries, limit > 0, Double(entries) >= settings.warn * Double(limit) {
            self.fall?.wasTight = true
        }
        guard fall.cause == .sysctlWrite, settings.expectMax == nil, settings.adopt > .zero,
            self.fall?.wasTight == false,
            look.moment.monotonic - fall.since >= settings.adopt
        else { return }
        accept(limit, because: " (--adopt \(readable(seconds: settings.adopt.inSeconds)))")
    }

    // MARK: Falls

    mutating func begin(_ new: Fall) {
        drops[new.cause, default: 0] += 1
        fall = new
    }

    private mutating func end(_ how: String) -> Bool {
        guard fall != nil else { return false }
        fall = nil
        ending = how
        return true
    }

    /// What is live now becomes the accepted normal (SIGHUP).
    mutating func acceptLive() {
        guard let limit = last?.limit else { return }
        guard settings.expectMax == nil else {
            accepted = (limit, .accepted)
            return
        }
        accept(limit, because: "")
    }

    private mutating func accept(_ limit: UInt64, because: String) {
        if let fall, let configured, isLess(limit, configured.limit), !isLess(fall.from, configured.limit) {
            waived = configured.limit
        }
        accepted = (limit, .accepted)
        _ = end("\(limitText(limit)) is accepted as the normal limit now\(because)")
    }

    /// How the last run's fall ended, once.
    mutating func takeMended() -> String? {
        defer { mended = nil }
        return mended
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
