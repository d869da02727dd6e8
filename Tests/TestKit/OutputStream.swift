// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc

/// Our end of a child's pipe and all that came through it.
struct OutputStream {
    /// -1 after the end.
    private(set) var descriptor: Int32
    private var bytes: [UInt8] = []
    private var seen = 0

    init(descriptor: Int32) {
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }

    var isOpen: Bool { descriptor >= 0 }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Takes what is there without waiting; false when nothing was.
    mutating func readNow() throws -> Bool {
        guard isOpen else { return false }
        var chunk = [UInt8](repeating: 0, count: 65536)
        let count = read(descriptor, &chunk, chunk.count)
        if count > 0 {
            bytes += chunk[..<count]
            return true
        }
        if count < 0 {
            guard errno == EAGAIN || errno == EINTR else { throw SystemError("read") }
            return errno == EINTR
        }
        close()
        return false
    }

    /// The next whole line not returned before, without its newline; at the end of the stream the rest counts as one.
    mutating func nextLine() -> String? {
        let rest = bytes[seen...]
        if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            seen = end + 1
            return String(decoding: rest[..<end], as: UTF8.self)
        }
        guard !isOpen, !rest.isEmpty else { return nil }
        seen = bytes.count
        return String(decoding: rest, as: UTF8.self)
    }

    mutating func close() {
        guard isOpen else { return }
        Glibc.close(descriptor)
        descriptor = -1
    }
}
