// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel
internal import ConntrackSystem

/// All that is published, by sinks that can hang and so have a thread each: lines (stdout, stderr), files (textfile,
/// status.json, state) and the hook (--on-alert). Whoever hands something over never waits. Nothing else is shared with
/// them but their health.
package final class Sinks {
    /// What there is to write, and where.
    package struct Plan: Sendable {
        /// Whose host and namespace alerts are about.
        package var identity: Identity
        /// What stdout gets.
        package var format = StatusFormat.lines
        /// How stderr is worded.
        package var alertFormat = AlertFormat.text
        /// stderr is the journal.
        package var journal = false
        /// The program run on alerts and notices.
        package var hook: String?
        /// The Prometheus textfile.
        package var textfile: String?
        /// status.json.
        package var status: String?
        /// What is kept across restarts.
        package var state: String?
        /// The folder for what led to critical alerts.
        package var incidents: String?
        /// How many of these are kept.
        package var incidentsKept = 20
        /// Why status.json is not written, though its folder is there.
        package private(set) var leftAlone: String?
        /// The terminal view instead of lines on stdout; nil = none.
        package var live: Live?
        /// Where lines go: standard output and error.
        var descriptors: (output: Int32, errors: Int32) = (1, 2)

        /// The terminal view.
        package struct Live: Sendable {
            /// What the terminal can show.
            package var capabilities = LiveView.Capabilities()
            /// stderr is the same terminal: what is said there is kept until the view is over.
            package var keepsAnnouncements = false

            /// On a terminal that can show all.
            package init() {}
        }

        /// Lines alone.
        package init(identity: Identity) {
            self.identity = identity
        }

        /// Writes status.json to the folder where it usually lies, unless another process does: nobody asked for it there.
        package mutating func writeStatusIfUnowned(at path: String) {
            guard case .owned(let process)? = OwnedFile.owner(of: path) else {
                status = path
                return
            }
            leftAlone =
                "\(path) is written by another process that is still running\(FileLocks.words(process)): this one leaves it"
                + " alone (--run-dir gives it a folder of its own)"
        }
    }

    private let wantsReports: Bool
    private let lines: LineWriter
    private let files: FileWriter
    private let hook: HookWriter?
    private let incidents: IncidentWriter?
    private let terminal: TerminalWriter?
    private let keepsAnnouncements: Bool
    private let hasOthers: Bool

    // The main thread's.
    private var linesThread: Thread?
    private var filesThread: Thread?
    private var hookThread: Thread?
    private var incidentsThread: Thread?
    private var terminalThread: Thread?
    private var announcementLoss = LossNews(part: "lines", what: "announcements")
    private var reportLoss = LossNews(part: "lines", what: "status lines")
    private var printedLoss = LossNews(part: "lines", what: "pieces of what --on-alert printed")
    private var hookLoss = LossNews(part: HookWriter.part, what: "announcements")

    /// Sets everything up; nothing runs yet. `bell`: rung when the terminal view asks for something.
    package init(plan: Plan, bell: Int32? = nil) throws(SystemError) {
        wantsReports = plan.format != .none
        keepsAnnouncements = plan.live?.keepsAnnouncements ?? false
        hasOthers =
            plan.textfile != nil || plan.status != nil || plan.state != nil || plan.hook != nil
            || plan.incidents != nil || !keepsAnnouncements
        let lines = try LineWriter(
            plan: LineWriter.Plan(
                identity: plan.identity, format: plan.format, alertFormat: plan.alertFormat, journal: plan.journal,
                output: plan.descriptors.output, errors: plan.descriptors.errors))
        self.lines = lines
        var paths: [FileWriter.Part: String] = [:]
        paths[.status] = plan.status
        paths[.state] = plan.state
        paths[.textfile] = plan.textfile
        files = try FileWriter(paths: paths)
        if let live = plan.live {
            let writer = TerminalWriter.Plan(
                identity: plan.identity, capabilities: live.capabilities, output: plan.descriptors.output,
                keepsAnnouncements: live.keepsAnnouncements)
            terminal = try TerminalWriter(plan: writer, bell: bell) { lines.announcements.put($0) }
        } else {
            terminal = nil
        }
        if let program = plan.hook {
            // Not over the view.
            let view = keepsAnnouncements ? terminal : nil
            hook = try HookWriter(program: program, identity: plan.identity) { text in
                guard let view else {
                    lines.printed.put(text)
                    return
                }
                view.announcements.put(
                    Announcement(time: Moment.now().wall, name: HookWriter.part, state: .log, summary: text))
            }
        } else {
            hook = nil
        }
        if let folder = plan.incidents {
            let view = keepsAnnouncements ? terminal : nil
            incidents = try IncidentWriter(folder: folder, keep: plan.incidentsKept) {
                if let view { view.announcements.put($0) } else { lines.announcements.put($0) }
            }
        } else {
            incidents = nil
        }
    }

    /// Starts the threads.
    package func start() throws(SystemError) {
        linesThread = try lines.start()
        filesThread = try files.start()
        hookThread = try hook?.start()
        incidentsThread = try incidents?.start()
        terminalThread = try terminal?.start()
    }

    // MARK: What the main thread hands over

    /// Announcements, for stderr and the hook.
    package func say(_ announcements: [Announcement]) {
        guard !announcements.isEmpty else { return }
        if !keepsAnnouncements { lines.announcements.put(announcements) }
        terminal?.announcements.put(announcements)
        hook?.tell(announcements)
    }

    /// An interval, for its status line.
    package func show(_ report: Report) {
        if wantsReports { lines.reports.put(report) }
        terminal?.reports.put(report)
    }

    /// An interval, for status.json. `metrics`: the textfile is due as well.
    package func write(_ report: Report, metrics: Bool) {
        files.write(.status) { StatusDocument(report).json() + "\n" }
        if metrics { files.write(.textfile) { exposition(of: report) } }
    }

    /// What led to an alert, for a file of its own.
    package func write(_ incident: Incident) {
        incidents?.mailbox.put(incident)
    }

    /// What is to be kept across restarts; made into text on the thread that writes it.
    package func keep(_ text: @escaping @Sendable () -> String) {
        files.write(.state, text)
    }

    // MARK: What the terminal view asks

    /// What was asked since it was asked last.
    package func takeRequests() -> [TerminalRequest] { terminal?.takeRequests() ?? [] }

    /// Something is published beside the terminal view.
    package var publishesElsewhere: Bool { terminal == nil || hasOthers }

    // MARK: How they are

    /// What hangs, lost something or fails at `now`: what hangs first, since the rest may come of it. To be asked once an
    /// interval.
    package func health(now: MonotonicTime) -> [Degradation] {
        let hanging = [lines.heartbeat, files.heartbeat, hook?.heartbeat, incidents?.heartbeat].compactMap {
            $0?.stuck(now: now)
        }
        let losses = [
            announcementLoss.step(lines.announcements, now: now), reportLoss.step(lines.reports, now: now),
            printedLoss.step(lines.printed, now: now), hook.flatMap { hookLoss.step($0.mailbox, now: now) },
        ]
        return hanging + losses.compactMap { $0 } + lines.degraded + files.degraded + (hook?.degraded ?? [])
            + (incidents?.degraded ?? [])
    }

    /// Announcements and lines that each could not take, since the start; a count never goes back.
    package var lost: [(sink: String, count: UInt64)] {
        [("lines", lines.lost + (terminal?.lost ?? 0)), ("files", files.lost), ("hook", hook?.lost ?? 0)]
    }

    /// Has all that waits written, and ends. What takes longer than Thread.patience (a file system that hangs, a program
    /// that runs) is left behind. Lines last: what the hook prints is among them.
    package func stop() {
        let until = Moment.now().monotonic + Thread.patience
        hook?.mailbox.close()
        files.close()
        incidents?.mailbox.close()
        _ = filesThread?.join(within: until - Moment.now().monotonic)
        _ = hookThread?.join(within: until - Moment.now().monotonic)
        _ = incidentsThread?.join(within: until - Moment.now().monotonic)
        // Only then is there a place for lines.
        terminal?.close()
        _ = terminalThread?.join(within: Thread.patience)
        lines.close()
        _ = linesThread?.join(within: Thread.patience)
    }
}
