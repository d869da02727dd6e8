// SPDX-License-Identifier: GPL-3.0-or-later

internal import CSystem
internal import ConntrackModel
internal import ConntrackSystem
internal import Glibc

/// The terminal that standard output is, opened a second time so that its flags are our own: nobody waits for it, and what
/// others have of it stays as it is. Belongs to one thread.
struct Terminal: ~Copyable {
    /// Beyond this nothing more is drawn until some of it was taken.
    private static let bound = 1 << 18

    /// To poll, for keys and for room.
    let descriptor: Int32
    /// As it was found.
    private let saved: termios
    /// Ours: nothing is echoed, keys come one by one, and Ctrl-C and Ctrl-Z are signals still.
    private let raw: termios
    /// It shows our screen.
    private(set) var isEntered = false
    /// It was closed.
    private(set) var isGone = false
    private var waiting: [UInt8] = []

    /// The terminal that `inherited` is. Nothing is changed yet.
    init(_ inherited: Int32) throws(SystemError) {
        let (descriptor, modes) = try Terminal.opened(inherited)
        self.descriptor = descriptor
        saved = modes
        var raw = modes
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
        // Ctrl-S would only make it look as if nothing happened any more.
        raw.c_iflag &= ~tcflag_t(IXON)
        self.raw = raw
    }

    private static func opened(_ inherited: Int32) throws(SystemError) -> (Int32, termios) {
        let descriptor = open("/proc/self/fd/\(inherited)", O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("open", "the terminal for --format live", errno) }
        var modes = termios()
        guard tcgetattr(descriptor, &modes) == 0 else {
            let code = errno
            close(descriptor)
            throw SystemError("set up", "the terminal for --format live", code)
        }
        return (descriptor, modes)
    }

    deinit {
        close(descriptor)
    }

    /// It is ours to draw on: no shell has it back.
    var isForeground: Bool {
        let group = tcgetpgrp(descriptor)
        // It is not our controlling terminal: nobody can take it away.
        return group < 0 ? errno == ENOTTY : group == getpgrp()
    }

    /// Takes it over. From here on whatever ends this process puts it back, kill -9 excepted.
    mutating func enter() {
        guard !isEntered, !isGone else { return }
        isEntered = true
        var (modes, before) = (raw, saved)
        cnf_guard_terminal(descriptor, &before, TerminalText.leave)
        tcsetattr(descriptor, TCSANOW, &modes)
        waiting = []
        put(Array(TerminalText.enter.utf8))
    }

    /// Gives it back as it was, below `last` if that is to stay. What it does not take within a moment is not written.
    mutating func leave(printing last: [UInt8] = []) {
        guard isEntered else { return }
        isEntered = false
        // Half a screen is of no use.
        waiting = []
        put(Array(TerminalText.leave.utf8) + last)
        for _ in 0..<20 where isWaiting {
            _ = Poller.wait(for: .writing, of: descriptor, 10_000_000)
            flush()
        }
        var modes = saved
        // Not TCSADRAIN: that would wait for whoever reads.
        tcsetattr(descriptor, TCSANOW, &modes)
        cnf_unguard_terminal()
    }

    /// How large it is now; 80x24 where it does not say.
    var size: FrameSize {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return FrameSize(columns: 80, rows: 24)
        }
        return FrameSize(columns: Int(size.ws_col), rows: Int(size.ws_row))
    }

    // MARK: Output

    /// Something waits until there is room.
    var isWaiting: Bool { !waiting.isEmpty && !isGone }

    /// Writes as much of it as there is room for; the rest waits.
    mutating func put(_ bytes: [UInt8]) {
        guard !isGone, waiting.count + bytes.count <= Terminal.bound else { return }
        waiting += bytes
        flush()
    }

    /// Writes as much of what waits as there is room for.
    mutating func flush() {
        while isWaiting {
            let count = waiting.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                waiting.removeFirst(count)
            } else if count < 0, errno == EINTR {
                continue
            } else {
                if count < 0, errno != EAGAIN { noticeEnd() }
                return
            }
        }
    }

    // MARK: Input

    /// What was typed; empty when nothing was.
    mutating func read() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
        if count > 0 { return Array(bytes[..<count]) }
        if count == 0 || (errno != EAGAIN && errno != EINTR) { noticeEnd() }
        return []
    }

    /// Whether it was closed: in the background reading fails as well, and that is no end.
    mutating func noticeEnd() {
        if hasHungUp(descriptor) { isGone = true }
    }
}

/// Whether `descriptor` was a terminal that is closed now.
package func hasHungUp(_ descriptor: Int32) -> Bool {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFCHR else { return false }
    var entry = pollfd(fd: descriptor, events: 0, revents: 0)
    return poll(&entry, 1, 0) > 0 && entry.revents & Int16(POLLHUP) != 0
}
