// SPDX-License-Identifier: GPL-3.0-or-later

/// What a rule says of one sample.
struct Verdict: Equatable {
    /// The highest level whose threshold is crossed; nil = none.
    var crossed: Level?
    /// The highest level not yet clear by the margin. At least `crossed`.
    var holding: Level?
    /// Why it fires: one line, figures, cause and cure.
    var summary: String
    /// What to say when it has ended.
    var calm: String
    var values: [String: Double] = [:]
    /// Names that go with the figures.
    var details: [String: String] = [:]

    /// A rule without margin: over, or clear.
    init(_ level: Level, if crossed: Bool, _ summary: String, calm: String, values: [String: Double] = [:]) {
        self.crossed = crossed ? level : nil
        holding = self.crossed
        self.summary = summary
        self.calm = calm
        self.values = values
    }

    /// A rule whose levels clear only below a margin.
    init(crossed: Level?, holding: Level?, _ summary: String, calm: String, values: [String: Double] = [:]) {
        self.crossed = crossed
        self.holding = holding
        self.summary = summary
        self.calm = calm
        self.values = values
    }

    func condition(of level: Level) -> Condition {
        if let crossed, crossed >= level { return .crossed }
        if let holding, holding >= level { return .between }
        return .clear
    }
}

/// A rule about a sample: pure. nil = cannot be said of this sample.
struct Rule: Sendable {
    let name: AlertName
    let holds: @Sendable (RuleSettings) -> (warning: Duration, critical: Duration, clear: Duration)
    let evaluate: @Sendable (Sample, RuleSettings) -> Verdict?

    /// A rule with holds of its own, whatever the flags say.
    init(
        _ name: AlertName, hold: Duration, clear: Duration = .seconds(60),
        evaluate: @escaping @Sendable (Sample, RuleSettings) -> Verdict?
    ) {
        self.name = name
        holds = { _ in (hold, hold, clear) }
        self.evaluate = evaluate
    }

    init(
        _ name: AlertName, holds: @escaping @Sendable (RuleSettings) -> (Duration, Duration, Duration),
        evaluate: @escaping @Sendable (Sample, RuleSettings) -> Verdict?
    ) {
        self.name = name
        self.holds = holds
        self.evaluate = evaluate
    }
}

/// The rules about a sample. Those about the limit and the module are LimitWatch's, since they are judged at once.
enum Rules {
    static let all = [
        usageHigh, tableFull, insertClash, earlyDrop, fillForecast, hashOverloaded, eventsLost, eventsSilent,
    ]

    static let usageHigh = Rule(.usageHigh, holds: { ($0.warnHold, $0.critHold, $0.clearHold) }) { sample, settings in
        guard let usage = sample.usage, let entries = sample.table.entries, let limit = sample.table.limit else {
            // An unlimited table cannot be full.
            return sample.table.limit == 0
                ? Verdict(.warning, if: false, "", calm: "nf_conntrack_max is 0: no limit") : nil
        }
        func level(_ margin: Double) -> Level? {
            usage >= settings.crit - margin ? .critical : usage >= settings.warn - margin ? .warning : nil
        }
        let crossed = level(0)
        let threshold = crossed == .critical ? settings.crit : settings.warn
        var verdict = Verdict(
            crossed: crossed, holding: level(settings.clearMargin),
            "\(entries) of \(limit) entries (\(percent(usage)), threshold \(percent(threshold)))\(trend(sample))"
                + "\(whoFills(sample))\(eviction(usage))\(why(sample)); fix:"
                + (sample.survey == nil ? " find who fills it (conntrack-mon top), or" : "")
                + " raise net.netfilter.nf_conntrack_max together with nf_conntrack_buckets",
            calm: "\(entries) of \(limit) entries (\(percent(usage)))",
            values: ["entries": Double(entries), "limit": Double(limit), "usage_ratio": usage, "threshold": threshold])
        nameTalkers(of: sample, in: &verdict)
        nameCauses(of: sample, in: &verdict)
        return verdict
    }

