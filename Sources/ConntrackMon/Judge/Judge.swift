// SPDX-License-Identifier: GPL-3.0-or-later

/// Stage 5: (samples, state, now) -> announcements. No clock, no I/O: the same samples give the same alerts.
public struct Judge: Sendable {
    private let settings: RuleSettings
    private let identity: Identity
    private var limitWatch: LimitWatch
    private var book: AlertBook
    private var peakDay: UInt64?
    private var peakKnownFor = Duration.zero
    private var lossNoticed: MonotonicTime?
    private var lossUnsaid = LostEvents()
    private var idleSamples = 0
    private var flushed = false

    /// A judge who has seen nothing yet.
    public init(settings: RuleSettings, identity: Identity) {
        self.settings = settings
        self.identity = identity
        limitWatch = LimitWatch(settings: settings)
        book = AlertBook(repeatEvery: settings.repeatEvery)
    }

    /// What fires now, worst first.
    public var firing: [FiringAlert] { book.firing }
    /// How often the module was reloaded, as far as was seen.
    public var reloads: UInt64 { limitWatch.reloads }
    /// How often the limit fell, by cause.
    public var drops: [DropCause: UInt64] { limitWatch.drops }
    /// The limit this host should have.
    public var baseline: (limit: UInt64, source: BaselineSource)? { limitWatch.baseline }
    /// Whether a reload waits to be judged, so that looks should not wait for the interval.
    public var isSettling: Bool { limitWatch.isSettling }

    /// What is live now becomes the accepted normal.
    public mutating func acceptLimit() {
        limitWatch.accept()
    }

    // MARK: At once

    /// Takes one look at the table. A fallen limit and a module that came back are judged here, without waiting.
    public mutating func observe(_ look: TableLook) -> [Announcement] {
        let notices = limitWatch.observe(look).map {
            notice($0.name, $0.summary, at: look.moment, incident: $0.incident, values: $0.values)
        }
        return notices + judgeLimit(at: look.moment)
    }

    private mutating func judgeLimit(at now: Moment) -> [Announcement] {
        let atOnce = AlertBook.Holds(warning: .zero, critical: .zero, clear: .zero)
        let unload = AlertBook.Holds(warning: settings.unloadHold, critical: settings.unloadHold, clear: .zero)
        let unloaded = book.step(
            .moduleUnloaded, limitWatch.unloadVerdict(now: now.monotonic), holds: unload, now: now)
        let verdict = limitWatch.limitVerdict(peak: peakDay, knownFor: peakKnownFor, identity: identity)
        let dropped = book.step(
            .limitDropped, verdict, holds: atOnce, incident: limitWatch.fall?.incident, now: now)
        return [unloaded, dropped].compactMap { $0 }
    }

    // MARK: Each interval

    /// Judges a sample by every rule.
    public mutating func judge(_ sample: Sample) -> [Announcement] {
        peakDay = sample.entriesPeakDay
        peakKnownFor = sample.peakKnownFor
        var announcements = notices(of: sample) + judgeLimit(at: sample.moment)
        for rule in Rules.all {
            // A hold must not run across a gap: what happened meanwhile is not known.
            let verdict = sample.gap == nil ? rule.evaluate(sample, settings) : nil
            let (warning, critical, clear) = rule.holds(settings)
            let holds = AlertBook.Holds(warning: warning, critical: critical, clear: clear)
            if let said = book.step(rule.name, verdict, holds: holds, now: sample.moment) { announcements.append(said) }
        }
        return announcements + judgeDegradations(sample)
    }

