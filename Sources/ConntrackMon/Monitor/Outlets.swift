// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackEngine
internal import ConntrackHost
internal import ConntrackModel
internal import ConntrackPublish
internal import ConntrackSystem

/// Where the engine's outputs go: the sinks, and what the next start must know beside them.
struct Outlets {
    private let sinks: Sinks
    private let leftAlone: String?
    private var keeper: StateKeeper?

    /// `bell`: rung when there is something in `takeEndings`.
    init(_ settings: Settings, _ paths: HostPaths, identity: Identity, bell: Int32) throws(SystemError) {
        let plan = Sinks.Plan(settings, identity: identity)
        sinks = try Sinks(plan: plan, bell: bell)
        leftAlone = plan.leftAlone
        keeper = StateKeeper(settings, paths)
    }

    func start() throws(SystemError) {
        try sinks.start()
        if let leftAlone { log(leftAlone) }
    }

    /// Never waits: a sink that blocks or fails degrades alone.
    func take(_ output: Output) {
        switch output {
        case .say(let announcements): sinks.say(announcements)
        case .show(let report): sinks.show(report)
        case .status(let report): log(statusLine(of: report))
        case .write(let report, let metrics): sinks.write(report, metrics: metrics)
        case .incident(let incident): sinks.write(incident)
        case .keep(let kept): if let document = keeper?.document(kept) { sinks.keep { document.json() } }
        }
    }

    /// A line of the monitor's own log.
    func log(_ text: String, level: Level? = nil) {
        sinks.say([Announcement(time: Moment.now().wall, name: "monitor", state: .log, level: level, summary: text)])
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

    /// Whether and why whoever looks at the terminal view has it end.
    func takeEndings() -> [Ending] {
        sinks.takeRequests().compactMap { request in
            switch request {
            case .quit: return Ending("q was pressed")
            case .gone:
                guard sinks.publishesElsewhere else {
                    return Ending("its terminal was closed, and it publishes nothing elsewhere")
                }
                log("the terminal was closed: all but the view goes on")
                return nil
            }
        }
    }

    /// What of it hangs, fails or lost something at `now`.
    func degraded(at now: MonotonicTime) -> [Degradation] { sinks.health(now: now) }

    /// What the sinks could not take so far.
    var lost: [(sink: String, lost: UInt64)] { sinks.lost.map { ($0.sink, $0.count) } }

    func stop() {
        sinks.stop()
    }
}
