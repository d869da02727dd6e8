// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import ConntrackSystem
internal import Synchronization

/// The thread that writes lines: stdout and stderr. Whoever reads them cannot make it wait; a file that they were sent to
/// can, when its file system hangs.
final class LineWriter: Sendable {
    struct Plan: Sendable {
        var identity: Identity
        var format: StatusFormat
        var alertFormat: AlertFormat
        var journal: Bool
        /// Descriptors to write to, as inherited.
        var output: Int32
        var errors: Int32
    }

    /// For stderr: what was said first is the cause of the rest.
    let announcements: Mailbox<Announcement>
    /// For stdout: only the newest count.
    let reports: Mailbox<Report>
    /// What the hook printed, for stderr, where it gives precedence to alerts.
    let printed: Mailbox<String>
    let heartbeat = Heartbeat { _ in "files and the program of --on-alert go on" }

    private let plan: Plan
    private let failing = Lock<[Degradation]>([])
    private let leftOut = Atomic<UInt64>(0)

    init(plan: Plan) throws(SystemError) {
        self.plan = plan
        announcements = try Mailbox(capacity: 1024, givingWay: .newest)
        reports = try Mailbox(capacity: 16, givingWay: .oldest)
        printed = try Mailbox(capacity: 64, givingWay: .newest)
    }

    /// Nothing comes after this.
    func close() {
        announcements.close()
    }

    /// What fails.
    var degraded: [Degradation] { failing.withLock { $0 } }

    /// Announcements and lines that were not written.
    var lost: UInt64 {
        announcements.lost + reports.lost + printed.lost + leftOut.load(ordering: .relaxed)
    }

    /// What the thread alone writes to.
    private struct Streams: ~Copyable {
        var output: LineSink
        var errors: LineSink
        private var poller = Poller()

        init(_ writer: LineWriter) {
            output = LineSink(writer.plan.output, name: "stdout")
            errors = LineSink(writer.plan.errors, name: "stderr")
            poller.watch(0, writer.announcements.descriptor)
            poller.watch(1, writer.reports.descriptor)
            poller.watch(2, writer.printed.descriptor)
        }

        /// Waits for something to write, or for room for what waits.
        mutating func wait() {
            poller.watch(3, output.isWaiting ? output.descriptor : -1, for: .writing)
            poller.watch(4, errors.isWaiting ? errors.descriptor : -1, for: .writing)
            poller.wait(nil)
        }
    }

    /// Starts the thread: when it was closed it writes what is left as far as there is room for it, and ends.
    func start() throws(SystemError) -> Thread {
        try Thread(name: "lines", owning: Streams(self)) { [self] in run(&$0) }
    }

    private func run(_ streams: inout Streams) {
        var isLast = false
        while !isLast {
            waitForWork(&streams)
            isLast = announcements.isClosed
            writeErrors(to: &streams.errors)
            writeOutput(to: &streams.output)
            heartbeat.end()
            leftOut.store(streams.output.lost + streams.errors.lost, ordering: .relaxed)
            let degraded = [streams.output.degradation, streams.errors.degradation].compactMap { $0 }
            failing.withLock { $0 = degraded }
        }
    }

    private func waitForWork(_ streams: inout Streams) {
        streams.wait()
        announcements.silence()
        reports.silence()
        printed.silence()
    }

    private func writeErrors(to errors: inout LineSink) {
        heartbeat.begin("stderr", "writing to stderr", at: Moment.now().monotonic)
        errors.flush()
        for announcement in announcements.takeAll() {
            switch plan.alertFormat {
            case .text: errors.take(alertLine(announcement, identity: plan.identity, journal: plan.journal))
            case .json: errors.take(alertJSON(announcement, identity: plan.identity))
            }
        }
        // Were it taken while others wait for room, it would take the room of alerts that are still to come.
        while !errors.isWaiting, let text = printed.takeFirst() { errors.take(text) }
    }

    private func writeOutput(to output: inout LineSink) {
        heartbeat.begin("stdout", "writing to stdout", at: Moment.now().monotonic)
        output.flush()
        for report in reports.takeAll() {
            switch plan.format {
            case .lines: output.take(statusLine(of: report))
            case .json: output.take(StatusDocument(report).json())
            case .none: break
            }
        }
    }
}
