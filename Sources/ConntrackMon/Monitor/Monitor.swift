// SPDX-License-Identifier: GPL-3.0-or-later
//
// Start here. `watch` is this file: the six stages, wired.
//
//   1 source     Source/     /proc, a ctnetlink socket or ring   reader thread   Reader
//   2 decode     CNetfilter  message -> 64-byte record           reader thread   cnf_decode
//   3 ring       Ring/       records, one producer, one consumer                 EventRing
//   4 aggregate  Aggregate/  records -> one Sample an interval   main thread     Collector
//   5 judge      Judge/      (sample, state, now) -> alerts      main thread     Judge
//   6 publish    Publish/    lines, hook; textfile, status.json  two writers     LineWriter, FileWriter

internal import CNetfilter
internal import Glibc

/// The monitor: watches one host's table until it is told to stop.
public final class Monitor {
    private let settings: Settings
    private let identity: Identity
    /// How nf_conntrack was there at the start; nil where /sys is another host's.
    private let module: ConntrackModule?
    /// False for a saved tree: this kernel's events, statistics and log say nothing about it.
    private let isLive: Bool

    private let channel: Channel
    private let reader: Reader
    private var around: SurroundingsReader
    private var collector: Collector
    private var judge: Judge
    private let lines: LineWriter
    private let files: FileWriter

    private var keeper: StateKeeper?
    private var rarely: SettingsReader
    private let doctor: HourlyDoctor?
    private let surveyor: Surveyor?
    private var news = EventNews()
    private var latest: Sample?
    private var latestLook: TableLook?
    private var doctorShown = false
    private var metricsDue = MonotonicTime(nanoseconds: 0)

    /// Sets everything up; nothing runs yet. Signals are blocked from here on: call it before any thread is started.
    public init(_ settings: Settings, host: String) throws(SystemError) {
        EventLoop.takeSignals()
        self.settings = settings
        identity = Identity(host: host, netns: NetworkNamespace.label(entered: settings.netns))
        isLive = KernelFile.isProcfs(settings.procfs)
        module = Reader.Plan(settings, isLive: isLive).sysfsOfTable.map { ConntrackModule.look(sysfs: $0) }
        channel = try Channel(capacity: settings.ring)
        reader = Reader(plan: Reader.Plan(settings, isLive: isLive), channel: channel)
        around = SurroundingsReader(procfs: settings.procfs, module: module ?? .absent)
        collector = Collector(period: settings.sample, seed: .random())
        judge = Judge(settings: settings.rules, identity: identity)
        lines = try LineWriter(plan: LineWriter.Plan(settings, identity: identity))
        files = try FileWriter(plan: FileWriter.Plan(settings))
        keeper = StateKeeper(settings)
        let root = settings.configurationRoot
        rarely = SettingsReader(procfs: settings.procfs, root: root, isInitialNamespace: identity.netns == "root")
        surveyor = isLive ? Surveyor(procfs: settings.procfs, sysfs: settings.sysfs) : nil
        doctor = root.map { HourlyDoctor(root: $0, procfs: settings.procfs, sysfs: settings.sysfs) }
        if let root { judge.origin = .ofHost(root: root, procfs: settings.procfs, sysfs: settings.sysfs) }
    }

    /// Watches until a signal, --duration or --count ends it.
    public func run() throws(SystemError) {
        let loop = try EventLoop(interval: settings.interval, bell: channel.bell.descriptor)
        try lines.start()
        try files.start()
        try reader.start()
        begin()
        let started = Moment.now().monotonic
        var intervals = 0
        var ending: String?
        while ending == nil {
            let left = settings.duration.map { $0 - (Moment.now().monotonic - started) }
            let wake = left.map { $0 <= .zero } == true ? nil : loop.wait(timeout: patience(left))
            if wake == .tick { intervals += 1 }
            ending = wake.map(handle) ?? "--duration is over"
            if ending == nil, let count = settings.count, intervals >= count { ending = "--count is reached" }
        }
        end(ending ?? "")
    }

    /// How long to wait for what happens: not beyond `left`, nor beyond the moment when a reload is to be judged.
    private func patience(_ left: Duration?) -> Duration? {
        guard let settlesAt = judge.settlesAt else { return left }
        let settles = max(.milliseconds(20), settlesAt - Moment.now().monotonic)
        guard let left else { return settles }
        return min(left, settles)
    }

