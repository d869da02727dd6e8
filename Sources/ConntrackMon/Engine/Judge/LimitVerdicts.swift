// SPDX-License-Identifier: GPL-3.0-or-later

// The verdicts of limit_dropped, limit_not_applied and module_unloaded: what LimitWatch and ModuleWatch know, in words.

extension LimitWatch {
    /// Whom and what the words are about.
    struct Context {
        var identity: Identity
        /// nil = nothing is known of the host.
        var origin: LimitOrigin?
        var buckets: UInt64?
        /// The highest count of the last 24 hours, and how long counts have been known.
        var peak: UInt64?
        var peakKnownFor: Duration
        /// The share of the limit that warns.
        var warn: Double

        /// Where a limit looks like coming from.
        func guess(_ limit: UInt64) -> LimitOrigin.Guess? {
            origin?.guess(limit: limit, buckets: buckets)
        }
    }

    func droppedVerdict(_ context: Context) -> Verdict {
        guard let fall, let baseline else { return Verdict(.warning, if: false, "", calm: ending) }
        let known = context.peakKnownFor >= .seconds(600) ? context.peak : nil
        let share = known.map { Double($0) / Double(fall.to) }
        let guess = context.guess(fall.to)
        let story = [guess?.text, fall.story].compactMap { $0 }.joined(separator: "; ")
        let change = fall.cause == .unknown ? "is \(fall.to)" : "\(limitText(fall.from)) -> \(fall.to)"
        return Verdict(
            share.map { $0 >= context.warn } ?? true ? .critical : .warning, if: true,
            "nf_conntrack_max \(change) (\(story)); \(outlook(context, fall))\(aside(fall));"
                + " \(fix(baseline.limit, guess, context))\(prevent(fall))",
            calm: ending,
            values: ["limit_before": Double(fall.from), "limit": Double(fall.to), "baseline": Double(baseline.limit)])
    }

    /// What else the same reload took away; a limit that somebody wrote has nothing to do with it.
    private func aside(_ fall: Fall) -> String {
        fall.isReload ? reverted : ""
    }

    private func prevent(_ fall: Fall) -> String {
        fall.isReload ? "; prevent: conntrack-mon doctor" : ""
    }

    private func outlook(_ context: Context, _ fall: Fall) -> String {
        let share = context.peak.map { "\(fixed(Double($0) / Double(fall.to) * 100, 0))% of the new limit" } ?? ""
        guard context.peakKnownFor >= .seconds(600), let peak = context.peak else {
            let soFar = context.peak.map { " (so far \($0), \(share))" } ?? ""
            return "the highest count is not known for 10 minutes yet\(soFar)"
        }
        return "24h peak \(peak) is \(share)"
    }

    private func fix(_ limit: UInt64, _ guess: LimitOrigin.Guess?, _ context: Context) -> String {
        if let setting = context.origin?.setting(behind: guess) {
            return "fix: change \(setting), or it is written again"
        }
        let place = context.identity.netns == "root" ? "fix" : "fix, in the host's namespace"
        return "\(place): sysctl -w net.netfilter.nf_conntrack_max=\(limit)"
    }

    /// The live limit is below what is configured, and no fall that was seen explains it. `uptime` since boot: before
    /// `grace` boot is still under way. nil = not to be said now.
    func notAppliedVerdict(_ context: Context, uptime: Duration, grace: Duration) -> Verdict? {
        guard let live else { return nil }
        guard let configured else {
            return Verdict(
                .warning, if: false, "", calm: "nf_conntrack_max is \(limitText(live)), and nothing is configured")
        }
        let isBelow = isLess(live, configured.limit)
        // Said by an alert of its own, or not over yet.
        if isBelow && (fall != nil || settlesAt != nil || uptime < grace) { return nil }
        let guess = context.guess(live)
        let writer = guess.map { "; it looks like \($0.text)" } ?? ""
        return Verdict(
            .warning, if: isBelow && waived != configured.limit,
            "nf_conntrack_max is \(limitText(live)), but \(configured.place) says \(limitText(configured.limit))\(writer);"
                + " \(fix(configured.limit, guess, context))",
            calm: "nf_conntrack_max is \(limitText(live)), \(configured.place) says \(limitText(configured.limit))",
            values: ["limit": Double(live), "configured": Double(configured.limit)])
    }
}

extension ModuleWatch {
    func unloadedVerdict(now: MonotonicTime) -> Verdict {
        guard let absentSince else {
            let absence = lastAbsence.map { ", it was gone for \(readable(seconds: $0.inSeconds))" } ?? ""
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
