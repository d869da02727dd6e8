// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import ConntrackSystem
internal import Synchronization

/// The thread that runs the program of --on-alert. What comes while one runs waits: of more than 32 the older one about
/// the same alert gives way.
final class HookWriter: Sendable {
    static let capacity = 32
    /// The subject of what is said about it.
    static let part = "on-alert"

    let mailbox: Mailbox<Announcement>
    let heartbeat = Heartbeat { _ in "alert lines and files go on; up to \(HookWriter.capacity) announcements wait" }

    private let program: String
    private let identity: Identity
    private let say: @Sendable (String) -> Void
    private let failure = Lock<String?>(nil)
    private let refused = Atomic<UInt64>(0)

    /// `say` gets what the program prints.
    init(program: String, identity: Identity, say: @escaping @Sendable (String) -> Void) throws(SystemError) {
        self.program = program
        self.identity = identity
        self.say = say
        mailbox = try Mailbox(
            capacity: HookWriter.capacity, givingWay: .oldestAlike { $0.name + ($0.subject ?? "") })
    }

    /// Hands over what is to be told. Never waits. What is said about the hook itself only after a run that failed, which
    /// is how it is found to work again: one that is merely slow would be run for its slowness for ever.
    func tell(_ announcements: [Announcement]) {
        let isFailing = failure.withLock { $0 != nil }
        let told = announcements.filter { $0.state != .log && (isFailing || $0.subject != HookWriter.part) }
        if !told.isEmpty { mailbox.put(told) }
    }

    /// What fails.
    var degraded: [Degradation] {
        failure.withLock { $0 }.map { [Degradation(part: HookWriter.part, reason: $0)] } ?? []
    }

    /// Announcements that the program was not given.
    var lost: UInt64 { mailbox.lost + refused.load(ordering: .relaxed) }

    /// Starts the thread, whose the runs of the program are: it ends when the mailbox is closed and all that waited was
    /// told.
    func start() throws(SystemError) -> Thread {
        try Thread(name: "hook", owning: Hook(program: program)) { [self] in run(&$0) }
    }

    private func run(_ hook: inout Hook) {
        repeat {
            hook.wait(bell: mailbox.descriptor)
            mailbox.silence()
            step(&hook)
            while hook.phase == .idle, let next = mailbox.takeFirst() { start(next, by: &hook) }
        } while hook.phase != .idle || !mailbox.isFinished
    }

    private func start(_ announcement: Announcement, by hook: inout Hook) {
        let now = Moment.now().monotonic
        heartbeat.begin(HookWriter.part, "running \(program)", at: now)
        guard !hook.start(alertJSON(announcement, identity: identity), now: now) else { return }
        refused.add(1, ordering: .relaxed)
        settle(hook)
    }

    private func step(_ hook: inout Hook) {
        let before = hook.phase
        hook.step(now: Moment.now().monotonic, say: say)
        guard hook.phase != before else { return }
        settle(hook)
    }

    /// A run has ended, or was killed and is dying.
    private func settle(_ hook: borrowing Hook) {
        if hook.phase == .idle { heartbeat.end() } else { heartbeat.rename("running \(program) (killed after 10s)") }
        let reason = hook.failure
        failure.withLock { $0 = reason }
    }
}
