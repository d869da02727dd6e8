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
        /// Where lines go: standard output and error.
        var descriptors: (output: Int32, errors: Int32) = (1, 2)

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

    // The main thread's.
    private var linesThread: Thread?
    private var filesThread: Thread?
    private var hookThread: Thread?
    private var incidentsThread: Thread?
    private var announcementLoss = LossNews(part: "lines", what: "announcements")
    private var reportLoss = LossNews(part: "lines", what: "status lines")
    private var printedLoss = LossNews(part: "lines", what: "pieces of what --on-alert printed")
    private var hookLoss = LossNews(part: HookWriter.part, what: "announcements")

    /// Sets everything up; nothing runs yet.
    package init(plan: Plan) throws(SystemError) {
        wantsReports = plan.format != .none
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
        if let program = plan.hook {
            hook = try HookWriter(program: program, identity: plan.identity) { lines.printed.put($0) }
        } else {
            hook = nil
        }
        if let folder = plan.incidents {
            incidents = try IncidentWriter(folder: folder, keep: plan.incidentsKept) { lines.announcements.put($0) }
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
    }

    // MARK: What the main thread hands over

    /// Announcements, for stderr and the hook.
    package func say(_ announcements: [Announcement]) {
        guard !announcements.isEmpty else { return }
        lines.announcements.put(announcements)
        hook?.tell(announcements)
    }

    /// An interval, for its status line.
    package func show(_ report: Report) {
        if wantsReports { lines.reports.put(report) }
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
        [("lines", lines.lost), ("files", files.lost), ("hook", hook?.lost ?? 0)]
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
        lines.close()
        _ = linesThread?.join(within: Thread.patience)
    }
}
