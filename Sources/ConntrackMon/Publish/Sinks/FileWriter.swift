// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import ConntrackSystem

/// The thread that writes files: status.json, state and textfile. A file system that hangs holds up this thread and no
/// other.
final class FileWriter: Sendable {
    /// One of the files. The name is the subject of what is said about it.
    enum Part: String, CaseIterable, Sendable {
        case status = "status.json"
        case state
        case textfile

        /// The option that says where it lies.
        var option: String {
            switch self {
            case .status: "--run-dir"
            case .state: "--state"
            case .textfile: "--textfile"
            }
        }
    }

    /// What a file is to hold; the text is made on this thread.
    private struct Content: Sendable {
        var part: Part
        var text: @Sendable () -> String
    }

    /// Replaces the file at a path by a text, whoever owns it.
    typealias Replace = @Sendable (_ path: String, _ text: String) throws(SystemError) -> Void

    let heartbeat: Heartbeat
    /// The newest of each is what waits.
    private let mailbox: Mailbox<Content>
    private let paths: [Part: String]
    private let replace: Replace?
    private let failing = Lock<[Part: FileFailure]>([:])

    /// `paths`: where each file lies; those without a path are not written. `replace`: instead of replacing a file that is
    /// nobody else's.
    init(paths: [Part: String], replace: Replace? = nil) throws(SystemError) {
        self.paths = paths
        self.replace = replace
        mailbox = try Mailbox(capacity: Part.allCases.count, givingWay: .alike { $0.part.rawValue })
        heartbeat = Heartbeat { hanging in
            let others = Part.allCases.filter { paths[$0] != nil && $0.rawValue != hanging }.map(\.rawValue)
            let waiting = others.joined(separator: " and ")
            let wait = others.isEmpty ? "" : waiting + (others.count == 1 ? " waits for it, " : " wait for it, ")
            return wait + "alerts and status lines go on"
        }
    }

    /// Whether there is anything to write `part` for.
    func wants(_ part: Part) -> Bool { paths[part] != nil }

    /// Hands over what a file is to hold. Never waits.
    func write(_ part: Part, _ text: @escaping @Sendable () -> String) {
        if wants(part) { mailbox.put(Content(part: part, text: text)) }
    }

    /// Nothing comes after this.
    func close() {
        mailbox.close()
    }

    /// What fails.
    var degraded: [Degradation] {
        // Made inside: a dictionary that is copied out may be changed in its place once the copy is gone, by an order that
        // only Swift's run time knows.
        failing.withLock { failing in
            failing.sorted { $0.key.rawValue < $1.key.rawValue }.map { degradation($0, $1) }
        }
    }

    private func degradation(_ part: Part, _ failure: FileFailure) -> Degradation {
        switch failure {
        case .system(let error):
            Degradation(
                part: part.rawValue, reason: "\(error)", remains: "the old file stays; alerts and status lines go on")
        case .owned(let process):
            Degradation(
                part: part.rawValue,
                reason:
                    "\(paths[part] ?? "") is written by another process that is still running\(FileLocks.words(process)):"
                    + " stop one of the two, or give this one another \(part.option)",
                remains: "that one's file stays; alerts and status lines go on")
        }
    }

    /// Contents that were never written and have no newer one. None can be: there is room for one of each.
    var lost: UInt64 { mailbox.lost }

    /// Starts the thread: it ends when the mailbox is closed and all that waited is written.
    func start() throws(SystemError) -> Thread {
        try Thread(name: "files", owning: self) { $0.run() }
    }

    private func run() {
        let files = paths.mapValues { OwnedFile(path: $0) }
        while !mailbox.isFinished {
            mailbox.wait()
            mailbox.silence()
            while let content = mailbox.takeFirst() { write(content, to: files[content.part]) }
        }
    }

    private func write(_ content: Content, to file: OwnedFile?) {
        guard let file, let path = paths[content.part] else { return }
        let text = content.text()
        heartbeat.begin(content.part.rawValue, "writing \(path)", at: Moment.now().monotonic)
        defer { heartbeat.end() }
        do throws(FileFailure) {
            if let replace {
                do throws(SystemError) { try replace(path, text) } catch { throw FileFailure.system(error) }
            } else {
                try file.replace(with: text)
            }
            failing.withLock { $0[content.part] = nil }
        } catch {
            failing.withLock { $0[content.part] = error }
        }
    }
}
