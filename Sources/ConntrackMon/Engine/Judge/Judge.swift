// SPDX-License-Identifier: GPL-3.0-or-later

/// Stage 5: (samples, state, now) -> announcements. No clock, no I/O: the same samples give the same alerts.
public struct Judge: Sendable {
    private let settings: RuleSettings
    private let identity: Identity
    private var moduleWatch = ModuleWatch()
    private var limitWatch: LimitWatch
    private var parameterWatch = ParameterWatch()
    private var trackingWatch = TrackingWatch()
    private var budgetWatch = BudgetWatch()
    private var book: AlertBook
    private var peakDay: UInt64?
    private var peakKnownFor = Duration.zero
    private var buckets: UInt64?
    private var lossNoticed: MonotonicTime?
    private var lossUnsaid = LostEvents()
    private var idleSamples = 0
    private var flushed = false
    private var neverSeen = false
    /// When the survey was made that the alerts have told of.
    private var surveyed: Moment?
    /// The settings were not read yet since a reload, or since the boot or reload that a state file tells of.
    private var areReset = false
    /// When that was; nil = before the monitor looked.
    private var resetAt: MonotonicTime?
    /// A reading that differs, until a later look shows that it was not a reload.
    private var doubtful: (values: [String: UInt64], moment: Moment)?

    /// What a value of the limit looks like on this host.
    public var origin = LimitOrigin.unknown
    /// Whether every reload is counted; false where uevents do not arrive.
    public var countsReloads = true

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
    public var reloads: UInt64 { moduleWatch.reloads }
    /// How often the limit fell, by cause.
    public var drops: [DropCause: UInt64] { limitWatch.drops }
    /// The limit this host should have.
    public var baseline: (limit: UInt64, source: BaselineSource)? { limitWatch.baseline }
    /// When a reload is to be judged, so that looks should not wait for the interval.
    public var settlesAt: MonotonicTime? { moduleWatch.absentSince == nil ? limitWatch.settlesAt : nil }
    /// When the module was last seen to have come back; nil = not while we looked.
    public var moduleBackAt: MonotonicTime? { resetAt }
    /// Whether a reload waits to be judged.
    public var isSettling: Bool { limitWatch.settlesAt != nil }

    /// What is live now becomes the accepted normal: the limit and every other setting.
    public mutating func acceptLive() {
        limitWatch.acceptLive()
        if let reading = doubtful { _ = parameterWatch.observe(reading.values, isReload: true) }
        doubtful = nil
        parameterWatch.acceptLive()
        limitWatch.reverted = parameterWatch.aside
    }

    /// What the state file says, before the first look.
    mutating func restore(
        _ past: LimitWatch.Past, _ parameters: ParameterWatch.Kept, peak: UInt64? = nil, peakKnownFor: Duration = .zero
    ) {
        peakDay = peak
        self.peakKnownFor = peakKnownFor
        limitWatch.restore(past)
        parameterWatch.restore(parameters)
        areReset = past.isReload
    }

    /// What to keep for the next start; nil before the first look.
    var keep: (limit: LimitWatch.Kept, parameters: ParameterWatch.Kept)? {
        limitWatch.keep.map { ($0, parameterWatch.keep) }
    }

    /// What sysctl configuration asks for.
    public mutating func configure(limit: ConfiguredLimit?, parameters: [String: ConfiguredParameter]) {
        limitWatch.configured = limit
        parameterWatch.configured = parameters
    }

    // MARK: At once

