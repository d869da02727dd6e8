// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import Glibc
internal import TestKit
internal import Testing

/// Our decoder and libnetfilter_conntrack on the same messages, as the running kernel makes them.
@Suite(.enabled(if: Requirement.met(.networkNamespace, .program("nft"))))
struct AgreementTests {
    /// Traffic of one protocol, and whether the kernel's tracker reads ports from it.
    enum Traffic: String, CaseIterable {
        case tcp, udp, icmp, sctp, dccp, gre, pptp, udplite, unknown

        func make(_ namespace: TestNamespace, _ family: Family) throws -> FlowTuple {
            switch self {
            case .tcp: try namespace.tcpFlows(family)[0]
            case .udp: try namespace.udpFlows(family)[0]
            case .icmp: try namespace.echo(family, identifier: 0x1234)
            case .sctp: try raw(namespace, family, IPPROTO_SCTP, Self.sctpInit, ports: (0x1122, 0x3344))
            // Kernels without CONFIG_NF_CT_PROTO_DCCP see no ports in it.
            case .dccp: try raw(namespace, family, IPPROTO_DCCP, Self.dccpRequest, ports: nil)
            case .gre: try raw(namespace, family, IPPROTO_GRE, [0, 0, 8, 0], ports: (0, 0))
            // A version 1 header: its call id is the destination's key.
            case .pptp: try raw(namespace, family, IPPROTO_GRE, Self.enhancedGRE, ports: nil)
            case .udplite: try raw(namespace, family, IPPROTO_UDPLITE, Self.udpLite, ports: (0x1122, 0x3344))
            case .unknown: try raw(namespace, family, 253, [1, 2, 3, 4], ports: (0, 0))
            }
        }

        /// Ports nil: whatever the kernel makes of it, as long as both decoders agree.
        private func raw(
            _ namespace: TestNamespace, _ family: Family, _ number: Int, _ payload: [UInt8], ports: (UInt16, UInt16)?
        ) throws -> FlowTuple {
            var tuple = try namespace.sendRaw(family, protocol: UInt8(number), payload: payload)
            if let ports { (tuple.sourcePort, tuple.destinationPort) = ports }
            return tuple
        }

        /// Whether the tuple says the ports too.
        var portsKnown: Bool { self != .dccp && self != .pptp }

        private static let ports: [UInt8] = [0x11, 0x22, 0x33, 0x44]
        /// Verification tag 0, no checksum (it is not looked at on output), one INIT chunk.
        private static let sctpInit: [UInt8] =
            ports + [0, 0, 0, 0] + [0, 0, 0, 0] + [1, 0, 0, 20]
            + [0, 0, 0, 1] + [0, 0, 16, 0] + [0, 1, 0, 1] + [0, 0, 0, 1]
        private static let dccpRequest: [UInt8] =
            ports + [5, 0, 0, 0] + [1, 0, 0, 0] + [0, 0, 0, 1] + [0, 0, 0, 0]
        private static let enhancedGRE: [UInt8] = [0x20, 0x01, 0x88, 0x0b] + [0, 0, 0x55, 0x66]
        private static let udpLite: [UInt8] = ports + [0, 8, 0xff, 0xff]
    }

    /// Zone, mark and all protocols tracked.
    private func namespace() throws -> TestNamespace {
        let namespace = try TestNamespace()
        try namespace.nft(
            """
            table inet everything {
                chain outgoing { type filter hook output priority raw; ct zone set 7; }
                chain incoming { type filter hook prerouting priority raw; ct zone set 7; }
                chain marking { type filter hook output priority 0; ct mark set 0x1234abcd; }
            }
            """)
        return namespace
    }

    /// All messages of one flow, from its first packet to the entry's deletion.
    private func capture(_ traffic: Traffic, _ family: Family) throws -> (tuple: FlowTuple, messages: [[UInt8]]) {
        let namespace = try namespace()
        let listener = try Listener(in: namespace)
        let tuple = try traffic.make(namespace, family)
        try namespace.flushEntries()
        var messages: [[UInt8]] = []
        func count(_ kind: cnf_kind) -> Int {
            messages.count { UInt32(Decoded($0).event.kind) == kind.rawValue }
        }
        while let message = try listener.next(within: .seconds(5)) {
            messages.append(message)
            if count(CNF_NEW) > 0, count(CNF_DESTROY) == count(CNF_NEW) { break }
        }
        return (tuple, messages)
    }

    @Test(arguments: Traffic.allCases, Family.allCases)
    func `decoder and library agree on real messages`(_ traffic: Traffic, _ family: Family) throws {
        let (tuple, messages) = try capture(traffic, family)
        let events = messages.map { Decoded($0) }

        #expect(events.allSatisfy { $0.result == 1 })
        let kinds = Set(events.map { UInt32($0.event.kind) })
        #expect(kinds.isSuperset(of: [CNF_NEW.rawValue, CNF_DESTROY.rawValue]))
        let found = events.compactMap(\.event.tuple).contains { seen in
            var seen = seen
            if !traffic.portsKnown { (seen.sourcePort, seen.destinationPort) = (0, 0) }
            return seen == tuple
        }
        #expect(found, "\(tuple) in \(events.map(\.event.tuple))")
        for (message, decoded) in zip(messages, events) {
            let text = try #require(libraryText(message))
            expectAgreement(of: decoded.event, with: LibraryEntry(text))
        }
    }

    @Test func `a TCP connection gives its states`() throws {
        let (_, messages) = try capture(.tcp, .ipv4)
        let states = messages.map { Decoded($0).event.tcp_state }

        // TCP_CONNTRACK_SYN_SENT, SYN_RECV, ESTABLISHED, FIN_WAIT ... as the kernel numbers them.
        #expect(states.starts(with: [1, 2, 3, 4]), "\(states)")
    }

    private func expectAgreement(of event: cnf_event, with entry: LibraryEntry) {
        let comment = Comment(rawValue: entry.text)
        let family = Family.allCases.first { $0.number == event.family }
        #expect(entry.kind.map(\.rawValue) == UInt32(event.kind), comment)
        #expect(entry.protocol == event.protocol, comment)
        #expect(entry.first["src"].flatMap { family?.parse($0) } == event.tuple?.source, comment)
        #expect(entry.first["dst"].flatMap { family?.parse($0) } == event.tuple?.destination, comment)
        #expect(entry.sourcePort == event.source_port, comment)
        #expect(entry.destinationPort == event.destination_port, comment)
        #expect(entry.number("zone") == 7, comment)
        #expect(event.zone == 7, comment)
        #expect(entry.number("mark") ?? 0 == event.mark, comment)
        #expect(entry.last["id"].flatMap { UInt32($0) } == event.id, comment)
        #expect(entry.words.contains("[UNREPLIED]") == (event.status & IPS_SEEN_REPLY.rawValue == 0), comment)
        #expect(entry.words.contains("[ASSURED]") == (event.status & IPS_ASSURED.rawValue != 0), comment)
        #expect(entry.tcpState == event.tcp_state, comment)
    }
}