    /// Beyond nf_conntrack_max95 the kernel's sweep evicts what a full table would evict (gc_worker in
    /// net/netfilter/nf_conntrack_core.c, kernel 4.18).
    private static func eviction(_ usage: Double) -> String {
        usage >= 0.95 ? "; the kernel has begun to evict entries that are closing or not assured" : ""
    }

    /// "; why: ...", with its age once that matters.
    private static func why(_ sample: Sample) -> String {
        guard let survey = sample.survey else { return "" }
        let age = sample.moment.monotonic - survey.moment.monotonic
        let old = age > .seconds(60) ? " (\(readable(seconds: age.inSeconds)) ago)" : ""
        return "; \(survey.text)\(old)"
    }

    /// The survey's figures, and what stands out, for programs.
    private static func nameCauses(of sample: Sample, in verdict: inout Verdict) {
        guard let survey = sample.survey else { return }
        verdict.values.merge(survey.values) { value, _ in value }
        verdict.details["causes"] = survey.causes.map(\.id).joined(separator: ",")
    }

    /// ", new 4100/s, filling by 120/s, full in 8m20s": what is known of it.
    private static func trend(_ sample: Sample) -> String {
        var text = ""
        if let rate = sample.newRate {
            let span = readable(seconds: sample.newRateSpan.inSeconds)
            let estimated = sample.isNewRateEstimated ? " (estimated)" : ""
            text += ", new \(fixed(rate, rate < 10 ? 1 : 0))/s over \(span)\(estimated)"
        }
        if let rate = sample.fillRate, rate >= 0.05 { text += ", filling by \(fixed(rate, 1))/s" }
        if let seconds = sample.timeToFull { text += ", full in \(readable(seconds: seconds))" }
        return text
    }

    static let tableFull = Rule(.tableFull, hold: .zero) { sample, _ in
        guard let limit = sample.table.limit, let entries = sample.entriesPeakSecond ?? sample.table.entries else {
            return nil
        }
        let usage = limit > 0 ? Double(max(entries, sample.table.entries ?? 0)) / Double(limit) : 0
        let dropped = sample.statsNow?[.drop] ?? 0
        // A clash in the hash counts as drop too; only what is beyond that is the table's doing.
        let refused = dropped - min(dropped, sample.statsNow?[.insertFailed] ?? 0)
        let logged = sample.tableFullLines.ours > 0 || (sample.tableFullLines.unnamed > 0 && usage >= 0.95)
        let proof =
            logged
            ? "the kernel log says \"table full, dropping packet\""
            : "the kernel dropped \(refused) packets in \(readable(seconds: sample.elapsed.inSeconds))"
        return Verdict(
            .critical, if: logged || (usage >= 0.95 && refused > 0),
            "\(entries) of \(limit) entries (\(percent(usage))): new connections are refused, \(proof)\(why(sample));"
                + " fix: sysctl -w net.netfilter.nf_conntrack_max=\(limit * 2)",
            calm: "nothing dropped for a minute; \(entries) of \(limit) entries (\(percent(usage)))",
            values: ["entries": Double(entries), "limit": Double(limit), "dropped": Double(refused)])
    }

    static let insertClash = Rule(.insertClash, hold: .seconds(60)) { sample, _ in
        guard let rate = sample.perSecond(sample.statsNow?[.insertFailed]) else { return nil }
        return Verdict(
            .warning, if: rate > 1,
            "insert_failed rises by \(fixed(rate, 1))/s: entries clash as they are inserted and their packets are dropped"
                + " (often two DNS queries from one port, or NAT out of ports); fix: NAT with --random-fully",
            calm: "insert_failed rises by \(fixed(rate, 1))/s", values: ["insert_failed_per_second": rate])
    }