    /// Takes one look at the table. A fallen limit and a module that came back are judged here, without waiting.
    public mutating func observe(_ look: TableLook) -> [Announcement] {
        let change = moduleWatch.observe(look)
        if case .back = change {
            areReset = true
            resetAt = look.moment.monotonic
            trackingWatch.restart()
        }
        neverSeen = change == .absent || (neverSeen && look.absent)
        var notices: [Notice] = []
        var mended: [Announcement] = []
        if change == .absent && settings.absent == nil { notices.append(absentNotice) }
        if moduleWatch.isWhole(look) {
            let count = ReloadCount(total: moduleWatch.reloads, isExact: countsReloads)
            notices += limitWatch.observe(look, change, reloads: count)
            if let how = limitWatch.takeMended() { mended.append(mend(how, at: look.moment)) }
        }
        return mended + settleDoubt(by: look) + notices.map { announce($0, at: look.moment) }
            + judgeLimit(at: look.moment)
    }

    /// Takes a reading of the settings, without their nf_conntrack_ prefix.
    ///
    /// A reload may have come before it that no look has shown yet. So a reading that differs waits for a later look.
    public mutating func observe(parameters: [String: UInt64], at moment: Moment) -> [Announcement] {
        guard !parameters.isEmpty else { return [] }
        doubtful = nil
        guard areReset || limitWatch.settlesAt != nil || !parameterWatch.differs(parameters) else {
            doubtful = (parameters, moment)
            return []
        }
        return take(parameters, at: moment)
    }

    private mutating func settleDoubt(by look: TableLook) -> [Announcement] {
        guard let reading = doubtful, look.moment.monotonic > reading.moment.monotonic else { return [] }
        // Without a table nothing is known; there will be another reading.
        if look.absent { doubtful = nil }
        guard moduleWatch.isWhole(look) else { return [] }
        doubtful = nil
        return take(reading.values, at: reading.moment)
    }

    private mutating func take(_ parameters: [String: UInt64], at moment: Moment) -> [Announcement] {
        let notices = parameterWatch.observe(parameters, isReload: areReset || limitWatch.settlesAt != nil)
        // A reading from before the reload says nothing of what it took away.
        if resetAt.map({ moment.monotonic > $0 }) ?? true { areReset = false }
        limitWatch.reverted = parameterWatch.aside
        // A reload may bring a hash of another size, which tells where the new limit comes from.
        buckets = parameters["buckets"] ?? buckets
        return notices.map { announce($0, at: moment) }
    }

    /// The end of a fall that the last run had said, for whoever still waits for it.
    private func mend(_ how: String, at moment: Moment) -> Announcement {
        Announcement(
            time: moment.wall, name: AlertName.limitDropped.rawValue, state: .resolved, level: .warning, summary: how)
    }

    private var absentNotice: Notice {
        Notice(
            name: .moduleAbsent,
            summary: "nf_conntrack is not loaded: nothing is tracked and nothing can fill up; watching for it")
    }

    private var context: LimitWatch.Context {
        LimitWatch.Context(
            identity: identity, origin: origin, buckets: buckets, peak: peakDay, peakKnownFor: peakKnownFor,
            warn: settings.warn)
    }

    private mutating func judgeLimit(at now: Moment) -> [Announcement] {
        let atOnce = AlertBook.Holds(warning: .zero, critical: .zero, clear: .zero)
        let unload = AlertBook.Holds(warning: settings.unloadHold, critical: settings.unloadHold, clear: .zero)
        let unloaded = book.step(
            .moduleUnloaded, moduleWatch.unloadedVerdict(now: now.monotonic), holds: unload, now: now)
        let dropped = book.step(
            .limitDropped, limitWatch.droppedVerdict(context), holds: atOnce, incident: limitWatch.incident, now: now)
        return [unloaded, dropped].compactMap { $0 }
    }

