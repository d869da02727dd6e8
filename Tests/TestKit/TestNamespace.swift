// SPDX-License-Identifier: GPL-3.0-or-later

internal import CTestKit
internal import Glibc

/// A network namespace of its own with `lo` up, gone when the last reference is.
///
/// A thread owns it and runs closures inside it, one at a time. Everything that looks at the calling thread's namespace
/// works there: sockets, `/proc/sys/net`, `/proc/thread-self/net` (not `/proc/net`, which is the main thread's) and
/// children, which inherit it.
public final class TestNamespace: Sendable {
    private let worker: Worker

    /// Where the namespace can be entered by setns(2), as by `nsenter --net=PATH`, for as long as `self` lives.
    public let path: String

    /// Makes the namespace. Needs CAP_SYS_ADMIN in the user namespace: root, or `unshare -Urn`.
    public init() throws {
        let worker = try Worker()
        self.worker = worker
        path = try worker.run {
            try SystemError.check("unshare(CLONE_NEWNET)", ctk_unshare_network())
            try SystemError.check("lo up", ctk_loopback_up())
            return "/proc/\(getpid())/task/\(ctk_thread_id())/ns/net"
        }
    }

    deinit {
        worker.stop()
    }

    /// Runs `body` on the thread inside the namespace and waits for it. Not from inside another `run` of the same one.
    public func run<T: Sendable>(_ body: @Sendable () throws -> T) throws -> T {
        try worker.run(body)
    }

    /// Has connections tracked, which a namespace does only while a rule asks for their state: one counting rule for
    /// each of input and output, IPv4 and IPv6.
    public func trackConnections() throws {
        try nft(
            """
            table inet track {
                chain input { type filter hook input priority 0; ct state invalid counter; }
                chain output { type filter hook output priority 0; ct state invalid counter; }
            }
            """)
    }

    /// Loads nftables rules into the namespace.
    public func nft(_ rules: String) throws {
        let result = try Command("nft", rules).run(in: self)
        guard result.status == .exited(0) else {
            throw TestKitError("nft: \(result.status): \(result.standardError)")
        }
    }

    /// Writes a sysctl below /proc/sys/net, as in `setSysctl("netfilter/nf_conntrack_acct", "1")`.
    public func setSysctl(_ name: String, _ value: String) throws {
        try run {
            let path = "/proc/sys/net/" + name
            let descriptor = open(path, O_WRONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw SystemError("open \(path)") }
            defer { close(descriptor) }
            let bytes = Array(value.utf8)
            guard write(descriptor, bytes, bytes.count) == bytes.count else { throw SystemError("write \(path)") }
        }
    }

    /// The file's contents as seen from inside: `/proc/thread-self/net/stat/nf_conntrack`, `/proc/sys/net/...`.
    public func read(_ path: String) throws -> String {
        try run { try readFile(path) }
    }
}
