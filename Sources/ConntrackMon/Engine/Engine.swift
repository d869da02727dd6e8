// SPDX-License-Identifier: GPL-3.0-or-later

package import CRecord
package import ConntrackModel

/// Stages 4 and 5: observations in, outputs out. The same observations give the same outputs, however they are cut into
/// batches. No clock and no I/O: what it must know it wants, and goes on when it was told.
///
///     records (events, looks, counts, duty, status) ─┐
///                                                    ├─> count ─> judge ─> outputs
///     readings (settings, statistics, tick, ...) ────┘
package struct Engine: ~Copyable {
    let plan: EnginePlan
    var agenda = Agenda()
    var collector: Collector
    var judge: Judge
    private var patience = Patience()
    var news: EventNews
    private var statisticsNews = StatisticsNews()
    var surveys = SurveyPolicy()
    private var namespaceWatch: NamespaceWatch

    /// An interval is to be closed, files are to be written, what is live is to be accepted, all is over: since when each
    /// waits for the readings it needs.
    var due = Due()

    var kernel = KernelReading()
    var kernelAt: Moment
    var health = Health()
    var tableFull = TableFullCount()
    var parameters: [(name: String, value: UInt64)] = []
    var doctor: DoctorReport?
    /// The flight recorder; nil = nobody wants one.
    var incidents: IncidentWindow?
    /// The newest look that was counted, and the newest that was judged.
    var newestLook, judgedLook: TableLook?
    var latest: Sample?
    var metricsDue = MonotonicTime(nanoseconds: 0)
    /// Between the two clocks, at the newest look.
    private var wallOffset: Int64
    private var began: MonotonicTime?
    var intervals = 0
    var outputs: [Output] = []

    /// How watching is to end; nil = it goes on.
    package internal(set) var ending: Ending?

    /// An engine that has seen nothing yet. `seed` keeps whoever fills the table from choosing keys that collide.
    package init(_ plan: EnginePlan, seed: HashSeed, restored: Restored? = nil, at now: Moment) {
        self.plan = plan
        collector = Collector(
            period: plan.sample, limits: plan.limits, seed: seed, kernel: KernelRelease(plan.kernel))
        collector.natPorts.isOff = plan.rules.natPorts == 0
        news = EventNews(kernel: plan.kernel, source: plan.source, hasStatistics: plan.hasStatisticsFile)
        wallOffset = now.wallOffset
        judge = Judge(settings: plan.rules, identity: plan.identity)
        judge.kernel = KernelRelease(plan.kernel)
        judge.usageWatch.longestPause = plan.longestPause
        judge.usageWatch.longestAge = max(judge.usageWatch.longestAge, plan.sample * 2)
        kernelAt = now
        incidents = plan.incidents.map { IncidentWindow($0, sample: plan.sample, interval: plan.interval) }
        namespaceWatch = NamespaceWatch(name: plan.netns ?? "")
        guard let restored else { return }
        judge.restore(restored.limit, restored.parameters, peak: restored.peakDay, peakKnownFor: restored.peakKnownFor)
        judge.restore(firing: restored.firing, at: now)
        collector.restore(peakDay: restored.peakDay, knownFor: restored.peakKnownFor, at: now.monotonic)
    }

    // MARK: What is asked of the host

    /// Whether readings are wanted that the engine has not asked for yet.
    package var isWaiting: Bool { !agenda.isEmpty }

    /// What is wanted, each once; the quick ones are to be answered before anything else is taken.
    package mutating func takeWants() -> [Want] { agenda.take() }

    /// What is to be published.
    package mutating func takeOutputs() -> [Output] {
        defer { outputs = [] }
        return outputs
    }

    /// When to come back, whatever happens: a reload or usage is to be judged, what was wanted did not come, the time is over.
    package var nextDeadline: MonotonicTime? {
        let over = began.flatMap { began in plan.duration.map { began + $0 } }
        // Without a look since, there is nothing to come back for.
        let departure = collector.departureDueAt.flatMap { $0 > agenda.newest ? $0 : nil }
        let incident = latest == nil ? nil : incidents?.dueAt
        return [judge.settlesAt, judge.usageDueAt, departure, patience.until, over, due.looksAgainAt, incident]
            .compactMap { $0 }.min()
    }

    // MARK: Records

    /// Takes a batch off the ring.
    package mutating func take(_ records: borrowing Span<cnf_record>) {
        records.withUnsafeBufferPointer { records in
            guard let first = records.baseAddress else { return }
            for index in records.indices {
                let event = EventInPlace(first + index)
                if event.kind == CNF_NEW.rawValue {
                    collector.countNew(event)
                } else if event.kind == CNF_DESTROY.rawValue {
                    collector.countDestroy(event)
                } else if event.kind > CNF_DESTROY.rawValue {
                    takeOther(records[index])
                }
            }
        }
    }

    /// What is no event.
    @inline(never)
    private mutating func takeOther(_ record: cnf_record) {
        switch UInt32(record.event.kind) {
        case CNF_TABLE.rawValue: take(TableLook(record.table))
        case CNF_COUNTS.rawValue: collector.take(record.counts)
        case CNF_DUTY.rawValue: collector.take(record.duty)
        case CNF_STATUS.rawValue: take(record.status)
        default: break
        }
    }

    private mutating func take(_ record: cnf_status) {
        let time = MonotonicTime(nanoseconds: record.time_ns)
        collector.natPorts.forget()
        guard let status = EventStatus(record), let text = news.take(status) else { return }
        logInOrder(text, at: Moment(monotonic: time, wallOffset: wallOffset))
    }

    /// In the order in which it came: what a look before it proves may still wait to be judged.
    private mutating func logInOrder(_ text: String, at moment: Moment) {
        if patience.isWaiting { patience.add(.line(text, at: moment)) } else { log(text, at: moment) }
    }

    private mutating func take(_ look: TableLook) {
        wallOffset = look.moment.wallOffset
        agenda.advance(to: look.moment.monotonic)
        collector.take(look)
        incidents?.take(look)
        let isListening = news.method != nil && kernel.isNetlinkThere
        if collector.followSilence(look, listeningTo: isListening ? plan.groups : []) { agenda.add(.settings) }
        newestLook = look
        // Nothing that was read before it belongs to the interval that it ends.
        if due.lookSince != nil, !collector.isLookLate(at: kernelAt.monotonic) {
            due.tick = .later(due.tick ?? look.moment, look.moment)
            due.lookSince = nil
        }
        if let departure = collector.takeMassDeparture() {
            say(judge.observe(departure, at: look.moment), at: look.moment)
        }
        if isUneventful(look) {
            judge(look, at: look.moment)
            if due.isNothing { return }
        } else {
            patience.add(.look(look))
        }
        proceed(at: look.moment)
    }

    /// Nearly every look: nothing changed, and nothing waits.
    private func isUneventful(_ look: TableLook) -> Bool {
        look.limit == judgedLook?.limit && !judge.isSettling && !patience.isWaiting && due.isNothing
    }

    // MARK: Readings

    /// Takes a reading that was begun at `moment`.
    package mutating func take(_ reading: Reading, at moment: Moment) {
        let time = moment.monotonic
        agenda.advance(to: time)
        switch reading {
        case .tick: tick(at: moment)
        case .time: break
        case .accept: due.accept = moment
        case .show:
            due.show = latest == nil
            if let latest { outputs.append(.status(report(latest))) }
        case .incident:
            if incidents == nil { log("SIGUSR2: there is no --incident-dir to write to", at: moment) }
            incidents?.ask(at: time)
        case .end(let how): end(how)
        case .stop: due.stop = moment
        case .settings(let values):
            agenda.answered(.settings, at: time)
            let isChanged = !values.elementsEqual(parameters, by: ==)
            parameters = values
            collector.take(eventSetting: values.first { $0.name == "nf_conntrack_events" }?.value, at: time)
            patience.take(Patience.Settings(values: values, moment: moment, isChanged: isChanged, since: moment))
        case .kernel(let reading):
            agenda.answered(.kernel(TableFaults(nil)), at: time)
            kernel = reading
            if let statistics = reading.statistics { collector.take(statistics) }
            if let text = statisticsNews.take(reading, at: time) { logInOrder(text, at: moment) }
            kernelAt = moment
            if let why = namespaceWatch.observe(reading.namespace, at: time) { end(Ending(why, isFailure: true)) }
        case .log(let lines):
            agenda.answered(.log, at: time)
            tableFull.add(lines)
        case .health(let health):
            agenda.answered(.health, at: time)
            self.health = health
        case .configuration(let configured):
            agenda.answered(.configuration, at: time)
            judge.configure(limit: configured.limit, parameters: configured.parameters)
        case .origin(let origin):
            agenda.answered(.origin, at: time)
            judge.origin = origin
        case .doctor(let report):
            agenda.answered(.doctor, at: time)
            // The first one is not kept waiting for its turn.
            if doctor == nil { metricsDue = MonotonicTime(nanoseconds: 0) }
            doctor = report
        case .survey(let result, let took):
            agenda.answered(.survey(establishedTimeout: nil), at: time)
            endSurvey(result, took: took, at: moment)
        }
        proceed(at: moment)
    }

    private mutating func endSurvey(_ result: Result<Survey, SystemError>, took: Duration, at moment: Moment) {
        let time = moment.monotonic
        collector.natPorts.endDump(try? result.get(), at: time)
        let levels = NATPortLevels(plan.rules)
        let confirms = collector.natPorts.ports(at: time)?.uses.contains { levels.crossed($0) != nil } ?? false
        guard let error = surveys.end(result, confirms: confirms, took: took, at: time) else { return }
        log(Engine.words(error, isForUsage: surveys.isForUsage), at: moment)
    }

    private mutating func end(_ how: Ending) {
        ending = ending ?? how
    }

    private mutating func tick(at moment: Moment) {
        began = began ?? moment.monotonic
        // Two that fall together after a pause are one: of a moment no rate can be told.
        if let latest, moment.monotonic - latest.moment.monotonic < plan.interval / 2 { return }
        due.tick = moment
        due.needsSettings = agenda.tick(at: moment.monotonic, hasConfiguration: plan.hasConfiguration)
    }

    // MARK: Judging, in order

    /// Judges what need not wait any longer, and closes what is due.
    private mutating func proceed(at now: Moment) {
        if let began, let duration = plan.duration, now.monotonic - began >= duration {
            end(Ending("--duration is over"))
        }
        if incidents?.isDue(at: now.monotonic) == true, latest != nil { due.files = due.files ?? now }
        let isHurried = due.stop != nil
        while true {
            if let reading = patience.settings {
                guard isHurried || isKnown(reading, at: now.monotonic) else { return }
                patience.settings = nil
                say(judge.observe(parameters: reading.withoutPrefix, at: reading.moment), at: now)
                continue
            }
            switch patience.items.first {
            case .look(let look):
                guard isHurried || isKnown(look, at: now.monotonic) else { return }
                patience.removeFirst()
                judge(look, at: now)
            case .line(let text, let moment):
                patience.removeFirst()
                log(text, at: moment)
            case nil:
                acceptIfKnown()
                closeIfKnown(at: now.monotonic)
                return
            }
        }
    }

    /// Whether the reading can be judged. A written setting may follow a configuration that was written with it.
    private mutating func isKnown(_ reading: Patience.Settings, at now: MonotonicTime) -> Bool {
        guard reading.isChanged, plan.hasConfiguration else { return true }
        return agenda.has(.configuration, for: reading.since.monotonic) || patience.isOver(reading.since, at: now)
    }

    /// Whether the look can be judged. Who writes a limit often wrote its configuration just before, or is a program that
    /// started just before. And what a reload took away is told with the limit, so it must be known by then.
    private mutating func isKnown(_ look: TableLook, at now: MonotonicTime) -> Bool {
        let time = look.moment.monotonic
        var isKnown = true
        if look.limit != judgedLook?.limit, plan.hasConfiguration {
            let isConfigured = agenda.has(.configuration, for: time)
            isKnown = agenda.has(.origin, for: time) && isConfigured
        }
        if judge.isSettling { isKnown = agenda.has(.settings, for: time) && isKnown }
        return isKnown || patience.isOver(look.moment, at: now)
    }

    private mutating func judge(_ look: TableLook, at now: Moment) {
        judgedLook = look
        judge.countsReloads = look.countsReloads
        let announcements = judge.observe(look)
        // Who puts the limit back puts the settings back with it: not to be judged by what was read before.
        if announcements.contains(where: { $0.state == .resolved }) { agenda.add(.settings) }
        if !announcements.isEmpty { survey(after: announcements, now: look.moment.monotonic) }
        say(announcements, at: now)
    }

    /// Says what cannot wait for the interval; the files follow when the readings for them are there.
    private mutating func say(_ announcements: [Announcement], at now: Moment) {
        guard !announcements.isEmpty else { return }
        publish(announcements, at: now.monotonic)
        due.files = due.files ?? now
    }

    private mutating func log(_ text: String, level: Level? = nil, at now: Moment) {
        publish(
            [Announcement(time: now.wall, name: "monitor", state: .log, level: level, summary: text)], at: now.monotonic
        )
    }

    mutating func publish(_ announcements: [Announcement], at now: MonotonicTime) {
        incidents?.take(announcements, at: now)
        outputs.append(.say(announcements))
    }

    private static func words(_ error: SystemError, isForUsage: Bool) -> String {
        let cure = error.isNotPermitted ? "; a dump needs CAP_NET_ADMIN" : ""
        let what = isForUsage ? "what fills the table" : "which ports NAT uses"
        return "\(what) is not known: \(error)\(cure)"
    }

    private mutating func acceptIfKnown() {
        guard let asked = due.accept, judgedLook != nil else { return }
        let time = asked.monotonic
        let isConfigured = !plan.hasConfiguration || agenda.has(.configuration, for: time)
        guard agenda.has(.settings, for: time) && isConfigured else { return }
        due.accept = nil
        judge.acceptLive()
        let limit = judgedLook?.limit.map(limitText) ?? "none"
        log("SIGHUP: the limit that is live now is the accepted one: \(limit)", at: asked)
    }
}
