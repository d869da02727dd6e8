// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import Synchronization

/// Dumps the table once when an alert wants to know what fills it, on a thread of lowest priority that ends each time.
///
/// A dump costs the kernel about 2 µs an entry, so one is made only when asked for, a minute or more after the last, and
/// for no more than a twentieth of the time. A dump loads the module where it is gone and pins it while it lasts: none
/// within 10 s of a change of the module.
final class Surveyor: Sendable {
    private struct State {
        var isWanted = false
        var isRunning = false
        var notBefore = MonotonicTime(nanoseconds: 0)
        /// What the last dump gave: one of the two.
        var survey: Survey?
        var failure: SystemError?
        var failureTold: SystemError?
    }

    static let pause = Duration.seconds(60)
    static let afterModule = Duration.seconds(10)
    /// A survey older than this says nothing of the present.
    static let lasts = Duration.seconds(1800)
    private static let shareOfTime = 20

    private let procfs: String
    private let sysfs: String
    private let state = Mutex(State())

    init(procfs: String, sysfs: String) {
        self.procfs = procfs
        self.sysfs = sysfs
    }

    /// The last survey, if the last dump gave one.
    var survey: Survey? { state.withLock { $0.survey } }

    /// Wants a look at the table when an alert about its usage has begun to fire, and none any more when none fires.
    func follow(_ announcements: [Announcement], firing: [FiringAlert]) {
        let askers: [AlertName] = [.usageHigh, .tableFull]
        let isAsked = announcements.contains { said in
            said.state == .firing && askers.contains { $0.rawValue == said.name }
        }
        if isAsked {
            state.withLock { $0.isWanted = true }
        } else if !firing.contains(where: { askers.contains($0.name) }) {
            state.withLock { $0.isWanted = false }
        }
    }

    /// Why a dump gave nothing, for the monitor's own log; once for each new reason.
    func takeFailure() -> String? {
        state.withLock { state in
            guard let error = state.failure, error != state.failureTold else { return nil }
            state.failureTold = error
            let cure = error.code == EPERM ? "; a dump needs CAP_NET_ADMIN" : ""
            return "what fills the table is not known: \(error)\(cure)"
        }
    }

    /// Starts a dump if one is wanted and allowed. Never waits. `moduleChanged`: when the module last came or went.
    func step(now: MonotonicTime, moduleChanged: MonotonicTime?, establishedTimeout: UInt64?) {
        let isDue = state.withLock { state in
            guard state.isWanted, !state.isRunning, now >= state.notBefore else { return false }
            if let moduleChanged, now - moduleChanged < Surveyor.afterModule { return false }
            guard ConntrackModule.mayListen(sysfs: sysfs) else { return false }
            state.isWanted = false
            state.isRunning = true
            return true
        }
        guard isDue else { return }
        do throws(SystemError) {
            let thread = try Thread(name: "survey") { [self] in
                // On Linux this is the calling thread's priority, not the process's (setpriority(2), NOTES).
                setpriority(Int32(PRIO_PROCESS.rawValue), 0, 19)
                look(establishedTimeout: establishedTimeout, began: now)
            }
            thread.detach()
        } catch {
            finish(began: now) { $0.failure = error }
        }
    }

    private func look(establishedTimeout: UInt64?, began: MonotonicTime) {
        do throws(SystemError) {
            let survey = try Survey.ofTable(procfs: procfs, establishedTimeout: establishedTimeout)
            finish(began: began) { $0.survey = survey }
        } catch {
            finish(began: began) { $0.failure = error }
        }
    }

    private func finish(began: MonotonicTime, _ change: (inout State) -> Void) {
        let ended = Moment.now().monotonic
        let rest = max(Surveyor.pause, (ended - began) * Surveyor.shareOfTime)
        state.withLock { state in
            state.survey = nil
            state.failure = nil
            change(&state)
            state.isRunning = false
            state.notBefore = began + rest
        }
    }
}

extension Survey {
    /// One dump of this network namespace's table, read to its end. `procfs` tells whether the hash is resized meanwhile;
    /// `establishedTimeout`: nf_conntrack_tcp_timeout_established in seconds, nil = not known.
    static func ofTable(procfs: String, establishedTimeout: UInt64?) throws(SystemError) -> Survey {
        var counter = SurveyCounter(establishedTimeout: establishedTimeout, seed: .random())
        let began = Moment.now().monotonic
        let dump = try TableDump.read(procfs: procfs) { counter.take($0) }
        let now = Moment.now()
        return counter.survey(at: now, took: now.monotonic - began, isInterrupted: dump.isInterrupted)
    }
}
