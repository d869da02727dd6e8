// SPDX-License-Identifier: GPL-3.0-or-later

public import ConntrackModel

/// Stage 5: (samples, state, now) -> announcements. No clock, no I/O: the same samples give the same alerts.
///
/// A watch follows one thing through all looks or samples and keeps what it must remember of it (Watches/); a rule says
/// what one sample means (Rules/). AlertBook makes of their verdicts a line for each change.
public struct Judge: Sendable {
    let settings: RuleSettings
    private let identity: Identity
    var book: AlertBook

    var moduleWatch = ModuleWatch()
    var usageWatch: UsageWatch
    private var absenceWatch: AbsenceWatch
    private var limitWatch: LimitWatch
    private var settingsWatch = SettingsWatch()
    private var gapWatch = GapWatch()
    private let flushWatch = FlushWatch()
    private var lossWatch = LossWatch()
    private var earlyDropWatch = EarlyDropWatch()
    private var nothingTrackedWatch = NothingTrackedWatch()
    private var trackingWatch = TrackingWatch()
    private var budgetWatch = BudgetWatch()

    private var peakDay: UInt64?
    private var peakKnownFor = Duration.zero
    /// The last sample that was judged.
    private(set) var latest: Sample?
    /// When the survey was made that the alerts have told of.
    private var surveyed: Moment?

    /// What on this host chooses a limit; nil = nothing is known of it, and no value is recognised.
    public var origin: LimitOrigin?
    /// The running kernel; nil = not known.
    public var kernel: KernelRelease?
    /// One look is all there will be, so that a rule about it has nothing to hold for.
    public var looksOnce = false
    /// Whether every reload is counted; false where uevents do not arrive.
    public var countsReloads = true

    /// A judge who has seen nothing yet.
    public init(settings: RuleSettings, identity: Identity) {
        self.settings = settings
        self.identity = identity
        absenceWatch = AbsenceWatch(settings: settings)
        limitWatch = LimitWatch(settings: settings)
        usageWatch = UsageWatch(settings: settings)
        book = AlertBook(repeatEvery: settings.repeatEvery)
    }

    // MARK: What is known

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
    /// When usage_high changes though usage stays as it is, so that looks should not wait for the interval.
    public var usageDueAt: MonotonicTime? { usageWatch.dueAt }
    /// When the module was last seen to have come back; nil = not while we looked.
    public var moduleBackAt: MonotonicTime? { settingsWatch.resetAt }
    /// Whether a reload waits to be judged.
    public var isSettling: Bool { limitWatch.settlesAt != nil }

    /// What to keep for the next start; nil before the first look.
    package var keep: (limit: LimitWatch.Kept, parameters: ParameterWatch.Kept)? {
        limitWatch.keep.map { ($0, settingsWatch.keep) }
    }

    // MARK: What is told

    /// What the state file says, before the first look.
    package mutating func restore(
        _ past: LimitWatch.Past, _ parameters: ParameterWatch.Kept, peak: UInt64? = nil, peakKnownFor: Duration = .zero
    ) {
        peakDay = peak
        self.peakKnownFor = peakKnownFor
        limitWatch.restore(past)
        settingsWatch.restore(parameters, isReload: past.isReload)
    }

    /// What sysctl configuration asks for.
    public mutating func configure(limit: ConfiguredLimit?, parameters: [String: ConfiguredParameter]) {
        limitWatch.configured = limit
        settingsWatch.configure(parameters)
    }

    /// What is live now becomes the accepted normal: the limit and every other setting.
    public mutating func acceptLive() {
        limitWatch.acceptLive()
        settingsWatch.acceptLive()
    }

    // MARK: At once

    /// Takes one look at the table. A fallen limit, a module that came back and the usage are judged here, without waiting.
    public mutating func observe(_ look: TableLook) -> [Announcement] {
        let change = moduleWatch.observe(look)
        let isWhole = moduleWatch.isWhole(look)
        if case .back = change {
            settingsWatch.reset(at: look.moment.monotonic)
            trackingWatch.restart()
        }
        var notices: [Notice] = []
        if let absence = absenceWatch.observe(look, change) { notices.append(absence) }
        if isWhole {
            let count = ReloadCount(total: moduleWatch.reloads, isExact: countsReloads)
            notices += limitWatch.observe(look, change, reloads: count)
        }
        let ended = mended(at: look.moment)
        let changes = settingsWatch.observe(look, isWhole: isWhole, isSettling: isSettling)
        return ended + changes + notices.map { $0.announcement(at: look.moment) } + judgeLimit(at: look.moment)
            + judgeUsage(look, isWhole: isWhole)
    }

    /// Takes a reading of the settings, without their nf_conntrack_ prefix.
    public mutating func observe(parameters: [String: UInt64], at moment: Moment) -> [Announcement] {
        settingsWatch.observe(parameters, at: moment, isSettling: isSettling)
    }

    /// Most of the table went at once. A reload explains it.
    mutating func observe(_ departure: MassDeparture, at moment: Moment) -> [Announcement] {
        guard !isSettling, moduleWatch.absentSince == nil else { return [] }
        return [flushWatch.notice(departure).announcement(at: moment)]
    }

    /// The end of a fall that the last run had said, for whoever still waits for it.
    private mutating func mended(at moment: Moment) -> [Announcement] {
        guard let how = limitWatch.takeMended() else { return [] }
        return [
            Announcement(
                time: moment.wall, name: AlertName.limitDropped.rawValue, state: .resolved, level: .warning,
                explanation: Explanation(how))
        ]
    }