    /// Does what the wake-up asks for; why to stop, if that is what it asks.
    private func handle(_ wake: EventLoop.Wake) -> String? {
        switch wake {
        case .tick:
            closeInterval()
        case .bell:
            channel.bell.silence()
            look()
        case .timeout:
            look()
        case .signal(SIGHUP):
            configure(now: true)
            let announcements = drain() + readSettings(now: true)
            lines.say(announcements)
            judge.acceptLive()
            let limit = latestLook?.limit.map(limitText) ?? "none"
            say(log: "SIGHUP: the limit that is live now is the accepted one: \(limit)")
        case .signal(SIGUSR1):
            if let latest { say(log: statusLine(of: report(latest))) }
        case .signal(let number):
            return number == SIGINT ? "SIGINT" : "SIGTERM"
        }
        return nil
    }

    // MARK: Stages 4 to 6

    /// Drains the ring and judges what cannot wait for the interval: a fallen limit, a module gone or back.
    private func look() {
        let announcements = drain()
        guard !announcements.isEmpty else { return }
        lines.say(announcements)
        guard var sample = latest, let look = latestLook else { return }
        sample.table = look
        files.write(report(sample), metrics: true)
        keep(sample)
    }

    private func drain() -> [Announcement] {
        // What a reload took away is told with the limit, so it must be known before that is judged.
        var announcements = judge.isSettling ? readSettings(now: true) : []
        let now = Moment.now()
        judge.countsReloads = channel.countsReloads
        collector.take(counted: channel.counted)
        channel.ring.drain { records in
            collector.take(records, now: now) { look in
                // Who writes a limit often wrote its configuration just before: it must be known to judge the limit.
                if look.limit != latestLook?.limit { configure(now: true) }
                latestLook = look
                announcements += judge.observe(look)
            }
        }
        // Who puts the limit back puts the settings back with it: not to be judged by what was read before.
        if announcements.contains(where: { $0.state == .resolved }) { announcements += readSettings(now: true) }
        return announcements
    }

    /// The settings and their configuration, where they are due to be read again.
    private func readSettings(now isNow: Bool) -> [Announcement] {
        let before = rarely.parameters
        let moment = Moment.now()
        let reading = rarely.settings(at: moment.monotonic, now: isNow)
        // As with the limit: a written setting may follow a configuration that was written with it.
        let isChanged = !rarely.parameters.elementsEqual(before, by: ==)
        configure(now: isChanged)
        return reading.map { judge.observe(parameters: $0, at: moment) } ?? []
    }

    private func configure(now isNow: Bool) {
        guard let configured = rarely.configuration(at: Moment.now().monotonic, now: isNow) else { return }
        judge.configure(limit: configured.limit, parameters: configured.parameters)
    }

    /// Ends an interval: one sample, judged and published.
    private func closeInterval() {
        var announcements = drain() + readSettings(now: false) + eventNews()
        guard let sample = collector.close(surroundings()) else { return }
        latest = sample
        announcements += judge.judge(sample)
        publish(sample, announcements)
        survey(after: announcements, now: sample.moment.monotonic)
    }

    /// Has the table looked into when an alert about its usage has begun to fire.
    private func survey(after announcements: [Announcement], now: MonotonicTime) {
        guard let surveyor else { return }
        surveyor.follow(announcements, firing: judge.firing)
        let timeout = rarely.parameters.first { $0.name == "nf_conntrack_tcp_timeout_established" }?.value
        surveyor.step(now: now, moduleChanged: judge.moduleBackAt, establishedTimeout: timeout)
        if let failure = surveyor.takeFailure() { say(log: failure) }
    }

    private func publish(_ sample: Sample, _ announcements: [Announcement]) {
        let now = sample.moment.monotonic
        doctor?.step(now: now)
        let isExamined = !doctorShown && doctor?.report != nil
        doctorShown = doctorShown || isExamined
        let due = now >= metricsDue
        if due { metricsDue = now + settings.textfileInterval }
        let changed = announcements.contains { $0.state == .firing || $0.state == .resolved || $0.state == .notice }
        let report = report(sample)
        lines.say(announcements)
        lines.show(report)
        files.write(report, metrics: due || changed || isExamined)
        if due || changed { keep(sample) }
    }

