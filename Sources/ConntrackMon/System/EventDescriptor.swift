// SPDX-License-Identifier: GPL-3.0-or-later

internal import CSystem
package import ConntrackModel
internal import Glibc

/// An eventfd: a doorbell between threads.
package struct EventDescriptor: ~Copyable, Sendable {
    /// Readable while it has rung and nobody has silenced it.
    package let descriptor: Int32

    /// A doorbell that has not rung.
    package init() throws(SystemError) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard descriptor >= 0 else { throw SystemError("open", "an eventfd", errno) }
    }

    /// Rings the same bell as `other`.
    package init(duplicating other: Int32) throws(SystemError) {
        descriptor = fcntl(other, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else { throw SystemError("open", "an eventfd", errno) }
    }

    deinit {
        close(descriptor)
    }

    /// Wakes whoever waits for it.
    package func ring() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    /// Waits until it rings.
    package func wait() {
        _ = cnf_wait_readable(descriptor, .max)
    }

    /// Has it ring only at the next time.
    package func silence() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
    }
}
