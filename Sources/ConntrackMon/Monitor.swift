// SPDX-License-Identifier: GPL-3.0-or-later
//
// Start here. `watch` is this file: the six stages, wired.
//
//   1 source     Source/     /proc and a ctnetlink socket        reader thread   Reader
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
    private let module: ConntrackModule
    /// False for a saved tree: this kernel's events, statistics and log say nothing about it.
    private let isLive: Bool

    private let channel: Channel
    private let reader: Reader
    private var around: SurroundingsReader
    private var collector: Collector
    private var judge: Judge
    private let lines: LineWriter
    private let files: FileWriter

    private var latest: Sample?
    private var latestLook: TableLook?
    private var eventStatus = EventStatus.off
    private var parameters: [(name: String, value: UInt64)] = []
    private var metricsDue = MonotonicTime(nanoseconds: 0)

    /// Sets everything up; nothing runs yet. Signals are blocked from here on: call it before any thread is started.
    public init(_ settings: Settings, host: String) throws(SystemError) {
        EventLoop.takeSignals()
        self.settings = settings
        identity = Identity(host: host, netns: NetworkNamespace.label(entered: settings.netns))
        module = ConntrackModule.look(sysfs: settings.sysfs)
        isLive = KernelFile.isProcfs(settings.procfs)
        channel = try Channel(capacity: settings.ring)
        reader = Reader(plan: Reader.Plan(settings, isLive: isLive), channel: channel)
        around = SurroundingsReader(procfs: settings.procfs, module: module)
        collector = Collector(period: settings.sample)
        judge = Judge(settings: settings.rules, identity: identity)
        lines = try LineWriter(plan: LineWriter.Plan(settings, identity: identity))
        let status = settings.runDirectory.map { $0 + "/status.json" }
        files = try FileWriter(plan: FileWriter.Plan(textfile: settings.textfile, status: status))
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
        var ending = "--count is reached"
        watching: while settings.count.map({ intervals < $0 }) ?? true {
            let left = settings.duration.map { $0 - (Moment.now().monotonic - started) }
            if let left, left <= .zero {
                ending = "--duration is over"
                break
            }
            // A reload waits to be judged: look before the interval ends.
            let soon = judge.settlesAt.map { max(.milliseconds(20), $0 - Moment.now().monotonic) }
            switch loop.wait(timeout: [left, soon].compactMap { $0 }.min()) {
            case .tick:
                intervals += 1
                closeInterval()
            case .bell:
                channel.bell.silence()
                look()
            case .timeout:
                look()
            case .signal(SIGHUP):
                judge.acceptLive()
                let limit = latestLook?.limit.map(limitText) ?? "none"
                say(log: "SIGHUP: the limit that is live now is the accepted one: \(limit)")
            case .signal(SIGUSR1):
                if let latest { say(log: statusLine(of: report(latest))) }
            case .signal(let number):
                ending = number == SIGINT ? "SIGINT" : "SIGTERM"
                break watching
            }
        }
        end(ending)
    }

    // MARK: Stages 4 to 6

    /// Drains the ring and judges what cannot wait for the interval: a fallen limit, a module gone or back.
    private func look() {
        let announcements = drain()
        guard !announcements.isEmpty else { return }
        lines.say(announcements)
        if var sample = latest, let look = latestLook {
            sample.table = look
            files.write(report(sample), metrics: true)
        }
    }

    private func drain() -> [Announcement] {
        var announcements: [Announcement] = []
        let now = Moment.now()
        channel.ring.drain { records in
            collector.take(records, now: now) { look in
                latestLook = look
                announcements += judge.observe(look)
            }
        }
        return announcements
    }

    /// Ends an interval: one sample, judged and published.
    private func closeInterval() {
        var announcements = drain() + eventNews()
        guard let sample = collector.close(surroundings()) else { return }
        latest = sample
        announcements += judge.judge(sample)
        publish(sample, announcements)
    }

    private func publish(_ sample: Sample, _ announcements: [Announcement]) {
        let now = sample.moment.monotonic
        let due = now >= metricsDue
        if due {
            metricsDue = now + settings.textfileInterval
            if settings.textfile != nil { parameters = readParameters(procfs: settings.procfs) }
        }
        let changed = announcements.contains { $0.state == .firing || $0.state == .resolved || $0.state == .notice }
        let report = report(sample)
        lines.say(announcements)
        lines.show(report)
        files.write(report, metrics: due || changed)
    }

    private func surroundings() -> Collector.Surroundings {
        var around = self.around.read(at: Moment.now(), look: latestLook)
        if case .listening = eventStatus {
            around.listening = true
            around.isNetlinkThere = ConntrackModule.mayListen(sysfs: settings.sysfs)
        }
        around.lost = channel.lost
        around.lossIsExact = channel.lossIsExact
        around.ringCapacity = channel.ring.capacity
        around.ringPeak = channel.ring.peak
        around.degraded += eventDegradation() + lines.degraded + files.degraded
        return around
    }

    private func report(_ sample: Sample) -> Report {
        var report = Report(identity: identity, sample: sample)
        report.firing = judge.firing
        report.reloads = judge.reloads
        report.drops = judge.drops
        report.baseline = judge.baseline
        report.module = module == .absent ? ConntrackModule.look(sysfs: settings.sysfs) : module
        report.parameters = parameters
        if case .listening = eventStatus { report.source = "netlink" }
        if case .unavailable(let reason, _) = eventStatus { report.eventsReason = reason }
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
                + " \(durationText(settings.sample)), nf_conntrack \(module.rawValue)")
        var announcements = drain() + eventNews()
        guard let sample = collector.close(surroundings()) else { return }
        latest = sample
        announcements += judge.judge(sample)
        lines.say(announcements)
        parameters = settings.textfile == nil ? [] : readParameters(procfs: settings.procfs)
        metricsDue = sample.moment.monotonic + settings.textfileInterval
        files.write(report(sample), metrics: true)
    }

    /// Counts what is still under way, leaves files that say the monitor has stopped, and ends the threads; in 200 ms.
    private func end(_ reason: String) {
        _ = reader.stop()
        let announcements = drain()
        lines.say(announcements)
        if let sample = collector.close(surroundings()) {
            var last = report(sample)
            last.isUp = false
            files.write(last, metrics: true)
        }
        say(log: "stopped: \(reason)")
        lines.stop()
        files.stop()
    }

    private func say(log text: String) {
        lines.say([Announcement(time: Moment.now().wall, name: "monitor", state: .log, summary: text)])
    }

    // MARK: Events

    /// What has changed about events since the last look, as a line of the monitor's own log.
    private func eventNews() -> [Announcement] {
        let status = channel.eventStatus
        guard status != eventStatus else { return [] }
        eventStatus = status
        let text: String
        switch status {
        case .off: return []
        case .listening(let bytes):
            text = "events by netlink, read in batches (receive buffer \(bytes) bytes)"
        case .unavailable(let reason, let expected):
            guard expected else { return [] }
            text = "no events: \(reason); table samples, statistics and alerts go on"
        case .failed(let error):
            text = "events ended: \(error)"
        }
        return [Announcement(time: Moment.now().wall, name: "monitor", state: .log, summary: text)]
    }

    private func eventDegradation() -> [Degradation] {
        let remains = "table samples, statistics and alerts go on"
        switch eventStatus {
        case .unavailable(let reason, expected: false):
            return [Degradation(part: "events", reason: reason, remains: remains)]
        case .failed(let error):
            return [Degradation(part: "events", reason: "\(error)", remains: remains)]
        case .off, .listening, .unavailable:
            return []
        }
    }
}

extension Reader.Plan {
    init(_ settings: Settings, isLive: Bool) {
        self.init(
            procfs: settings.procfs, sysfs: settings.sysfs, sample: settings.sample,
            groups: settings.source == .none || !isLive ? [] : settings.events, receiveBuffer: settings.receiveBuffer,
            loadModules: settings.loadModules,
            sysfsOfTable: isLive == KernelFile.isSysfs(settings.sysfs) ? settings.sysfs : nil,
            eventsRequired: settings.source == .netlink)
    }
}

extension LineWriter.Plan {
    init(_ settings: Settings, identity: Identity) {
        self.init(
            identity: identity, format: settings.format, alertFormat: settings.alertFormat, journal: settings.journal,
            hook: settings.hook)
    }
}