    private mutating func judgeDegradations(_ sample: Sample) -> [Announcement] {
        let atOnce = AlertBook.Holds(warning: .zero, critical: .zero, clear: .zero)
        var parts = book.subjects(of: .monitorDegraded)
        parts += sample.degraded.map(\.part).filter { !parts.contains($0) }
        return parts.compactMap { part in
            let failing = sample.degraded.first { $0.part == part }
            let remains = failing?.remains.map { "; \($0)" } ?? ""
            let verdict = Verdict(
                .warning, if: failing != nil, "\(part): \(failing?.reason ?? "")\(remains)", calm: "\(part) works again"
            )
            return book.step(.monitorDegraded, subject: part, verdict, holds: atOnce, now: sample.moment)
        }
    }

    // MARK: Notices

    private mutating func notices(of sample: Sample) -> [Announcement] {
        [gapNotice(sample), flushNotice(sample), lossNotice(sample), nothingTrackedNotice(sample)].compactMap { $0 }
    }

    private func gapNotice(_ sample: Sample) -> Announcement? {
        guard let gap = sample.gap else { return nil }
        return notice(
            .samplingGap,
            "no sample for \(readable(seconds: gap.inSeconds)) (machine or process paused); rates across it are discarded",
            at: sample.moment, values: ["seconds": gap.inSeconds])
    }

    private mutating func flushNotice(_ sample: Sample) -> Announcement? {
        guard let peak = sample.entriesPeakSecond, let entries = sample.table.entries, sample.gap == nil else {
            return nil
        }
        let gone = peak - min(peak, entries)
        let isFlushed = gone > 1000 && gone > peak / 2
        defer { flushed = isFlushed }
        guard isFlushed, !flushed, !limitWatch.isSettling, limitWatch.absentSince == nil else { return nil }
        return notice(
            .tableFlushed,
            "\(gone) of \(peak) entries went within a second without a reload (conntrack -F or -D, or a conntrack helper"
                + " such as a failover); established connections may hang",
            at: sample.moment, values: ["entries_before": Double(peak), "entries": Double(entries)])
    }

    private mutating func lossNotice(_ sample: Sample) -> Announcement? {
        let now = sample.moment.monotonic
        lossUnsaid.overrun += sample.lostNow.overrun
        lossUnsaid.truncated += sample.lostNow.truncated
        lossUnsaid.dropped += sample.lostNow.dropped
        let recently = lossNoticed.map { now - $0 < .seconds(60) } ?? false
        // Beyond 1 % the alert speaks.
        if book.isFiring(.eventsLost) { lossUnsaid = LostEvents() }
        guard lossUnsaid.total > 0, !recently else { return nil }
        let all = (sample.eventsMinute ?? 0) + sample.lostMinute.total
        if Double(sample.lostMinute.total) > 0.01 * Double(all) { return nil }
        defer {
            lossNoticed = now
            lossUnsaid = LostEvents()
        }
        return notice(
            .eventsLost, "\(Rules.lossText(lossUnsaid, exact: sample.lossIsExact)) lost", at: sample.moment,
            values: ["lost": Double(lossUnsaid.total)])
    }

    /// Hooks are registered on demand (nf_ct_netns_get), so a table that stays empty may mean that nothing is tracked.
    private mutating func nothingTrackedNotice(_ sample: Sample) -> Announcement? {
        guard idleSamples < 3, sample.table.entries == 0, sample.table.limit != nil else {
            // Entries settle it: something is tracked here.
            if sample.table.entries ?? 0 > 0 { idleSamples = 3 }
            return nil
        }
        idleSamples += 1
        return idleSamples == 3 ? notice(.nothingTracked, nothingTrackedText, at: sample.moment) : nil
    }

    private func notice(
        _ name: NoticeName, _ summary: String, at moment: Moment, incident: String? = nil,
        values: [String: Double] = [:]
    ) -> Announcement {
        Announcement(
            time: moment.wall, name: name.rawValue, state: .notice, incident: incident, summary: summary, values: values
        )
    }
}

/// What an empty table may mean.
let nothingTrackedText =
    "0 entries: there is no traffic, or no rule in this network namespace uses connection tracking"
    + " (an nft ct expression, iptables -m conntrack or a nat rule switches it on)"
