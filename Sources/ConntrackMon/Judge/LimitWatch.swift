// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc

/// Why the limit fell; the label of conntrack_limit_drops_total.
public enum DropCause: String, CaseIterable, Sendable {
    case moduleReload = "module_reload"
    case sysctlWrite = "sysctl_write"
    case reboot
    case whileDown = "while_down"
    case unknown
}

/// Where the baseline comes from; the label of conntrack_entries_limit_baseline_info.
public enum BaselineSource: String, Sendable {
    case flag, configuration, accepted, state
}

/// Follows the limit and the module through every look at the table, and says when the limit has fallen.
///
/// Pure: looks in, notices out. 0 means unlimited and ranks above every number.
struct LimitWatch: Sendable {
    struct Notice: Equatable {
        var name: NoticeName
        var summary: String
        var incident: String?
        var values: [String: Double] = [:]
    }

    /// The limit is lower than it should be.
    struct Fall: Sendable {
        var from: UInt64
        var to: UInt64
        var cause: DropCause
        var since: MonotonicTime
        var story: String
        var incident: String?
        /// Usage reached the warning threshold since; a limit that does not suffice is never adopted.
        var wasTight = false
    }

    private struct Reload: Sendable {
        var at: MonotonicTime
        var limitBefore: UInt64
        var lowest: UInt64
        var forgotten: UInt64?
        var incident: String
    }

    private let settings: RuleSettings
    private var last: TableLook?  // the last look that knew the limit
    private var accepted: UInt64?
    private var settling: Reload?
    private var saidAbsent = false
    /// An unload was proved since the last look that knew the limit.
    private var unloadSeen = false

    private(set) var fall: Fall?
    private(set) var absentSince: MonotonicTime?
    private var absence = ""
    private(set) var reloads: UInt64 = 0
    private(set) var drops: [DropCause: UInt64] = [:]
    /// How the last fall ended.
    private(set) var ending = ""

    init(settings: RuleSettings) {
        self.settings = settings
    }

    /// The limit this host should have, and where that comes from.
    var baseline: (limit: UInt64, source: BaselineSource)? {
        if let expected = settings.expectMax { return (expected, .flag) }
        return accepted.map { ($0, .accepted) }
    }

    /// Whether something is to be judged soon that no change of the table will announce.
    var isSettling: Bool { settling != nil }

    // MARK: Looks

    mutating func observe(_ look: TableLook) -> [Notice] {
        if look.absent { return observeAbsence(look) }
        unloadSeen = unloadSeen || look.unloaded
        // A look that the unload or the load fell into says nothing of what is there now.
        let isTorn = unloadSeen && look.entriesFault == ENOENT
        guard let limit = look.limit, !isTorn else { return [] }
        defer {
            last = look
            unloadSeen = false
        }
        guard let last, let before = last.limit else { return observeFirst(look, limit) }

        var notices: [Notice] = []
        if unloadSeen || absentSince != nil {
            notices.append(observeReload(look, limit, before))
        } else if settling == nil && limit != before {
            notices += observeWrite(look, limit, before)
        }
        notices += settle(look, limit)
        adopt(look, limit)
        return notices
    }

    private mutating func observeAbsence(_ look: TableLook) -> [Notice] {
        unloadSeen = false
        if last != nil {
            absentSince = absentSince ?? look.moment.monotonic
            return []
        }
        guard !saidAbsent else { return [] }
        saidAbsent = true
        return [
            Notice(
                name: .moduleAbsent,
                summary: "nf_conntrack is not loaded: nothing is tracked and nothing can fill up; watching for it")
        ]
    }

    private mutating func observeFirst(_ look: TableLook, _ limit: UInt64) -> [Notice] {
        accepted = limit
        if let expected = settings.expectMax, LimitWatch.isLess(limit, expected) {
            begin(
                Fall(from: expected, to: limit, cause: .unknown, since: look.moment.monotonic, story: ""),
                story: "below --expect-max \(limitText(expected)) since before the monitor looked")
        }
        return []
    }

    /// The module is back, or came and went between two looks.
    private mutating func observeReload(_ look: TableLook, _ limit: UInt64, _ before: UInt64) -> Notice {
        reloads += 1
        let time = look.moment.monotonic
        let gone = absentSince.map { "was gone for \(readable(seconds: (time - $0).inSeconds))" }
        absence = gone.map { ", it \($0)" } ?? ""
        absentSince = nil
        let forgotten = last?.entries
        let incident = "reload-\(rfc3339(look.moment.wall))"
        settling = Reload(
            at: time, limitBefore: settling?.limitBefore ?? before, lowest: limit, forgotten: forgotten,
            incident: incident)
        let entries = forgotten.map { "; \($0) tracked connections forgotten" } ?? ""
        return Notice(
            name: .moduleReloaded,
            summary: "nf_conntrack was unloaded and loaded again (\(gone ?? "between two looks"))\(entries);"
                + " nf_conntrack_max \(limitText(before)) -> \(limitText(limit)), judged in"
                + " \(readable(seconds: settings.settle.inSeconds))",
            incident: incident,
            values: ["reloads": Double(reloads), "limit_before": Double(before), "limit": Double(limit)])
    }

