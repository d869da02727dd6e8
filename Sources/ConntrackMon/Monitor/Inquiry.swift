// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import ConntrackSystem
internal import Glibc

/// A thread that answers what may take its time, or hang with a file system: the engine never waits for it. That it hangs
/// is said while it hangs.
final class Inquiry: Sendable {
    /// How the readings of a thread are called, and what goes on without them.
    struct Plan: Sendable {
        /// The thread's name, and the subject of what is said about it.
        var name: String
        /// Runs only when nobody else wants to.
        var isIdle = false
        /// What goes on while it hangs.
        var remains: String
        /// Beyond this it hangs.
        var patience = Heartbeat.patience

        /// The configuration, and who sets the limit. A disk under a backup takes seconds for a file, and nothing waits
        /// for it: that it hangs is only news when it takes much longer.
        static let facts = Plan(name: "facts", remains: "limits are judged without it", patience: .seconds(30))
        /// The doctor and dumps: long ones, at idle priority.
        static let survey = Plan(
            name: "survey", isIdle: true, remains: "everything else goes on", patience: .seconds(60))
    }

    /// A reading, and the moment at which it was begun.
    typealias Answer = (reading: Reading, begun: Moment)

    private let plan: Plan
    private let wants: Mailbox<Want>
    private let answers: Mailbox<Answer>
    private let heartbeat: Heartbeat
    private let answer: @Sendable (Want) -> Reading?

    /// The engine asks for no more before it was answered than there are kinds of wants: nothing ever gives way.
    private static let capacity = 16

    /// `bell` is rung when there is an answer; it is shared with whoever else wakes the main thread.
    init(_ plan: Plan, bell: Int32, answer: @escaping @Sendable (Want) -> Reading?) throws(SystemError) {
        self.plan = plan
        self.answer = answer
        wants = try Mailbox(capacity: Inquiry.capacity, givingWay: .newest)
        answers = try Mailbox(capacity: Inquiry.capacity, givingWay: .oldest, ringing: bell)
        let remains = plan.remains
        heartbeat = Heartbeat { _ in remains }
    }

    /// Starts the thread. Nobody waits for its end: what it still does when the monitor ends is of no use to anybody.
    func start() throws(SystemError) {
        try Thread(name: plan.name, owning: self) { $0.run() }.detach()
    }

    /// Never waits.
    func ask(_ want: Want) {
        wants.put(want)
    }

    /// What was answered since the last call.
    func takeAnswers() -> [Answer] { answers.takeAll() }

    /// What of it hangs at `now`.
    func stuck(now: MonotonicTime) -> Degradation? { heartbeat.stuck(now: now, patience: plan.patience) }

    private func run() {
        // On Linux this is the calling thread's priority, not the process's (setpriority(2), NOTES).
        if plan.isIdle { setpriority(Int32(PRIO_PROCESS.rawValue), 0, 19) }
        while true {
            wants.wait()
            wants.silence()
            while let want = wants.takeFirst() {
                let begun = Moment.now()
                heartbeat.begin(plan.name, want.work, at: begun.monotonic)
                let reading = answer(want)
                heartbeat.end()
                if let reading { answers.put((reading, begun)) }
            }
        }
    }
}

extension Want {
    /// What its answer takes, as in "reading the configuration has hung for 6s".
    fileprivate var work: String {
        switch self {
        case .configuration: "reading the configuration"
        case .origin: "looking for what sets the limit"
        case .doctor: "examining this host"
        case .survey: "reading the table"
        case .settings, .kernel, .log, .health: "reading"
        }
    }
}