    static let earlyDrop = Rule(.earlyDrop, hold: .seconds(30)) { sample, _ in
        guard let rate = sample.perSecond(sample.statsNow?[.earlyDrop]) else { return nil }
        return Verdict(
            .warning, if: rate > 10,
            "early_drop rises by \(fixed(rate, 1))/s: the table is so full that the kernel evicts live entries for new ones;"
                + " fix: raise net.netfilter.nf_conntrack_max",
            calm: "early_drop rises by \(fixed(rate, 1))/s", values: ["early_drop_per_second": rate])
    }

    static let fillForecast = Rule(.fillForecast, hold: .seconds(30), clear: .zero) { sample, settings in
        guard settings.forecast > .zero, let usage = sample.usage, let rate = sample.fillRate else { return nil }
        let horizon = settings.forecast.inSeconds
        let seconds = sample.timeToFull ?? .infinity
        let crossed = usage >= 0.5 && seconds <= horizon
        let holding = crossed || seconds <= 2 * horizon
        return Verdict(
            crossed: crossed ? .warning : nil, holding: holding ? .warning : nil,
            "full in \(readable(seconds: seconds)) at the last minute's rate: \(percent(usage)) used, filling by"
                + " \(fixed(rate, 1))/s; fix: find who fills it (conntrack-mon top), or raise net.netfilter.nf_conntrack_max",
            calm: (seconds.isFinite ? "full in \(readable(seconds: seconds))" : "not filling")
                + ": \(percent(usage)) used, by \(fixed(rate, 1))/s",
            values: ["seconds_to_full": seconds, "fill_rate": rate])
    }

    static let hashOverloaded = Rule(.hashOverloaded, hold: .zero) { sample, _ in
        guard let chain = sample.chainLength, let buckets = sample.buckets, let entries = sample.table.entries else {
            return nil
        }
        let tooLong = sample.statsNow?[.chainTooLong] ?? 0
        let why = tooLong > 0 ? "; chain_toolong rose by \(tooLong): packets were dropped for it" : ""
        return Verdict(
            .warning, if: chain > 8 || tooLong > 0,
            "\(buckets) buckets for \(entries) entries: \(fixed(chain, 1)) to search for each packet\(why);"
                + " fix: sysctl -w net.netfilter.nf_conntrack_buckets=\(max(buckets, entries))",
            calm: "\(fixed(chain, 1)) entries a bucket",
            values: ["buckets": Double(buckets), "entries": Double(entries), "chain_length": chain])
    }

    static let eventsLost = Rule(.eventsLost, hold: .zero) { sample, _ in
        guard let share = sample.lostShareOfMinute else { return nil }
        return Verdict(
            .warning, if: share > 0.01,
            "\(lossText(sample.lostMinute, exact: sample.lossIsExact)) lost in the last minute (\(percent(share)));"
                + " counts by events are too low by that; table samples and alerts about them are not affected;"
                + " fix: a larger --receive-buffer (overrun) or --ring (dropped)",
            calm: "\(sample.lostMinute.total) events lost in the last minute", values: ["lost_ratio": share])
    }

    static let eventsSilent = Rule(.eventsSilent, hold: .seconds(5), clear: .zero) { sample, _ in
        guard let isThere = sample.isNetlinkThere else { return nil }
        return Verdict(
            .warning, if: !isThere,
            "no events since the reload: nf_conntrack came back without nf_conntrack_netlink; table samples, statistics and"
                + " alerts about them go on; fix: modprobe nf_conntrack_netlink, or watch --load-modules",
            calm: "nf_conntrack_netlink is there, events come again")
    }

    /// "1638 events (1600 overrun, 38 dropped)".
    static func lossText(_ lost: LostEvents, exact: Bool) -> String {
        let parts = [
            ("overrun", lost.overrun), ("truncated", lost.truncated), ("malformed", lost.malformed),
            ("dropped", lost.dropped),
        ]
        .filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" }
        return "\(exact ? "" : "at least ")\(lost.total) events (\(parts.joined(separator: ", ")))"
    }
}
