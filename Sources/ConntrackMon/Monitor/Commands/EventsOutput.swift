// SPDX-License-Identifier: GPL-3.0-or-later

internal import CSystem
internal import ConntrackHost
internal import ConntrackModel
internal import ConntrackSystem
internal import Glibc

/// Where `events` waits and writes: stdout, in large pieces, and the signals that end it. A reader that does not read makes
/// it wait, and nobody else; a signal ends the wait.
struct EventsOutput: ~Copyable {
    /// Why it ends.
    enum End: Equatable {
        /// SIGINT or SIGTERM.
        case signal
        /// Whoever read stdout went away.
        case readerGone
        case failed(SystemError)
    }

    private enum Kind { case file, pipe, terminal, socket, shared }

    private let descriptor: Int32
    private let kind: Kind
    private let signals: Int32
    private var poller = Poller()

    // Places in the poller.
    private static let signalCame = 0
    private static let outputReady = 1
    private static let eventsFill = 2

    /// The descriptor is inherited, and its flags are shared with others: a pipe or terminal is opened a second time, which
    /// gives flags of its own (as LineSink does).
    init(_ inherited: Int32) throws(SystemError) {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGINT)
        sigaddset(&set, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
        let made = signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
        guard made >= 0 else { throw SystemError("set up", "the event loop", errno) }
        signals = made
        (descriptor, kind) = EventsOutput.open(inherited)
        poller.watch(EventsOutput.signalCame, signals)
    }

    private static func open(_ inherited: Int32) -> (Int32, Kind) {
        var status = stat()
        guard fstat(inherited, &status) == 0 else { return (inherited, .shared) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return (inherited, .file)
        case S_IFSOCK: return (inherited, .socket)
        default:
            let own = Glibc.open("/proc/self/fd/\(inherited)", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
            guard own >= 0 else { return (inherited, .shared) }
            return (own, status.st_mode & S_IFMT == S_IFIFO ? .pipe : .terminal)
        }
    }

    deinit {
        close(signals)
        if kind == .pipe || kind == .terminal { close(descriptor) }
    }

    /// Waits for `duration`, or until `events` is readable (-1 = nothing). nil = go on.
    mutating func wait(_ duration: Duration, for events: Int32) -> End? {
        // A pipe's end for writing is never readable: what comes of it is that nobody reads it any more.
        poller.watch(EventsOutput.outputReady, kind == .pipe ? descriptor : -1)
        poller.watch(EventsOutput.eventsFill, events)
        poller.wait(UInt64(max(0, duration.inNanoseconds)))
        if poller.isReady(EventsOutput.signalCame) { return .signal }
        return poller.isReady(EventsOutput.outputReady) ? .readerGone : nil
    }

    /// Writes all that waits in `lines`, and waits for room until `deadline` where there is none; nil = as long as it takes.
    mutating func write(_ lines: borrowing EventLines, until deadline: MonotonicTime?) -> End? {
        while lines.waiting > 0 {
            var code: Int32 = 0
            lines.write { text in
                let count = writeSome(text)
                if count < 0 { code = errno }
                return max(0, count)
            }
            switch code {
            case 0, EINTR: continue
            case EAGAIN:
                if let end = waitForRoom(until: deadline) { return end }
                if let deadline, MonotonicTime.now() >= deadline { return nil }
            case EPIPE, ECONNRESET: return .readerGone
            default: return .failed(SystemError("write to", "stdout", code))
            }
        }
        return nil
    }

    private mutating func waitForRoom(until deadline: MonotonicTime?) -> End? {
        poller.watch(EventsOutput.outputReady, descriptor, for: .writing)
        poller.watch(EventsOutput.eventsFill, -1)
        poller.wait(deadline.map { UInt64(($0 - .now()).inNanoseconds) })
        return poller.isReady(EventsOutput.signalCame) ? .signal : nil
    }

    private func writeSome(_ bytes: UnsafeRawBufferPointer) -> Int {
        switch kind {
        case .file, .pipe, .terminal: return Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        case .socket: return send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
        case .shared:
            // POLLOUT of a pipe means a free page: this much goes in without waiting.
            guard Poller.wait(for: .writing, of: descriptor, 0) else {
                errno = EAGAIN
                return -1
            }
            return Glibc.write(descriptor, bytes.baseAddress, min(bytes.count, 4096))
        }
    }
}