    /// What needs no haste: the limit against the configuration, the settings, a module that was never there.
    private mutating func judgeSettings(at now: Moment) -> [Announcement] {
        let atOnce = AlertBook.Holds(warning: .zero, critical: .zero, clear: .zero)
        let uptime = now.monotonic - MonotonicTime(nanoseconds: 0)
        let notApplied = limitWatch.notAppliedVerdict(context, uptime: uptime, grace: settings.bootGrace)
        // While the host boots, what is configured may come yet; a reload that was seen is no boot.
        let isBooting = uptime < settings.bootGrace && moduleWatch.reloads == 0
        let reverted = limitWatch.settlesAt == nil && !isBooting ? parameterWatch.verdict : nil
        return [
            book.step(.limitNotApplied, notApplied, holds: atOnce, now: now),
            book.step(.parametersReverted, reverted, holds: atOnce, incident: limitWatch.incident, now: now),
            book.step(.moduleAbsent, absentVerdict, holds: atOnce, now: now),
        ].compactMap { $0 }
    }

    private var absentVerdict: Verdict {
        let means = settings.absent == .critical ? Level.critical : .warning
        return Verdict(
            means, if: neverSeen && (settings.absent == .warning || settings.absent == .critical),
            "nf_conntrack is not loaded: nothing is tracked; fix: modprobe nf_conntrack, or start the firewall",
            calm: "nf_conntrack is loaded")
    }

    // MARK: Each interval

    /// Judges a sample by every rule.
    public mutating func judge(_ sample: Sample) -> [Announcement] {
        peakDay = sample.entriesPeakDay
        peakKnownFor = sample.peakKnownFor
        buckets = sample.buckets
        takeSurvey(of: sample)
        var announcements = notices(of: sample) + judgeLimit(at: sample.moment)
        announcements += judgeSettings(at: sample.moment)
        for rule in Rules.all {
            // A hold must not run across a gap: what happened meanwhile is not known.
            let verdict = sample.gap == nil ? rule.evaluate(sample, settings) : nil
            let (warning, critical, clear) = rule.holds(settings)
            let holds = AlertBook.Holds(warning: warning, critical: critical, clear: clear)
            if let said = book.step(rule.name, verdict, holds: holds, now: sample.moment) { announcements.append(said) }
        }
        return announcements + judgeDegradations(sample)
    }

    /// What fills the table is known only after the alert that asked was said, so it is said again.
    private mutating func takeSurvey(of sample: Sample) {
        guard let survey = sample.survey, survey.moment != surveyed else { return }
        surveyed = survey.moment
        book.renew(.usageHigh)
        book.renew(.tableFull)
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
        [
            gapNotice(sample), flushNotice(sample), lossNotice(sample), nothingTrackedNotice(sample),
            trackingNotice(sample),
        ].compactMap { $0 } + budgetWatch.observe(sample).map { announce($0, at: sample.moment) }
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
        guard isFlushed, !flushed, limitWatch.settlesAt == nil, moduleWatch.absentSince == nil else { return nil }
        return notice(
            .tableFlushed,
            "\(gone) of \(peak) entries went within a second without a reload (conntrack -F or -D, or a conntrack helper"
                + " such as a failover); established connections may hang",
            at: sample.moment, values: ["entries_before": Double(peak), "entries": Double(entries)])
    }

    private mutating func lossNotice(_ sample: Sample) -> Announcement? {
        let now = sample.moment.monotonic
        lossUnsaid += sample.lostNow
        let recently = lossNoticed.map { now - $0 < .seconds(60) } ?? false
        // Beyond 1 % the alert speaks.
        if book.isFiring(.eventsLost) { lossUnsaid = LostEvents() }
        guard lossUnsaid.total > 0, !recently else { return nil }
        if sample.lostShareOfMinute ?? 1 > 0.01 { return nil }
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

    private mutating func trackingNotice(_ sample: Sample) -> Announcement? {
        guard trackingWatch.observe(sample) else { return nil }
        return notice(
            .trackingStopped,
            "new connections were steady, and none has come for a minute: the rules that have them tracked are gone (nft"
                + " flush ruleset, iptables -F), or the traffic is",
            at: sample.moment)
    }

    private func announce(_ notice: Notice, at moment: Moment) -> Announcement {
        self.notice(
            notice.name, notice.summary, at: moment, incident: notice.incident, values: notice.values)
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
