// SPDX-License-Identifier: GPL-3.0-or-later

/// What this network namespace's own protocols counted, tracked or not: whether traffic goes on.
public struct Traffic: Equatable, Sendable {
    /// TCP connections that were opened or accepted here, over IPv4 and IPv6. One over loopback is both.
    public var tcpOpens: UInt64

    /// Counted so far.
    public init(tcpOpens: UInt64) {
        self.tcpOpens = tcpOpens
    }
}
