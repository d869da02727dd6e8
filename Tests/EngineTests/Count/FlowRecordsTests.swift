// SPDX-License-Identifier: GPL-3.0-or-later

import CRecord
import Glibc
import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// Flows out of records.
@Suite struct FlowRecordsTests {
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
}
