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

        package init(address: Address, destination: Flow.Endpoint) {
            self.address = address
            self.destination = destination
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

    /// TCP, the handshake half done: SYN_RECV.
    public var synReceived: UInt64 = 0
    /// TCP, closed and waiting for late packets: TIME_WAIT.
    public var timeWait: UInt64 = 0
    /// TCP, established and without a packet for an hour; nil when the timeout that tells is not known.
    public var idleEstablished: UInt64?
    /// UDP to port 53.
    public var dns: UInt64 = 0
    /// The source address that holds most, or the /64 of IPv6.
    public var source: Holder<AddressPrefix>?
    /// The NAT address and destination that hold most; of IPv4.
    public var natPair: Holder<NATPair>?

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

/// Something that fills the table, and what to do next.
public struct SurveyCause: Equatable, Sendable {
    /// One word, for programs.
    public var id: String
    /// Of the table's entries; of the ports for NAT.
    public var share: Double
    /// "SYN_RECV 61.0%".
    public var text: String
    /// What it means.
    public var meaning: String
    /// The next command to type.
    public var next: String

    /// From its parts.
    package init(id: String, share: Double, text: String, meaning: String, next: String) {
        self.id = id
        self.share = share
        self.text = text
        self.meaning = meaning
        self.next = next
    }
}

extension Survey {
    /// What stands out, the clearest first; empty when nothing does.
    public var causes: [SurveyCause] {
        [natCause, synCause, dnsCause, timeWaitCause, idleCause, sourceCause].compactMap { $0 }
            .sorted { $0.share > $1.share }
    }

    private func cause(
        _ id: String, _ count: UInt64, from least: Double, _ name: String, _ meaning: String, next: String
    ) -> SurveyCause? {
        let share = share(count)
        guard share >= least else { return nil }
        return SurveyCause(id: id, share: share, text: "\(name) \(percent(share))", meaning: meaning, next: next)
    }

    private var synCause: SurveyCause? {
        cause(
            "syn_recv", synReceived, from: 0.2, "SYN_RECV",
            "half-open connections: a SYN flood, or the other direction goes another way",
            next: "conntrack -L -p tcp --state SYN_RECV")
    }

    private var dnsCause: SurveyCause? {
        cause(
            "dns", dns, from: 0.3, "UDP port 53", "DNS queries, one entry each",
            next: "conntrack-mon top --by source,port, then do not track them: nft ... udp dport 53 notrack")
    }

    private var timeWaitCause: SurveyCause? {
        cause(
            "time_wait", timeWait, from: 0.3, "TIME_WAIT", "closed connections that wait for late packets",
            next: "sysctl -w net.netfilter.nf_conntrack_tcp_timeout_time_wait=30")
    }

    private var idleCause: SurveyCause? {
        cause(
            "idle_established", idleEstablished ?? 0, from: 0.3, "ESTABLISHED idle for an hour",
            "connections that nobody closed are kept for days",
            next: "sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=86400")
    }

    private var sourceCause: SurveyCause? {
        guard let source else { return nil }
        return cause(
            "one_source", source.entries, from: 0.3, "source \(source.who.text)", "one host",
            next: "conntrack -L -s \(source.who.text)")
    }

    private var natCause: SurveyCause? {
        guard let natPair else { return nil }
        let share = Double(natPair.entries) / Double(Survey.natPorts)
        guard share >= 0.75 else { return nil }
        return SurveyCause(
            id: "nat_ports", share: min(1, share),
            text: "NAT \(natPair.who.text) uses \(natPair.entries) of \(Survey.natPorts) ports",
            meaning: "new connections there soon find none", next: "more addresses for SNAT, or fewer connections there"
        )
    }

    /// "why: SYN_RECV 61.0% (half-open ...), source 203.0.113.9 58.2%".
    public var reason: String {
        guard let first = causes.first else { return "why: nothing stands out among \(entries) entries" }
        let others = causes.dropFirst().map { ", \($0.text)" }.joined()
        return "why: \(first.text) (\(first.meaning))\(others)"
    }

    /// The next command to type.
    public var next: String { causes.first?.next ?? "conntrack-mon top --by source" }

    /// "why: SYN_RECV 61.0% (half-open ...), source 203.0.113.9 58.2%; next: conntrack -L -p tcp --state SYN_RECV".
    public var text: String { "\(reason); next: \(next)" }

    /// For programs.
    package var values: [String: Double] {
        var values = [
            "syn_recv_ratio": share(synReceived), "time_wait_ratio": share(timeWait), "udp_53_ratio": share(dns),
            "surveyed_entries": Double(entries),
        ]
        if let idleEstablished { values["idle_established_ratio"] = share(idleEstablished) }
        if let source { values["table_source_ratio"] = share(source.entries) }
        if let natPair { values["nat_ports_used"] = Double(natPair.entries) }
        return values
    }
}
