// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import ConntrackSystem
internal import Glibc

/// The thread that writes incidents, a file each, and removes the oldest beyond those to keep. Who talks to whom is in them:
/// they are for their owner alone.
final class IncidentWriter: Sendable {
    /// The subject of what is said about it.
    static let part = "incident-dir"
    private static let (prefix, suffix) = ("incident-", ".json")

    /// More than wait for a disk that hangs are not worth the memory.
    let mailbox: Mailbox<Incident>
    let heartbeat = Heartbeat { _ in "alerts, files and status lines go on" }

    private let folder: String
    private let keep: Int
    private let say: @Sendable ([Announcement]) -> Void
    private let failure = Lock<SystemError?>(nil)

    /// `say` gets a line of the log for each file.
    init(
        folder: String, keep: Int, say: @escaping @Sendable ([Announcement]) -> Void
    ) throws(SystemError) {
        self.folder = folder
        self.keep = keep
        self.say = say
        mailbox = try Mailbox(capacity: 4, givingWay: .newest)
    }

    /// What fails.
    var degraded: [Degradation] {
        failure.withLock { $0 }.map {
            [Degradation(part: IncidentWriter.part, reason: "\($0)", remains: "alerts and status lines go on")]
        } ?? []
    }

    /// Starts the thread: it ends when the mailbox is closed and all that waited is written.
    func start() throws(SystemError) -> Thread {
        try Thread(name: "incidents", owning: self) { $0.run() }
    }

    private func run() {
        while !mailbox.isFinished {
            mailbox.wait()
            mailbox.silence()
            while let incident = mailbox.takeFirst() { write(incident) }
        }
    }

    private func write(_ incident: Incident) {
        let path = "\(folder)/\(IncidentWriter.name(of: incident))"
        heartbeat.begin(IncidentWriter.part, "writing \(path)", at: Moment.now().monotonic)
        defer { heartbeat.end() }
        do throws(SystemError) {
            try replaceFile(at: path, with: IncidentDocument(incident).json() + "\n", mode: 0o600)
            prune()
            failure.withLock { $0 = nil }
            let what = incident.cause.map { "what led to \($0.name)" } ?? "the last minutes"
            let text = "\(what): conntrack-mon status --incident \(path)"
            say([Announcement(time: Moment.now().wall, name: "monitor", state: .log, summary: text)])
        } catch {
            failure.withLock { $0 = error }
        }
    }

    /// "incident-20261124T054702.310Z-limit_dropped.json": in the order of time.
    private static func name(of incident: Incident) -> String {
        let time = rfc3339(incident.cause?.time ?? incident.report.sample.moment.wall).filter { $0 != "-" && $0 != ":" }
        return "\(prefix)\(time)-\(incident.cause?.name ?? "asked")\(suffix)"
    }

    /// Removes the oldest of ours; what else lies in the folder is not touched.
    private func prune() {
        guard let directory = opendir(folder) else { return }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.firstMatch(of: /^incident-[0-9]{8}T[0-9]{6}\.[0-9]{3}Z-[a-z_]+\.json$/) != nil {
                names.append(name)
            }
        }
        for name in names.sorted().dropLast(keep) { unlink("\(folder)/\(name)") }
    }
}
