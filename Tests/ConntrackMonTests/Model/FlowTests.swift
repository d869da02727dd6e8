// SPDX-License-Identifier: GPL-3.0-or-later

import CNetfilter
import Glibc
import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// Flows in the model's words, and their way out of records.
@Suite struct FlowTests {
    @Test func `an event's flow has its addresses and ports`() {
        let flow = Flow(cnf_event.new("192.0.2.1", "198.51.100.7", 443))

        #expect(flow.source == .of("192.0.2.1"))
        #expect(flow.destination == .of("198.51.100.7"))
        #expect(flow.protocol == .tcp)
        #expect(flow.sourcePort == .number(40_000))
        #expect(flow.destinationPort == .number(443))
    }

    @Test func `an entry's flow is its original direction, its reply another`() {
        let entry = Entries.entry(from: "2001:db8::1", to: "2001:db8::2", protocol: IPPROTO_UDP, port: 53) {
            Entries.set(&$0.reply.source, "2001:db8::3")
            $0.reply.source_port = 5353
        }

        #expect(Flow(entry).source == .of("2001:db8::1"))
        #expect(Flow(entry).destination == .of("2001:db8::2"))
        #expect(Flow(entry).destinationPort == .number(53))
        let reply = Flow(entry.reply, family: entry.family, protocol: entry.protocol)
        #expect(reply.source == .of("2001:db8::3"))
        #expect(reply.sourcePort == .number(5353))
    }

    @Test(
        arguments: [
            (6, .number(0x0803), .number(0x0803)), (17, .number(0x0803), .number(0x0803)),
            (33, .number(0x0803), .number(0x0803)), (132, .number(0x0803), .number(0x0803)),
            (136, .number(0x0803), .number(0x0803)), (1, .identifier(0x0803), .icmp(type: 8, code: 3)),
            (58, .identifier(0x0803), .icmp(type: 8, code: 3)), (47, .key(0x0803), .key(0x0803)), (253, .none, .none),
            (0, .none, .none),
        ] as [(UInt8, Flow.Port, Flow.Port)])
    func `what stands where ports do depends on the protocol`(_ number: UInt8, _ source: Flow.Port, _ port: Flow.Port) {
        let `protocol` = IPProtocol(rawValue: number)

        #expect(Flow.Port(ofSource: 0x0803, protocol: `protocol`) == source)
        #expect(Flow.Port(ofDestination: 0x0803, protocol: `protocol`) == port)
    }

    @Test func `an end says no more than is told apart`() {
        let address = AddressPrefix(.of("2001:db8::1"))

        #expect(Flow.Endpoint(address).text == "2001:db8::1")
        #expect(Flow.Endpoint(AddressPrefix(.of("2001:db8::1"), length: 64)).text == "2001:db8::/64")
        #expect(Flow.Endpoint(address, protocol: .tcp, port: 443).text == "[2001:db8::1]:443/tcp")
        #expect(Flow.Endpoint(address, protocol: .icmpv6).text == "2001:db8::1/icmpv6")
    }

    // Their numbers: nf_conntrack_tcp.h and nf_conntrack_common.h as this system has them.
    @Test func `states and bits have the kernel's numbers and names`() {
        let states = (0...10).map { TCPState(rawValue: UInt8($0)).name }
        #expect(
            states == [
                "NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT",
                "CLOSE", "SYN_SENT2", "10",
            ])
        #expect(TCPState.synReceived.name == "SYN_RECV")
        #expect(TCPState.established.name == "ESTABLISHED")
        #expect(TCPState.timeWait.name == "TIME_WAIT")

        let named: [(EntryStatus, String)] = [
            (.expected, "EXPECTED"), (.seenReply, "SEEN_REPLY"), (.assured, "ASSURED"), (.confirmed, "CONFIRMED"),
            (.sourceNAT, "SRC_NAT"), (.destinationNAT, "DST_NAT"), (.fixedTimeout, "FIXED_TIMEOUT"),
            (.offload, "OFFLOAD"), (.hardwareOffload, "HW_OFFLOAD"),
        ]
        for (status, name) in named {
            #expect(status.names == [name])
            #expect(EntryStatus(name: name.lowercased()) == status)
        }
        #expect(EntryStatus(rawValue: 0x8000_000e).names == ["SEEN_REPLY", "ASSURED", "CONFIRMED"])
        #expect(EntryStatus(name: "SEEN") == nil)
    }
}
