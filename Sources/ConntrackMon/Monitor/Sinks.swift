// SPDX-License-Identifier: GPL-3.0-or-later

/// Where the engine's outputs go, and the state file at the start.
struct Sinks {
    private let lines: LineWriter
    private let files: FileWriter
    private var keeper: StateKeeper?

    init(_ settings: Settings, identity: Identity) throws(SystemError) {
        lines = try LineWriter(plan: LineWriter.Plan(settings, identity: identity))
        files = try FileWriter(plan: FileWriter.Plan(settings))
        keeper = StateKeeper(settings)
    }

    func start() throws(SystemError) {
        try lines.start()
        try files.start()
    }

    /// Never waits: a sink that blocks or fails degrades alone.
    func take(_ output: Output) {
        switch output {
        case .say(let announcements): lines.say(announcements)
        case .show(let report): lines.show(report)
        case .status(let report): log(statusLine(of: report))
        case .write(let report, let metrics): files.write(report, metrics: metrics)
        case .keep(let kept): if let keeper { files.keep(keeper.document(kept)) }
        }
    }

    /// A line of the monitor's own log.
    func log(_ text: String, level: Level? = nil) {
        lines.say([Announcement(time: Moment.now().wall, name: "monitor", state: .log, level: level, summary: text)])
    }

    /// What the last run left, so that the first look is compared with it.
    mutating func restore() -> Restored? {
        switch keeper?.load(now: Moment.now().wall) {
        case .nothing, nil:
            return nil
        case .unusable(let why, let isKept):
            log(why, level: .warning)
            if isKept { keeper = nil }
            return nil
        case .state(let restored):
            return restored
        }
    }

    /// What fails.
    func degraded(at now: MonotonicTime) -> [Degradation] { lines.degraded + files.degraded }

    /// What could not be taken so far.
    var lost: [(sink: String, lost: UInt64)] { [] }

    func stop() {
        lines.stop()
        files.stop()
    }
}
