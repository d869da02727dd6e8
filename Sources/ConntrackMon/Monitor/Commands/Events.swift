// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import CRecord
internal import ConntrackEngine
internal import ConntrackHost
internal import ConntrackModel
internal import ConntrackSystem
internal import Glibc

/// `events`: every event as a line, until it is stopped.
///
/// It sleeps on a timer and not on the socket, as the reader of `watch` does: to be woken for each event costs more than all
/// else, and whoever makes the entry pays for it.
public struct EventStream: ~Copyable {
    private let settings: Settings
    private let paths: HostPaths
    private let groups: EventGroups
    private let lines: EventLines
    private let slots: UnsafeMutableBufferPointer<cnf_record>
    private var output: EventsOutput
    private var socket: EventSocket?
    private var policy: JoinPolicy
    private var news: EventNews
    private var losses = EventsLosses()
    private var tally = cnf_tally()
    private var truncatedSeen: UInt64 = 0
    private var lookAt: MonotonicTime
    private let endAt: MonotonicTime?
    private var isWaitSaid = false

    private static let batch = 128
    /// A person takes what comes within a tenth of a second as at once.
    private static let pause = Duration.milliseconds(40)
    /// So much is written in one piece while more comes.
    private static let piece = 1 << 16
    /// How often the module is looked for.
    private static let lookPeriod = Duration.milliseconds(100)
    /// How long the end takes what was sent before it.
    private static let lastDrain = Duration.milliseconds(200)

    /// Sets it up; nothing is joined yet. Throws where this host cannot be listened to.
    package init(_ settings: Settings) throws {
        let paths = HostPaths(settings)
        guard paths.isLive else {
            throw EventsFailure("--procfs \(settings.procfs) is a saved copy: only the running kernel has events")
        }
        let isTable = settings.stream.format == .table
        let lines = try EventLines(
            EventLines.Plan(
                format: settings.stream.format, options: settings.stream.options ?? [],
                look: isTable
                    ? RowLook(isTerminal: isatty(1) == 1) { name in getenv(name).map { String(cString: $0) } }
                    : RowLook(),
                filter: settings.filter, most: settings.count))
        let output = try EventsOutput(1)
        let now = MonotonicTime.now()
        self.settings = settings
        self.paths = paths
        self.lines = lines
        self.output = output
        groups = settings.stream.groups ?? [.new, .update, .destroy]
        slots = .allocate(capacity: EventStream.batch)
        slots.initialize(repeating: cnf_record())
        policy = JoinPolicy(
            JoinPolicy.Terms(mayLoad: settings.loadModules, settle: settings.rules.settle),
            first: EventStream.look(paths, at: now))
        news = EventNews(kernel: RunningKernel.release, source: settings.source)
        lookAt = now + EventStream.lookPeriod
        endAt = settings.duration.map { now + $0 }
    }

    deinit {
        slots.deallocate()
    }

    /// Runs until a signal, the reader's going, --count or --duration ends it. Throws what it cannot go on with.
    public mutating func run() throws(EventsFailure) {
        if settings.stream.options?.contains(.labels) == true, !lines.hasLabels {
            say("events: no labels: /etc/xtables/connlabel.conf names none")
        }
        let paths = paths
        try carryOut(policy.begin(at: .now(), netlink: ConntrackModule.netlink(paths)))
        var end: EventsOutput.End?
        while end == nil, !isOver {
            try followModule()
            end = try drain()
            if end == nil { end = output.write(lines, until: endAt) }
            sayLosses()
            if end == nil, !isOver { end = output.wait(pause, for: socket?.descriptor ?? -1) }
            socket?.silence()
        }
        if end == nil || end == .signal {
            end = try drain(until: MonotonicTime.now() + EventStream.lastDrain)
            // The reader has had its time where it is over; what still waits is lost to it alone.
            if end == nil || end == .signal { end = output.write(lines, until: .now()) }
        }
        sayLosses(atEnd: true)
        if case .failed(let error)? = end { throw EventsFailure("\(error)") }
    }

