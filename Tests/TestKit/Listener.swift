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

extension TestNamespace {
    /// Every entry's message of one dump, as the kernel made it, undecoded.
    public func dumpMessages() throws -> [[UInt8]] {
        let descriptor = try run { try SystemError.check("dump", ctk_ask_dump()) }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 65536)
        var messages: [[UInt8]] = []
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { throw SystemError("recv") }
            var rest = buffer[..<count]
            while rest.count >= 16 {
                let size = rest.withUnsafeBytes { Int($0.loadUnaligned(as: UInt32.self)) }
                let type = rest.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 4, as: UInt16.self) }
                if Int32(type) == NLMSG_DONE { return messages }
                guard Int32(type) != NLMSG_ERROR, size >= 16, size <= rest.count else {
                    throw TestKitError("the dump gave a message of type \(type) and size \(size)")
                }
                messages.append(Array(rest.prefix(size)))
                rest = rest.dropFirst((size + 3) / 4 * 4)
            }
        }
    }
}
