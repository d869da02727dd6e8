// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import Glibc

/// stdout or stderr, written without ever waiting for whoever reads it.
///
/// The descriptor is inherited and its flags are shared with others, so it is not made non-blocking. A pipe or terminal
/// is opened a second time through /proc/self/fd, which gives flags of our own; a socket is sent to with MSG_DONTWAIT.
/// What cannot be written waits in a bounded buffer; beyond that whole lines are left out and counted.
struct LineSink: ~Copyable {
    private enum Kind { case file, socket, own, shared }

    private static let bound = 65536

    let name: String
    /// The descriptor to poll for room.
    let descriptor: Int32
    private let kind: Kind
    private var waiting: [UInt8] = []
    /// Left out since it last had room for all.
    private(set) var leftOut: UInt64 = 0
    /// Lines that were not written, since the start; never goes back.
    private(set) var lost: UInt64 = 0
    private(set) var failure: SystemError?

    init(_ inherited: Int32, name: String) {
        self.name = name
        var status = stat()
        guard fstat(inherited, &status) == 0 else {
            descriptor = inherited
            kind = .shared
            failure = SystemError("write to", name, errno)
            return
        }
        switch status.st_mode & S_IFMT {
        case S_IFSOCK:
            descriptor = inherited
            kind = .socket
        case S_IFREG:
            descriptor = inherited
            kind = .file
        default:
            let own = open("/proc/self/fd/\(inherited)", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
            descriptor = own >= 0 ? own : inherited
            kind = own >= 0 ? .own : .shared
        }
    }

    deinit {
        if kind == .own { close(descriptor) }
    }

    /// Whether something waits for room.
    var isWaiting: Bool { !waiting.isEmpty && failure == nil }

    /// Takes one line, without its line feed.
    mutating func take(_ line: String) {
        guard failure == nil || kind == .file else {
            lost += 1
            return
        }
        // A disk that was full may have room again: a file is tried anew with each line.
        failure = nil
        let bytes = line.utf8
        if waiting.count + bytes.count >= LineSink.bound {
            leftOut += 1
            lost += 1
            return
        }
        waiting.append(contentsOf: bytes)
        waiting.append(UInt8(ascii: "\n"))
        flush()
    }

    /// Writes as much as there is room for.
    mutating func flush() {
        while isWaiting {
            let count = waiting.withUnsafeBytes { writeSome($0) }
            if count > 0 {
                waiting.removeFirst(count)
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: return
            default:
                failure = SystemError("write to", name, errno)
                lost += UInt64(waiting.count { $0 == UInt8(ascii: "\n") })
                waiting = []
            }
        }
        if waiting.isEmpty { leftOut = 0 }
    }

    private func writeSome(_ bytes: UnsafeRawBufferPointer) -> Int {
        switch kind {
        case .file, .own:
            return write(descriptor, bytes.baseAddress, bytes.count)
        case .socket:
            return send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
        case .shared:
            // POLLOUT of a pipe means a free page: this much goes in without waiting.
            var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard poll(&entry, 1, 0) == 1 else {
                errno = EAGAIN
                return -1
            }
            return write(descriptor, bytes.baseAddress, min(bytes.count, 4096))
        }
    }

    /// What is wrong with it, if anything.
    var degradation: Degradation? {
        if let failure {
            let gone = failure.code == EPIPE ? "whoever read it went away" : SystemError.text(failure.code)
            return Degradation(part: name, reason: "cannot be written to: \(gone)", remains: "everything else goes on")
        }
        guard leftOut > 0 else { return nil }
        return Degradation(
            part: name, reason: "whoever reads it does not: \(leftOut) lines left out",
            remains: "everything else goes on")
    }
}
