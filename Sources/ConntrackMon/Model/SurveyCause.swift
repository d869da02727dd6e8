// SPDX-License-Identifier: GPL-3.0-or-later

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
    /// What stands out: first what the entries are, then whose they are, each from the largest share down. Empty when
    /// nothing does.
    public var causes: [SurveyCause] {
        let what = [natCause, synReceivedCause, synSentCause, dnsCause, timeWaitCause, idleCause, unrepliedCause]
        let whose = [sourceCause, destinationCause]
        return [what, whose].flatMap { $0.compactMap { $0 }.sorted { $0.share > $1.share } }
    }

    /// "why: SYN_RECV 61.0% (half-open ...), source 203.0.113.9 58.2%"; nil when nothing stands out.
    package var reason: String? {
        guard let first = causes.first else { return nil }
        let others = causes.dropFirst().map { ", \($0.text)" }.joined()
        return "why: \(first.text) (\(first.meaning))\(others)"
    }

    /// What is to be known of the figures; nil = they are whole.
    package var caveat: String? {
        isInterrupted ? "the hash was resized meanwhile: some entries may be missing or counted twice" : nil
    }

    /// The next command to type; nil when nothing stands out.
    package var next: String? { causes.first?.next }

    /// For programs.
    package var values: [String: Double] {
        var values = [
            "syn_sent_ratio": share(synSent), "syn_recv_ratio": share(synReceived), "time_wait_ratio": share(timeWait),
            "udp_53_ratio": share(dns), "unreplied_ratio": share(unreplied), "translated_ratio": share(translated),
            "surveyed_entries": Double(entries),
        ]
        if let idleEstablished { values["idle_established_ratio"] = share(idleEstablished) }
        if let source { values["table_source_ratio"] = share(source.entries) }
        if let destination { values["table_destination_ratio"] = share(destination.entries) }
        if let natPair { values["nat_ports_used"] = Double(natPair.entries) }
        return values
    }

    private func cause(
        _ id: String, _ count: UInt64, from least: Double, _ name: String, _ meaning: String, next: String
    ) -> SurveyCause? {
        let share = share(count)
        guard share >= least else { return nil }
        return SurveyCause(id: id, share: share, text: "\(name) \(percent(share))", meaning: meaning, next: next)
    }

    // MARK: What the entries are

    private var synReceivedCause: SurveyCause? {
        cause(
            "syn_recv", synReceived, from: 0.2, "SYN_RECV",
            "half-open connections: a SYN flood, or the other direction goes another way",
            next: "conntrack -L -p tcp --state SYN_RECV")
    }

    private var synSentCause: SurveyCause? {
        cause(
            "syn_sent", synSent, from: 0.2, "SYN_SENT",
            "connections that nobody answers: a target is down, a filter drops them, or somebody scans",
            next: "conntrack -L -p tcp --state SYN_SENT")
    }

    /// Who sends one way only is ordinary where logs or measurements are sent, so no cure is named.
    private var unrepliedCause: SurveyCause? {
        cause(
            "unreplied", unreplied - min(unreplied, synSent), from: 0.3, "never answered",
            "one way only: logs or measurements, a scan, or answers that go another way",
            next: "conntrack-mon top --by destination,port,state")
    }

    /// What is not tracked is not translated either, and a rule for established connections does not let its answers in.
    private var dnsCause: SurveyCause? {
        let cure =
            translated == 0
            ? "a resolver cache nearby or, if this host translates nothing, notrack both ways"
            : "a resolver cache nearby or a shorter nf_conntrack_udp_timeout"
        return cause(
            "dns", dns, from: 0.3, "UDP port 53", "DNS queries, one entry each",
            next: "conntrack-mon top --by source,port, then \(cure)")
    }

    /// TCP itself waits for 60 s on Linux.
    private var timeWaitCause: SurveyCause? {
        cause(
            "time_wait", timeWait, from: 0.3, "TIME_WAIT", "closed connections that wait for late packets",
            next: "sysctl net.netfilter.nf_conntrack_tcp_timeout_time_wait (120 is usual, 60 is enough)")
    }

    /// Keepalive comes every two hours at most, unless a program says otherwise; a day leaves room for those without.
    private var idleCause: SurveyCause? {
        let day: UInt64 = 86_400
        let kept = establishedTimeout.map { "are kept for \(readable(seconds: Double($0))) each" } ?? "are kept"
        let next =
            establishedTimeout.map { $0 > day } ?? false
            ? "sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=\(day), for connections from then on"
            : "conntrack-mon top --by source,destination,port,state"
        return cause(
            "idle_established", idleEstablished ?? 0, from: 0.3, "ESTABLISHED idle for an hour",
            "connections that nobody closed \(kept)", next: next)
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

    // MARK: Whose they are

    private var sourceCause: SurveyCause? {
        guard let source else { return nil }
        return cause(
            "one_source", source.entries, from: 0.3, "source \(source.who.text)", "one host",
            next: "conntrack -L -s \(source.who.text)")
    }

    private var destinationCause: SurveyCause? {
        guard let destination else { return nil }
        return cause(
            "one_destination", destination.entries, from: 0.3, "destination \(destination.who.text)", "one service",
            next: "conntrack-mon top --by destination,port")
    }
}
