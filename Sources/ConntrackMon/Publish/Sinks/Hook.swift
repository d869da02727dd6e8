// SPDX-License-Identifier: GPL-3.0-or-later

internal import CSystem
internal import Glibc

/// The program of --on-alert: run for every alert change and notice, no shell, JSON on its standard input; one at a time,
/// ten seconds each. What comes meanwhile waits; of more than 32 the older one about the same alert gives way.
struct Hook: ~Copyable {
    private static let patience = Duration.seconds(10)
    private static let bound = 32

    private let program: String
    private var waiting: [(key: String, json: String)] = []
    private var running: (process: pid_t, since: MonotonicTime)?
    private var skipped = 0
    private var failure: String?

    init(program: String) {
        self.program = program
    }

    /// Whether `step` should be called again soon.
    var isBusy: Bool { running != nil || !waiting.isEmpty }

    /// Takes an announcement; `key` names the alert it is about.
    mutating func take(_ json: String, key: String) {
        if waiting.count >= Hook.bound {
            waiting.remove(at: waiting.firstIndex { $0.key == key } ?? 0)
            skipped += 1
        }
        waiting.append((key, json))
    }

    /// Reaps what has ended, ends what takes too long, starts what waits. Never waits itself.
    mutating func step(now: MonotonicTime) {
        if let (process, since) = running {
            var status: Int32 = 0
            if waitpid(process, &status, WNOHANG) == process {
                running = nil
                if waiting.isEmpty { skipped = 0 }
                failure = status == 0 ? nil : "\(program) ended with \(Hook.describe(status))"
            } else if now - since >= Hook.patience {
                kill(-process, SIGKILL)
                waitpid(process, &status, 0)
                running = nil
                failure = "\(program) took longer than 10s and was killed"
            }
        }
        guard running == nil, !waiting.isEmpty else { return }
        let next = waiting.removeFirst()
        do throws(SystemError) {
            running = (try Hook.spawn(program, input: next.json + "\n"), now)
        } catch {
            failure = "\(error)"
        }
    }

    /// What is wrong with it, if anything.
    var degradation: Degradation? {
        if let failure { return Degradation(part: "on-alert", reason: failure) }
        return skipped > 0
            ? Degradation(part: "on-alert", reason: "\(skipped) announcements skipped: too many at once") : nil
    }

    private static func describe(_ status: Int32) -> String {
        let signal = status & 0x7f
        return signal == 0 ? "status \(status >> 8 & 0xff)" : "signal \(signal)"
    }

    private static func spawn(_ program: String, input: String) throws(SystemError) -> pid_t {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw SystemError("run", program, errno) }
        defer {
            close(ends[0])
            close(ends[1])
        }
        _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
        // A fresh pipe holds 64 KiB, more than any announcement; were it longer, the rest is left out, not waited for.
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        _ = input.utf8.withContiguousStorageIfAvailable { write(ends[1], $0.baseAddress, $0.count) }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        // stdout is data: what the program prints goes to stderr.
        posix_spawn_file_actions_adddup2(&actions, 2, 1)

        // The monitor blocks the signals it waits for; its child must not inherit that, nor an ignored SIGPIPE.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var defaults = sigset_t()
        sigemptyset(&defaults)
        sigaddset(&defaults, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var process = pid_t()
        let name = strdup(program)
        defer { free(name) }
        let code = posix_spawnp(&process, program, &actions, &attributes, [name, nil], environ)
        guard code == 0 else { throw SystemError("run", program, code) }
        return process
    }
}