    private func keep(_ sample: Sample) {
        if let state = keeper?.document(sample, judge) { files.keep(state) }
    }

    private func surroundings() -> Collector.Surroundings {
        var around = self.around.read(at: Moment.now(), look: latestLook)
        around.listening = news.method != nil
        around.lostIsCounted = news.method?.source == "bpf"
        if around.listening { around.isNetlinkThere = ConntrackModule.mayListen(sysfs: settings.sysfs) }
        around.duty = channel.eventDuty
        around.lost = channel.lost
        around.lossIsExact = channel.lossIsExact
        around.ringCapacity = channel.ring.capacity
        around.ringPeak = channel.ring.peak
        around.survey = surveyor?.survey.flatMap { survey in
            around.moment.monotonic - survey.moment.monotonic < Surveyor.lasts ? survey : nil
        }
        around.degraded += [news.degradation].compactMap { $0 } + lines.degraded + files.degraded
        return around
    }

    private func report(_ sample: Sample) -> Report {
        var report = Report(identity: identity, sample: sample)
        report.firing = judge.firing
        report.reloads = judge.reloads
        report.drops = judge.drops
        report.baseline = judge.baseline
        report.module = module == .absent ? ConntrackModule.look(sysfs: settings.sysfs) : module ?? .absent
        report.parameters = rarely.parameters
        report.doctor = doctor?.report
        report.source = news.method?.source ?? "none"
        if case .unavailable(let reason, _) = news.status { report.eventsReason = reason }
        if let why = sample.duty?.hindrance {
            report.eventsReason = "the event groups are left (--event-budget) and not joined again: \(why)"
        }
        report.interval = settings.interval
        report.perCPU = settings.perCPU
        report.netnsLabel = settings.netns == nil ? nil : identity.netns
        report.procfs = settings.procfs
        report.netnsInode = NetworkNamespace.current()
        return report
    }

    // MARK: Begin and end

    /// The first look: what is wrong from the start is said at once, and the first interval has something to compare with.
    private func begin() {
        say(
            log: "conntrack-mon \(conntrackMonVersion) watches \(settings.procfs)/sys/net/netfilter every"
                + " \(durationText(settings.sample))\(module.map { ", nf_conntrack \($0.rawValue)" } ?? "")")
        restore()
        var announcements = readSettings(now: true) + drain() + eventNews()
        guard let sample = collector.close(surroundings()) else { return }
        latest = sample
        announcements += judge.judge(sample)
        lines.say(announcements)
        metricsDue = sample.moment.monotonic + settings.textfileInterval
        doctor?.step(now: sample.moment.monotonic)
        files.write(report(sample), metrics: true)
        keep(sample)
        survey(after: announcements, now: sample.moment.monotonic)
    }

    /// What the state file knows, so that the first look is compared with it.
    private func restore() {
        let now = Moment.now()
        switch keeper?.load(now: now.wall) {
        case .nothing, nil:
            break
        case .unusable(let why, let isKept):
            say(log: why, level: .warning)
            if isKept { keeper = nil }
        case .state(let state, let past):
            let knownFor = Duration.seconds(min(max(0, state.peakKnownForSeconds), 1e9))
            judge.restore(past, ParameterWatch.Kept(state), peak: state.peakDay, peakKnownFor: knownFor)
            collector.restore(peakDay: state.peakDay, knownFor: knownFor, at: now.monotonic)
        }
    }

    /// Counts what is still under way, leaves files that say the monitor has stopped, and ends the threads. Milliseconds, unless one is stuck.
    private func end(_ reason: String) {
        _ = reader.stop()
        lines.say(drain() + readSettings(now: true))
        if let sample = collector.close(surroundings()) {
            keep(sample)
            var last = report(sample)
            last.isUp = false
            files.write(last, metrics: true)
        }
        say(log: "stopped: \(reason)")
        lines.stop()
        files.stop()
    }

    private func say(log text: String, level: Level? = nil) {
        lines.say([logLine(text, level: level)])
    }

    private func logLine(_ text: String, level: Level? = nil) -> Announcement {
        Announcement(time: Moment.now().wall, name: "monitor", state: .log, level: level, summary: text)
    }

    private func eventNews() -> [Announcement] {
        news.take(channel.eventStatus).map { [logLine($0)] } ?? []
    }
}