    private var isOver: Bool { lines.isDone || (endAt.map { $0 <= MonotonicTime.now() } ?? false) }

    private var pause: Duration { endAt.map { min(EventStream.pause, $0 - .now()) } ?? EventStream.pause }

    // MARK: Joining

    private static func look(_ paths: HostPaths, at now: MonotonicTime) -> JoinPolicy.Look {
        let isThere = access(paths.sysctl("nf_conntrack_max"), F_OK) == 0
        return JoinPolicy.Look(time: now, limitErrno: isThere ? 0 : errno)
    }

    /// Joins as soon as that loads no module, and again after a reload where it may load one.
    private mutating func followModule() throws(EventsFailure) {
        let now = MonotonicTime.now()
        guard now >= lookAt else { return }
        lookAt = now + EventStream.lookPeriod
        let paths = paths
        policy.see(EventStream.look(paths, at: now))
        try carryOut(policy.step(at: now) { ConntrackModule.netlink(paths) })
    }

    private mutating func carryOut(_ action: JoinPolicy.Action) throws(EventsFailure) {
        do throws(EventObstacle) {
            switch action {
            case .join where socket == nil: try open()
            case .join: try socket?.join(groups)
            case .unavailable where !isWaitSaid:
                isWaitSaid = true
                say(
                    "events: nf_conntrack_netlink is not loaded; waiting until it is: modprobe nf_conntrack_netlink,"
                        + " or --load-modules")
            case .unavailable, .wait, .leave, .hinder: break
            }
        } catch {
            throw failure(error)
        }
    }

    private mutating func open() throws(EventObstacle) {
        socket = try EventSocket(
            groups: groups, receiveBuffer: settings.receiveBuffer, source: settings.source, filter: settings.filter,
            hurries: true)
        policy.joined()
        if isWaitSaid { say("events: nf_conntrack_netlink is there") }
    }

    private mutating func failure(_ obstacle: EventObstacle) -> EventsFailure {
        _ = news.take(.unavailable(obstacle, expected: false))
        return EventsFailure(news.unavailable ?? "no events")
    }

    // MARK: Taking

    /// Takes what there is, until `deadline` where there is one, and writes whatever makes a large piece.
    private mutating func drain(until deadline: MonotonicTime? = nil) throws(EventsFailure) -> EventsOutput.End? {
        while !isOver || deadline != nil, !lines.isDone, let pumped = pump() {
            guard pumped.code == 0 || pumped.code == ENOBUFS else {
                throw failure(EventObstacle(.receive, pumped.code))
            }
            if pumped.code == ENOBUFS { losses.overran() }
            if pumped.code == 0, pumped.datagrams == 0 { return nil }
            if lines.waiting >= EventStream.piece, let end = output.write(lines, until: deadline ?? endAt) {
                return end
            }
            if let deadline, MonotonicTime.now() >= deadline { return nil }
            sayLosses()
        }
        return nil
    }

    private mutating func pump() -> EventSocket.Pumped? {
        let now = Moment.now()
        let room = min(slots.count, lines.room)
        guard room > 0, socket != nil else { return nil }
        socket?.feed(lines, at: now.wall)
        let free = UnsafeMutableBufferPointer(rebasing: slots[..<room])
        return socket?.pump(into: free, at: now.monotonic, tally: &tally)
    }

    // MARK: What is said

    private mutating func sayLosses(atEnd: Bool = false) {
        let now = MonotonicTime.now()
        guard losses.isDue(at: now) || atEnd, var socket = socket.take() else { return }
        let truncated = EventCounts(tally.truncated).total
        losses.count(&socket, malformed: tally.malformed + lines.unreadable, truncated: truncated - truncatedSeen)
        truncatedSeen = truncated
        self.socket = consume socket
        if let line = losses.line() { say(line) }
    }

    /// Whoever does not read stderr makes it wait: a line is no more than a pipe takes.
    private func say(_ line: String) {
        let text = line + "\n"
        _ = Array(text.utf8).withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
    }
}

/// Why there are no events, or none any more: one line.
public struct EventsFailure: Error, CustomStringConvertible, Sendable {
    /// The line.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
