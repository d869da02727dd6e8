// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Follows the limit through every look at the table, and says when it has fallen.
///
/// Pure: looks in, notices out. 0 means unlimited and ranks above every number.
package struct LimitWatch: Sendable {
    let settings: RuleSettings
    /// The last whole look.
    private(set) var last: TableLook?
    /// The limit that is normal, and who said so.
    var accepted: (limit: UInt64, source: BaselineSource)?
    /// A reload or boot that is not judged yet.
    var settling: Settling?
    /// What the last run knew, until the first look.
    var past: Past?
    /// The configured limit below which a lower one was written and accepted: that it is not applied is known.
    var waived: UInt64?

    /// What was raised a moment ago.
    private var raises = LimitRaises()

    /// What sysctl configuration asks for; nil = nothing.
    var configured: ConfiguredLimit?
    var fall: Fall?
    private(set) var drops: [DropCause: UInt64] = [:]
    /// How a fall ended that the last run had said; nil when there was none, or it goes on.
    var mended: String?
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
            raises = LimitRaises()
            notices += observeReload(look, limit, before, back, reloads)
        } else if settling == nil && limit != before {
            notices += observeWrite(look, limit, before)
        }
        notices += settle(look, limit)
        adopt(look, limit)
        return notices
    }

    private mutating func observeWrite(_ look: TableLook, _ limit: UInt64, _ before: UInt64) -> [Notice] {
        let time = look.moment.monotonic
        let raise = isLess(limit, before) && isPutBack(look, limit) ? raises.undone(by: limit, at: time) : nil
        if let accepted, isLess(accepted.limit, limit) { raises.add(from: accepted.limit, at: time) }
        if isLess(limit, wanted(after: before)), raise == nil {
            if fall == nil {
                let story = "written while the module stayed loaded"
                begin(Fall(from: before, to: limit, cause: .sysctlWrite, since: time, story: story))
            } else {
                // Another value: whether it suffices shows from now on.
                fall?.to = limit
                fall?.since = time
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
        let allowed = configured.map { isLess(limit, before) ? ", not below what \($0.place) says" : "" } ?? ""
        let back = raise.map { raise in
            "put back \(readable(seconds: (time - raise.at).inSeconds)) after it was raised from \(limitText(raise.from))"
        }
        return [
            Notice(
                .limitChanged,
                Explanation(
                    "nf_conntrack_max \(limitText(before)) -> \(limitText(limit))",
                    why: [back ?? "written while the module stayed loaded\(allowed)"]),
                values: ["limit_before": Double(before), "limit": Double(limit)])
        ]
    }

    /// Whether a lower limit may be one that was put back: whoever raises it for a moment takes nothing away, unless it does
    /// not suffice any more, or is not what it should be.
    private func isPutBack(_ look: TableLook, _ limit: UInt64) -> Bool {
        guard fall == nil, limit > 0 else { return false }
        if let least = settings.expectMax ?? configured?.limit, isLess(limit, least) { return false }
        guard let entries = look.entries else { return false }
        return Double(entries) < settings.warn * Double(limit)
    }

    /// The least that a write may leave without being a fall: --expect-max, else what is configured where that is less
    /// than the accepted limit, else the accepted limit.
    private func wanted(after before: UInt64) -> UInt64 {
        if let expected = settings.expectMax { return expected }
        let accepted = accepted?.limit ?? before
        guard let configured else { return accepted }
        return isLess(configured.limit, accepted) ? configured.limit : accepted
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

    mutating func end(_ how: String) -> Bool {
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
}
