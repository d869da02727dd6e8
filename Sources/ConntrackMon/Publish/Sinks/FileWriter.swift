// SPDX-License-Identifier: GPL-3.0-or-later

internal import Synchronization

/// The thread that writes files: the textfile and status.json. A file system that hangs holds up this thread and no
/// other, which is why files and lines have a thread each.
final class FileWriter {
    struct Plan: Sendable {
        var textfile: String?
        var status: String?
        var state: String?
    }

    /// What the main thread leaves for it: only the newest of each counts.
    private struct Mailbox: Sendable {
        var metrics: Report?
        var status: Report?
        var state: StateDocument?
        var isStopping = false
    }

    private let plan: Plan
    private let mailbox = Mutex(Mailbox())
    private let health = Mutex<[String: Degradation]>([:])
    private let bell: EventDescriptor
    private var thread: Thread?

    init(plan: Plan) throws(SystemError) {
        self.plan = plan
        bell = try EventDescriptor()
    }

    func start() throws(SystemError) {
        thread = try Thread(name: "files") { self.run() }
    }

    /// Hands over an interval. Never waits. `metrics`: the textfile is due as well.
    func write(_ report: Report, metrics: Bool) {
        let metrics = metrics && plan.textfile != nil
        guard metrics || plan.status != nil else { return }
        mailbox.withLock {
            if plan.status != nil { $0.status = report }
            if metrics { $0.metrics = report }
        }
        bell.ring()
    }

    /// Hands over what is to be kept. Never waits.
    func keep(_ state: StateDocument) {
        guard plan.state != nil else { return }
        mailbox.withLock { $0.state = state }
        bell.ring()
    }

    /// What fails.
    var degraded: [Degradation] { health.withLock { $0.values.sorted { $0.part < $1.part } } }

    /// Writes what is left and ends.
    func stop() {
        mailbox.withLock { $0.isStopping = true }
        bell.ring()
        _ = thread?.join(within: Thread.patience)
    }

    private func run() {
        var isStopping = false
        while !isStopping {
            bell.wait()
            bell.silence()
            let mail = mailbox.withLock { mailbox in
                defer { mailbox = Mailbox(isStopping: mailbox.isStopping) }
                return mailbox
            }
            isStopping = mail.isStopping
            if let report = mail.status, let path = plan.status {
                replace(path, part: "status.json", with: StatusDocument(report).json() + "\n")
            }
            if let state = mail.state, let path = plan.state {
                replace(path, part: "state", with: state.json())
            }
            if let report = mail.metrics, let path = plan.textfile {
                replace(path, part: "textfile", with: exposition(of: report))
            }
        }
    }

    private func replace(_ path: String, part: String, with text: String) {
        do throws(SystemError) {
            try replaceFile(at: path, with: text)
            health.withLock { $0[part] = nil }
        } catch {
            let failing = Degradation(
                part: part, reason: "\(error)", remains: "the old file stays; alerts and status lines go on")
            health.withLock { $0[part] = failing }
        }
    }
}

extension FileWriter.Plan {
    init(_ settings: Settings) {
        self.init(
            textfile: settings.textfile, status: settings.runDirectory.map { $0 + "/status.json" },
            state: settings.state)
    }
}
