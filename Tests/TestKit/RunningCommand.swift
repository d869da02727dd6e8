// SPDX-License-Identifier: GPL-3.0-or-later

internal import CTestKit
internal import Glibc

/// A program that runs. Killed when the last reference goes; not for use by two threads at a time.
public final class RunningCommand {
    /// One of the two streams a program writes.
    public enum Stream: Sendable {
        /// Standard output.
        case stdout
        /// Standard error.
        case stderr
    }

    /// Its process id, for /proc; not to be used after it has been waited for.
    public let process: pid_t

    private let name: String
    private let ended: Int32
    private var output: OutputStream
    private var errors: OutputStream
    private var status: ExitStatus?

    init(_ command: Command, _ spawned: Spawned) throws {
        name = command.program
        process = spawned.process
        output = OutputStream(descriptor: spawned.standardOutput)
        errors = OutputStream(descriptor: spawned.standardError)
        ended = ctk_pidfd(spawned.process)
        // From here on deinit runs and cleans up.
        try SystemError.check("pidfd_open", ended)
    }

    deinit {
        if status == nil {
            kill(process, SIGKILL)
            reap()
        }
        output.close()
        errors.close()
        if ended >= 0 { close(ended) }
    }

    /// What it has written to standard output, as far as read.
    public var standardOutput: String { output.text }

    /// What it has written to standard error, as far as read.
    public var standardError: String { errors.text }

    /// Both streams, for a test's message.
    public var transcript: String {
        "-- stdout\n\(standardOutput)\n-- stderr\n\(standardError)"
    }

    /// Sends a signal, unless the program was already seen to have ended.
    public func send(signal: Int32) {
        if status == nil { kill(process, signal) }
    }

    /// Waits for a whole line that contains `text`, after those that earlier calls returned, and returns it.
    /// An error, with all that was written, when the stream ends first or `limit` passes.
    @discardableResult
    public func waitForLine(
        on stream: Stream = .stdout, containing text: String, within limit: Duration = .seconds(10)
    ) throws -> String {
        try waitForLine(on: stream, "containing \"\(text)\"", within: limit) { $0.contains(text) }
    }

    /// Waits for a whole line for which `matches` holds; lines before it count as seen. `what` names it in the error.
    @discardableResult
    public func waitForLine(
        on stream: Stream = .stdout, _ what: String = "as wanted", within limit: Duration = .seconds(10),
        where matches: (String) -> Bool
    ) throws -> String {
        let deadline = Deadline(limit)
        while true {
            while let line = stream == .stdout ? output.nextLine() : errors.nextLine() {
                if matches(line) { return line }
            }
            let open = stream == .stdout ? output.isOpen : errors.isOpen
            guard open, !deadline.passed else {
                let why = open ? "within \(limit)" : "before the stream's end"
                throw TestKitError("\(name): no line \(what) \(why)\n\(transcript)")
            }
            try readMore(until: deadline, exitToo: false)
        }
    }

    /// Waits for the end; nil when `limit` passes first. Streams are read on meanwhile, and to their end after it,
    /// unless somebody else holds them open.
    public func waitForExit(within limit: Duration = .seconds(10)) throws -> ExitStatus? {
        let deadline = Deadline(limit)
        while status == nil {
            let over = try readMore(until: deadline, exitToo: true)
            if over {
                reap()
            } else if deadline.passed {
                return nil
            }
        }
        // What it wrote is in the pipes by now; end of file cannot be waited for, a grandchild may hold them open.
        while try output.readNow() || errors.readNow() {}
        return status
    }

    private func reap() {
        var waitStatus: Int32 = 0
        while waitpid(process, &waitStatus, 0) < 0 && errno == EINTR {}
        status = ExitStatus(waitStatus: waitStatus)
    }

    /// Waits until a stream has something, or (with `exitToo`) until the end, of which it returns whether it has come.
    @discardableResult
    private func readMore(until deadline: Deadline, exitToo: Bool) throws -> Bool {
        // poll passes over negative descriptors: closed streams, and the process where its end is not asked for.
        var pollers = [output.descriptor, errors.descriptor, exitToo ? ended : -1].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        let ready = poll(&pollers, nfds_t(pollers.count), deadline.milliseconds)
        guard ready >= 0 || errno == EINTR else { throw SystemError("poll") }
        guard ready > 0 else { return false }
        if pollers[0].revents != 0 { _ = try output.readNow() }
        if pollers[1].revents != 0 { _ = try errors.readNow() }
        return pollers[2].revents != 0
    }
}
