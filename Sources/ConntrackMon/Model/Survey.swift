// SPDX-License-Identifier: GPL-3.0-or-later

/// What one dump told of the table: what it is full of. A plain value; shares are of `entries`.
public struct Survey: Equatable, Sendable {
    /// Who or what holds many entries, and how many for certain.
    public struct Holder<Who: Equatable & Sendable>: Equatable, Sendable {
        /// Who it is.
        public var who: Who
        /// At least.
        public var entries: UInt64

        package init(_ who: Who, entries: UInt64) {
            self.who = who
            self.entries = entries
        }
    }

    /// An address of ours and where NAT sends from it: each entry needs a port of its own there.
    public struct NATPair: Hashable, Sendable {
        /// What the source became.
        public var address: Address
        /// Where it really goes: address, port, protocol.
        public var destination: Flow.Endpoint
        /// The zone of the reply direction: ports are apart by it.
        public var zone: UInt16
        /// The number of the kernel's own range that its ports are of (NATPortRange.own).
        public var ownRange: Int

        package init(address: Address, destination: Flow.Endpoint, zone: UInt16 = 0, ownRange: Int = 0) {
            self.address = address
            self.destination = destination
            self.zone = zone
            self.ownRange = ownRange
        }

        /// "192.0.2.1 -> 198.51.100.7:443/tcp".
        public var text: String { "\(address.text) -> \(destination.text)" }
    }

    /// When the dump ended.
    public var moment: Moment
    /// How long it took.
    public var took: Duration
    /// Entries seen.
    public var entries: UInt64 = 0
    /// The hash was resized meanwhile: some entries may be missing or counted twice (NLM_F_DUMP_INTR).
    public var isInterrupted = false

    /// TCP, asked and not answered: SYN_SENT.
    public var synSent: UInt64 = 0
    /// TCP, the handshake half done: SYN_RECV.
    public var synReceived: UInt64 = 0
    /// TCP, closed and waiting for late packets: TIME_WAIT.
    public var timeWait: UInt64 = 0
    /// TCP, established and without a packet for an hour; nil when the timeout that tells is not known.
    public var idleEstablished: UInt64?
    /// nf_conntrack_tcp_timeout_established in seconds; nil when it is not known.
    public var establishedTimeout: UInt64?
    /// UDP to port 53.
    public var dns: UInt64 = 0
    /// Of any protocol, SYN_SENT included: no packet came back.
    public var unreplied: UInt64 = 0
    /// Source or destination is translated.
    public var translated: UInt64 = 0
    /// The source address that holds most, or the /64 of IPv6.
    public var source: Holder<AddressPrefix>?
    /// The destination that holds most, before any translation: address, port, protocol.
    public var destination: Holder<Flow.Endpoint>?
    /// The NAT address and destination that hold most; of IPv4.
    public var natPair: Holder<NATPair>?
    /// All of those that hold more than a few, most first.
    public var natPairs: [Holder<NATPair>] = []
    /// What one that is not listed there can hold at most.
    public var natUnlisted: UInt64 = 0

    /// A survey of nothing yet.
    public init(moment: Moment, took: Duration = .zero) {
        self.moment = moment
        self.took = took
    }

    /// Source ports that NAT has towards one destination, at most: 1024 to 65535.
    public static let natPorts: UInt64 = 64512

    package func share(_ count: UInt64) -> Double {
        entries > 0 ? Double(count) / Double(entries) : 0
    }
}
