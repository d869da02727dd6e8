// SPDX-License-Identifier: GPL-3.0-or-later

internal import CSystem
internal import Glibc
internal import Synchronization

/// The thread that writes lines and runs the hook: stdout, stderr, --on-alert. None of them can make it wait.
final class LineWriter {
    struct Plan: Sendable {
        var identity: Identity
        var format: StatusFormat
        var alertFormat: AlertFormat
        var journal: Bool
        var hook: String?
    }

    /// What the main thread leaves for it. Bounded: a report that was not fetched gives way to newer ones.
    private struct Mailbox: Sendable {
        var announcements: [Announcement] = []
        var reports: [Report] = []
        var isStopping = false
    }

    private static let mostAnnouncements = 1024
    private static let mostReports = 16

    private let plan: Plan
    private let mailbox = Mutex(Mailbox())
    private let health = Mutex<[Degradation]>([])
    private let bell: EventDescriptor
    private var thread: Thread?

    // These belong to the thread.
    private var output = LineSink(1, name: "stdout")
    private var errors = LineSink(2, name: "stderr")
    private var hook: Hook?

    init(plan: Plan) throws(SystemError) {
        self.plan = plan
        bell = try EventDescriptor()
        if let program = plan.hook { hook = Hook(program: program) }
    }

    func start() throws(SystemError) {
        thread = try Thread(name: "lines") { self.run() }
    }

    /// Hands over what is to be said. Never waits.
    func say(_ announcements: [Announcement]) {
        guard !announcements.isEmpty else { return }
        mailbox.withLock {
            let room = LineWriter.mostAnnouncements - $0.announcements.count
            $0.announcements += announcements.prefix(max(0, room))
        }
        bell.ring()
    }

    /// Hands over an interval for its status line. Never waits.
    func show(_ report: Report) {
        guard plan.format != .none else { return }
        mailbox.withLock {
            $0.reports.append(report)
            if $0.reports.count > LineWriter.mostReports { $0.reports.removeFirst() }
        }
        bell.ring()
    }

    /// What fails.
    var degraded: [Degradation] { health.withLock { $0 } }

    /// Writes what is left as far as there is room for it, and ends.
    func stop() {
        mailbox.withLock { $0.isStopping = true }
        bell.ring()
        _ = thread?.join(within: Thread.patience)
    }

    private func run() {
        var isStopping = false
        while !isStopping {
            waitForWork()
            bell.silence()
            let mail = mailbox.withLock { mailbox in
                defer { mailbox = Mailbox(isStopping: mailbox.isStopping) }
                return mailbox
            }
            isStopping = mail.isStopping
            mail.announcements.forEach(write)
            mail.reports.forEach(write)
            output.flush()
            errors.flush()
            hook?.step(now: Moment.now().monotonic)
            let degraded = [output.degradation, errors.degradation, hook?.degradation].compactMap { $0 }
            health.withLock { $0 = degraded }
        }
    }

    private func waitForWork() {
        let room = Int16(POLLOUT)
        var entries = [
            pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: output.isWaiting ? output.descriptor : -1, events: room, revents: 0),
            pollfd(fd: errors.isWaiting ? errors.descriptor : -1, events: room, revents: 0),
        ]
        poll(&entries, nfds_t(entries.count), hook?.isBusy == true ? 50 : -1)
    }

    private func write(_ announcement: Announcement) {
        switch plan.alertFormat {
        case .text: errors.take(alertLine(announcement, identity: plan.identity, journal: plan.journal))
        case .json: errors.take(alertJSON(announcement, identity: plan.identity))
        }
        if announcement.state != .log {
            hook?.take(
                alertJSON(announcement, identity: plan.identity),
                key: announcement.name + (announcement.subject ?? ""))
        }
    }

    private func write(_ report: Report) {
        switch plan.format {
        case .lines: output.take(statusLine(of: report))
        case .json: output.take(StatusDocument(report).json())
        case .none: break
        }
    }
}

extension LineWriter.Plan {
    init(_ settings: Settings, identity: Identity) {
        self.init(
            identity: identity, format: settings.format, alertFormat: settings.alertFormat, journal: settings.journal,
            hook: settings.hook)
    }
}
