// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// How often the module was reloaded, and whether that is exact.
struct ReloadCount: Equatable, Sendable {
    var total: UInt64 = 0
    /// False where uevents do not arrive: then each proof may stand for several.
    var isExact = true

    var caveat: String? { isExact ? nil : "seen without uevents, so there may have been more" }
}

// What a reload or a boot does to the limit, and what puts it back a moment later.

extension LimitWatch {
    /// The module is back, or came and went between two looks.
    mutating func observeReload(
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
        let entries = forgotten.map { "\($0) tracked connections forgotten" }
        let limits = limit == before ? "\(limitText(limit)) as before" : "\(limitText(before)) -> \(limitText(limit))"
        let settle = readable(seconds: settings.settle.inSeconds)
        return [
            Notice(
                .moduleReloaded,
                Explanation(
                    "nf_conntrack was unloaded and loaded again \(times)",
                    why: [entries, "nf_conntrack_max \(limits), judged in \(settle)", reloads.caveat].compactMap { $0 }),
                incident: incident,
                values: ["reloads": Double(reloads.total), "limit_before": Double(before), "limit": Double(limit)])
        ]
    }

    /// After a reload udev rules and sysctl lists put the limit back a moment later: judged when they had that moment.
    mutating func settle(_ look: TableLook, _ limit: UInt64) -> [Notice] {
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
        let what = reload.cause == .reboot ? "reboot" : "reload"
        return [
            Notice(
                .limitRestored,
                Explanation(
                    "nf_conntrack_max came back as \(limitText(reload.lowest)) from the \(what) and was put back to"
                        + " \(limitText(limit))"),
                incident: reload.incident, values: ["limit_lowest": Double(reload.lowest), "limit": Double(limit)])
        ]
    }

    private func moreReloads(_ reload: Settling) -> [Notice] {
        guard reload.unsaid > 0 else { return [] }
        let text = "nf_conntrack was reloaded \(reload.times) times in all, limit as before"
        return [Notice(.moduleReloaded, Explanation(text), incident: reload.incident)]
    }
}
