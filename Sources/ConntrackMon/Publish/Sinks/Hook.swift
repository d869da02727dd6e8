// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import Glibc

/// The program of --on-alert: run for every alert change and notice, no shell, JSON on its standard input, one at a time,
/// ten seconds each. Nothing here but `start` can wait.
struct Hook: ~Copyable {
    static let patience = Duration.seconds(10)

    /// Where a run stands.
    enum Phase: Equatable {
        case idle, running
        /// Killed, and not yet gone: while the kernel keeps it (uninterruptible sleep) no other is started.
        case dying
    }

    private let program: String
    private let reap: HookProcess.Reap
    private var run: HookProcess?
    private var since = MonotonicTime(nanoseconds: 0)

    private(set) var phase = Phase.idle
    /// How the last run failed; nil when it went well.
    private(set) var failure: String?

    init(program: String, reap: @escaping HookProcess.Reap = HookProcess.reap) {
        self.program = program
        self.reap = reap
    }

    /// Runs it, with a line on its standard input. False when it cannot be run.
    mutating func start(_ json: String, now: MonotonicTime) -> Bool {
        do throws(SystemError) {
            run = try HookProcess(program, input: json + "\n")
        } catch {
            failure = "\(error)"
            return false
        }
        phase = .running
        since = now
        return true
    }

    /// Feeds and reads it, reaps it when it has ended, ends it when it takes too long. `say` gets what it printed, lines
    /// without the last one's line feed.
    mutating func step(now: MonotonicTime, say: (String) -> Void) {
        run?.feed()
        // Asked before what it printed is read: what it printed before its end is in the pipe by then.
        let status = run?.ended(reap)
        run?.read(isLast: status != nil, say: say)
        if let status {
            if phase == .running { failure = status == 0 ? nil : "\(program) ended with \(Hook.describe(status))" }
            run = nil
            phase = .idle
        } else if phase == .running, now - since >= Hook.patience {
            run?.kill()
            failure = "\(program) took longer than 10s and was killed"
            phase = .dying
        }
    }

    /// Waits until it has something to do or `bell` rings. The end of a process wakes nobody whose pipes others hold, so
    /// while one runs not longer than 50 ms, and a second for one that was killed in vain.
    mutating func wait(bell: Int32) {
        var entries = [
            pollfd(fd: bell, events: Int16(POLLIN), revents: 0),
            pollfd(fd: run?.input ?? -1, events: Int16(POLLOUT), revents: 0),
            pollfd(fd: run?.output ?? -1, events: Int16(POLLIN), revents: 0),
        ]
        let milliseconds: Int32 =
            switch phase {
            case .idle: -1
            case .running: 50
            case .dying: 1000
            }
        poll(&entries, nfds_t(entries.count), milliseconds)
    }

    private static func describe(_ status: Int32) -> String {
        let signal = status & 0x7f
        return signal == 0 ? "status \(status >> 8 & 0xff)" : "signal \(signal)"
    }
}