    private mutating func judgeLimit(at now: Moment) -> [Announcement] {
        // Ten times a second nothing is the case: that costs no words.
        guard
            moduleWatch.absentSince != nil || limitWatch.fall != nil || book.isUnderWay(.moduleUnloaded)
                || book.isUnderWay(.limitDropped)
        else { return [] }
        let unload = AlertBook.Holds(warning: settings.unloadHold, critical: settings.unloadHold, clear: .zero)
        let unloaded = book.step(
            .moduleUnloaded, moduleWatch.unloadedVerdict(now: now.monotonic), holds: unload, now: now)
        let dropped = book.step(
            .limitDropped, limitWatch.droppedVerdict(context), holds: .none, incident: limitWatch.incident, now: now)
        return [unloaded, dropped].compactMap { $0 }
    }

    private var context: LimitWatch.Context {
        LimitWatch.Context(
            identity: identity, origin: origin, buckets: settingsWatch.buckets, reverted: settingsWatch.aside,
            peak: peakDay, peakKnownFor: peakKnownFor, warn: settings.warn, lostBuckets: settingsWatch.lostBuckets,
            rules: ruleContext)
    }

    // MARK: Each interval

    /// Judges a sample by every watch and every rule.
    public mutating func judge(_ sample: Sample) -> [Announcement] {
        peakDay = sample.entriesPeakDay
        peakKnownFor = sample.peakKnownFor
        settingsWatch.buckets = sample.buckets
        latest = sample
        takeSurvey(of: sample)
        return notices(of: sample).map { $0.announcement(at: sample.moment) } + judgeLimit(at: sample.moment)
            + judgeSettings(at: sample.moment) + judgeRules(sample) + noticeEvictions(sample)
            + judgeDegradations(sample)
    }

    /// After the rules: an alert that begins with this sample tells of it.
    private mutating func noticeEvictions(_ sample: Sample) -> [Announcement] {
        let isSaid = book.isFiring(.earlyDrop) || book.isFiring(.tableFull)
        let context = ruleContext
        let notice = earlyDropWatch.observe(sample, isSaid: isSaid, context)
        return notice.map { [$0.announcement(at: sample.moment)] } ?? []
    }

    private mutating func notices(of sample: Sample) -> [Notice] {
        let notices = [
            gapWatch.observe(sample),
            lossWatch.observe(sample, isAlertFiring: book.isFiring(.eventsLost)),
            nothingTrackedWatch.observe(sample), trackingWatch.observe(sample),
        ]
        return notices.compactMap { $0 } + budgetWatch.observe(sample)
    }

    /// What needs no haste: the limit against the configuration, the settings, a module that was never there.
    private mutating func judgeSettings(at now: Moment) -> [Announcement] {
        let uptime = now.monotonic - MonotonicTime(nanoseconds: 0)
        let notApplied = limitWatch.notAppliedVerdict(context, uptime: uptime, grace: settings.bootGrace)
        // While the host boots, what is configured may come yet; a reload that was seen is no boot.
        let isBooting = uptime < settings.bootGrace && moduleWatch.reloads == 0
        let lost = settingsWatch.verdict(inInitialNamespace: identity.isInitialNamespace)
        let reverted = !isSettling && !isBooting ? lost : nil
        return [
            book.step(.limitNotApplied, notApplied, holds: .none, now: now),
            book.step(.parametersReverted, reverted, holds: .none, incident: limitWatch.incident, now: now),
            book.step(.moduleAbsent, absenceWatch.verdict, holds: .none, now: now),
        ].compactMap { $0 }
    }

    private mutating func judgeRules(_ sample: Sample) -> [Announcement] {
        // What is late is no news: holds run on, and the look that comes is judged.
        if sample.gap == nil, sample.age != nil { return [] }
        // A hold must not run across a gap: what happened meanwhile is not known.
        let known = sample.gap == nil ? sample : nil
        let said = Rules.all.compactMap { rule in
            guard rule.name != .usageHigh else { return judgeUsage(of: known, at: sample.moment) }
            let verdict = known.flatMap { rule.evaluate($0, ruleContext(of: rule.name)) }
            return book.step(rule.name, verdict, holds: looksOnce ? .none : rule.holds(settings), now: sample.moment)
        }
        // What kept it from being due may be over.
        usageWatch.dueAt = book.due(.usageHigh)
        return said + endUnwatched(sample)
    }

    private var ruleContext: RuleContext {
        RuleContext(
            settings: settings, isInitialNamespace: identity.isInitialNamespace, origin: origin, running: kernel)
    }

    /// What the rule of one alert knows.
    func ruleContext(of name: AlertName) -> RuleContext {
        var context = ruleContext
        context.firing = book.level(of: name)
        return context
    }

    private mutating func judgeDegradations(_ sample: Sample) -> [Announcement] {
        var parts = book.subjects(of: .monitorDegraded)
        parts += sample.degraded.map(\.part).filter { !parts.contains($0) }
        return parts.compactMap { part in
            let isUnseen = book.isUnseen(.monitorDegraded, subject: part)
            let verdict = DegradationWatch.verdict(of: part, in: sample, isUnseen: isUnseen)
            return book.step(.monitorDegraded, subject: part, verdict, holds: .none, now: sample.moment)
        }
    }

    /// What fills the table is known only after the alert that asked was said, so it is said again.
    private mutating func takeSurvey(of sample: Sample) {
        guard let survey = sample.survey, survey.moment != surveyed else { return }
        surveyed = survey.moment
        book.renew(.usageHigh)
        book.renew(.tableFull)
    }
}