    private mutating func observeWrite(_ look: TableLook, _ limit: UInt64, _ before: UInt64) -> [Notice] {
        let change = "nf_conntrack_max \(limitText(before)) -> \(limitText(limit))"
        if let baseline, LimitWatch.isLess(limit, baseline.limit) {
            if fall == nil {
                let fall = Fall(from: before, to: limit, cause: .sysctlWrite, since: look.moment.monotonic, story: "")
                begin(fall, story: "written while the module stayed loaded")
            } else {
                fall?.to = limit
            }
            return []
        }
        let wasFallen = end("nf_conntrack_max is \(limitText(limit))")
        if settings.expectMax != nil || LimitWatch.isLess(accepted ?? 0, limit) { accepted = limit }
        if wasFallen { return [] }
        return [
            Notice(
                name: .limitChanged, summary: "\(change); written while the module stayed loaded",
                values: ["limit_before": Double(before), "limit": Double(limit)])
        ]
    }

    /// After a reload udev rules and sysctl lists put the limit back a moment later: judged when they had that moment.
    private mutating func settle(_ look: TableLook, _ limit: UInt64) -> [Notice] {
        guard var reload = settling else { return [] }
        if LimitWatch.isLess(limit, reload.lowest) { reload.lowest = limit }
        settling = reload
        guard look.moment.monotonic - reload.at >= settings.settle else { return [] }
        settling = nil

        let wanted = baseline?.limit ?? reload.limitBefore
        if LimitWatch.isLess(limit, wanted) {
            let age = readable(seconds: (look.moment.monotonic - reload.at).inSeconds)
            let forgotten = reload.forgotten.map { ", \($0) tracked connections forgotten" } ?? ""
            begin(
                Fall(
                    from: fall?.from ?? reload.limitBefore, to: limit, cause: .moduleReload, since: reload.at,
                    story: "",
                    incident: reload.incident),
                story: "module reloaded \(age) ago\(forgotten)")
            return []
        }
        _ = end("nf_conntrack_max is \(limitText(limit))")
        if LimitWatch.isLess(accepted ?? 0, limit) { accepted = limit }
        guard LimitWatch.isLess(reload.lowest, reload.limitBefore), LimitWatch.isLess(reload.lowest, limit) else {
            return []
        }
        return [
            Notice(
                name: .limitRestored,
                summary: "nf_conntrack_max came back as \(limitText(reload.lowest)) from the reload and was put back to"
                    + " \(limitText(limit))",
                incident: reload.incident,
                values: ["limit_lowest": Double(reload.lowest), "limit": Double(limit)])
        ]
    }

    /// A lower limit that somebody wrote on purpose becomes the normal one, if it suffices.
    private mutating func adopt(_ look: TableLook, _ limit: UInt64) {
        guard let fall else { return }
        if let entries = look.entries, limit > 0, Double(entries) >= settings.warn * Double(limit) {
            self.fall?.wasTight = true
        }
        guard fall.cause == .sysctlWrite, settings.expectMax == nil, settings.adopt > .zero,
            self.fall?.wasTight == false,
            look.moment.monotonic - fall.since >= settings.adopt
        else { return }
        accepted = limit
        _ = end(
            "\(limitText(limit)) is accepted as the normal limit now (--adopt \(readable(seconds: settings.adopt.inSeconds)))"
        )
    }

    // MARK: Falls

    private mutating func begin(_ new: Fall, story: String) {
        drops[new.cause, default: 0] += 1
        fall = new
        fall?.story = story
    }

    private mutating func end(_ how: String) -> Bool {
        guard fall != nil else { return false }
        fall = nil
        ending = how
        return true
    }

    /// What is live now becomes the accepted normal (SIGHUP).
    mutating func accept() {
        guard let limit = last?.limit else { return }
        accepted = limit
        if settings.expectMax == nil { _ = end("\(limitText(limit)) is accepted as the normal limit now") }
    }

    /// Whether `limit` is lower than `other`.
    static func isLess(_ limit: UInt64, _ other: UInt64) -> Bool {
        limit != other && limit != 0 && (other == 0 || limit < other)
    }

    // MARK: Verdicts

    /// The verdict of limit_dropped. `peak` is the highest count of the last 24 hours, known for `knownFor`.
    func limitVerdict(peak: UInt64?, knownFor: Duration, identity: Identity) -> Verdict {
        guard let fall, let baseline else { return Verdict(.warning, if: false, "", calm: ending) }
        let known = knownFor >= .seconds(600) ? peak : nil
        let share = known.map { Double($0) / Double(fall.to) }
        let critical = share.map { $0 >= settings.warn } ?? true
        let outlook =
            known.flatMap { known in share.map { "24h peak \(known) is \(fixed($0 * 100, 0))% of the new limit" } }
            ?? "the highest count is not known for 10 minutes yet\(peak.map { " (so far \($0))" } ?? "")"
        let place = identity.netns == "root" ? "fix" : "fix, in the host's namespace"
        let change = fall.cause == .unknown ? "is \(fall.to)" : "\(limitText(fall.from)) -> \(fall.to)"
        return Verdict(
            critical ? .critical : .warning, if: true,
            "nf_conntrack_max \(change) (\(fall.story)); \(outlook);"
                + " \(place): sysctl -w net.netfilter.nf_conntrack_max=\(baseline.limit)",
            calm: ending,
            values: ["limit_before": Double(fall.from), "limit": Double(fall.to), "baseline": Double(baseline.limit)])
    }

    /// The verdict of module_unloaded at `now`.
    func unloadVerdict(now: MonotonicTime) -> Verdict {
        guard let absentSince else {
            return Verdict(.critical, if: false, "", calm: "nf_conntrack is loaded again\(absence)")
        }
        return Verdict(
            .critical, if: true,
            "nf_conntrack has been gone for \(readable(seconds: (now - absentSince).inSeconds)): nothing is tracked, and"
                + " rules that need it match nothing; fix: start the firewall again, then check"
                + " net.netfilter.nf_conntrack_max",
            calm: "")
    }
}
