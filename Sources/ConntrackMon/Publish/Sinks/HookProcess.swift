// SPDX-License-Identifier: GPL-3.0-or-later

internal import CSystem
internal import ConntrackModel
internal import Glibc

/// One run of the hook's program: a process group of its own, what is still to be written to its standard input, and the
/// pipe behind its standard output and error. Nothing but starting it can wait.
struct HookProcess: ~Copyable {
    /// Reaps a process without waiting for it: its wait status, or nil while it lives.
    typealias Reap = @Sendable (pid_t) -> Int32?

    /// How the kernel is asked.
    static let reap: Reap = { process in
        var status: Int32 = 0
        let ended = waitpid(process, &status, WNOHANG)
        // Where SIGCHLD was ignored when the monitor began, the kernel reaps by itself and says nothing of how it ended.
        if ended < 0 && errno == ECHILD { return 0 }
        return ended == process ? status : nil
    }

    private let process: pid_t
    /// What its standard input has not taken yet.
    private var unwritten: ArraySlice<UInt8>
    private(set) var input: Int32
    private(set) var output: Int32
    private var printed = HookOutput()

    /// Starts `program` with `text` on its standard input. This waits for the file system that the program lies on.
    init(_ program: String, input text: String) throws(SystemError) {
        let stdin = try HookProcess.pipe(for: program)
        let printed: (reading: Int32, writing: Int32)
        do throws(SystemError) {
            printed = try HookProcess.pipe(for: program)
        } catch {
            close(stdin.reading)
            close(stdin.writing)
            throw error
        }
        defer {
            close(stdin.reading)
            close(printed.writing)
        }
        _ = fcntl(stdin.writing, F_SETFL, O_NONBLOCK)
        _ = fcntl(printed.reading, F_SETFL, O_NONBLOCK)
        do throws(SystemError) {
            process = try HookProcess.spawn(program, input: stdin.reading, output: printed.writing)
        } catch {
            close(stdin.writing)
            close(printed.reading)
            throw error
        }
        unwritten = Array(text.utf8)[...]
        input = stdin.writing
        output = printed.reading
        feed()
    }

    deinit {
        if input >= 0 { close(input) }
        if output >= 0 { close(output) }
    }

    /// Writes as much to its standard input as there is room for, and closes that at the end. A program that does not
    /// read it is within its rights.
    mutating func feed() {
        while input >= 0 && !unwritten.isEmpty {
            let count = unwritten.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
            if count > 0 {
                unwritten = unwritten.dropFirst(count)
            } else if errno == EAGAIN {
                return
            } else if errno != EINTR {
                break
            }
        }
        if input >= 0 { close(input) }
        input = -1
    }

    /// Reads what it has printed and the pipe holds, 64 KiB at most a call, so that the caller sees the time. `say` gets
    /// lines without the last one's line feed. `isLast`: a line that has no end is one too.
    mutating func read(isLast: Bool, say: (String) -> Void) {
        var bytes = [UInt8](repeating: 0, count: 8192)
        for _ in 0..<8 where output >= 0 {
            let count = Glibc.read(output, &bytes, bytes.count)
            if count > 0 {
                if let text = printed.take(bytes[..<count]) { say(text) }
            } else if count < 0 && errno == EAGAIN {
                break
            } else if count == 0 || errno != EINTR {
                close(output)
                output = -1
            }
        }
        if isLast, let rest = printed.end() { say(rest) }
    }

    /// Its wait status once it has ended.
    func ended(_ reap: Reap) -> Int32? { reap(process) }

    /// Ends it and all that it started.
    func kill() {
        _ = Glibc.kill(-process, SIGKILL)
    }

    // MARK: Starting it

    private static func pipe(for program: String) throws(SystemError) -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [0, 0]
        guard Glibc.pipe(&ends) == 0 else { throw SystemError("run", program, errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    private static func spawn(_ program: String, input: Int32, output: Int32) throws(SystemError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)

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
