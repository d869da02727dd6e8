// SPDX-License-Identifier: GPL-3.0-or-later

internal import CTestKit
internal import Glibc

/// A plain subscriber to conntrack events: gives each message as the kernel made it, undecoded.
public final class Listener: Sendable {
    private let descriptor: Int32

    /// Listens in `namespace`; the socket stays there, whichever thread reads it.
    public init(in namespace: TestNamespace) throws {
        descriptor = try namespace.run { try SystemError.check("listen", ctk_listen()) }
    }

    deinit {
        close(descriptor)
    }

    /// The next message, or nil when none comes within `limit`.
    public func next(within limit: Duration = .zero) throws -> [UInt8]? {
        var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&poller, 1, Deadline(limit).milliseconds) > 0 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 16384)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count >= 0 else { throw SystemError("recv") }
        return Array(buffer[..<count])
    }

    /// All messages queued now.
    public func drain() throws -> [[UInt8]] {
        var messages: [[UInt8]] = []
        while let message = try next() {
            messages.append(message)
        }
        return messages
    }
}
