// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import Glibc
internal import TestKit
internal import Testing

/// `cnf_events_pump` on a socket that a test feeds.
@Suite struct PumpTests {
    private func event(_ port: UInt16) -> [UInt8] {
        NetlinkMessage.conntrack(.new, Sample.tuple(.ipv4, IPPROTO_UDP, ports: (port, 53))).bytes
    }

    @Test func `an empty queue gives nothing and no error`() throws {
        let feeder = try Feeder()
        let pumped = feeder.socket.pump(slots: 8)

        #expect(pumped.result == 0)
        #expect(pumped.datagrams == 0)
    }

    @Test func `events come in their order, 64 at a time, with the batch's time`() throws {
        let feeder = try Feeder()
        for port in 0..<150 { try feeder.send(event(UInt16(port))) }
        var ports: [UInt16] = []
        for (batch, expected) in [64, 64, 22, 0].enumerated() {
            let pumped = feeder.socket.pump(slots: 1000, time: UInt64(batch))
            #expect(Int(pumped.result) == expected)
            #expect(pumped.datagrams == expected)
            #expect(pumped.events.allSatisfy { $0.time_ns == UInt64(batch) })
            ports += pumped.events.map(\.source_port)
        }

        #expect(ports == Array(0..<150))
        #expect(feeder.socket.tally.events == 150)
        #expect(feeder.socket.tally.dropped == 0)
        #expect(feeder.socket.tally.undecoded == 0)
    }

    @Test func `no more is received than there are slots for`() throws {
        let feeder = try Feeder()
        for port in 0..<5 { try feeder.send(event(UInt16(port))) }

        #expect(feeder.socket.pump(slots: 3).events.map(\.source_port) == [0, 1, 2])
        #expect(feeder.socket.pump(slots: 3).events.map(\.source_port) == [3, 4])
        #expect(feeder.socket.tally.dropped == 0)
    }

    @Test func `a tap sees the message of each event that got a slot, and no other`() throws {
        let feeder = try Feeder()
        let sent = (0..<3).map { event(UInt16($0)) }
        try feeder.send(sent[0] + sent[1])
        try feeder.send(NetlinkMessage(subsystem: NFNL_SUBSYS_CTNETLINK_EXP, type: 0).bytes)
        try feeder.send(sent[2])
        let seen = Seen()
        feeder.socket.tap(seen)
        #expect(feeder.socket.pump(slots: 8).events.count == 3)
        #expect(seen.messages == sent)
        #expect(seen.ports == [0, 1, 2])

        try feeder.send(sent[0])
        _ = feeder.socket.pump(slots: 0)
        feeder.socket.tap(nil)
        try feeder.send(sent[0])
        #expect(feeder.socket.pump(slots: 8).events.count == 1)
        #expect(seen.messages.count == 3)
    }

    @Test func `without a free slot the queue is emptied and the events are counted as dropped`() throws {
        let feeder = try Feeder()
        for port in 0..<100 { try feeder.send(event(UInt16(port))) }
        try feeder.send(NetlinkMessage(subsystem: NFNL_SUBSYS_CTNETLINK_EXP, type: 0).bytes)

        #expect(feeder.socket.pump(slots: 0).datagrams == 64)
        #expect(feeder.socket.pump(slots: 0).datagrams == 37)
        #expect(feeder.socket.pump(slots: 0).datagrams == 0)
        #expect(feeder.socket.tally.events == 0)
        #expect(feeder.socket.tally.dropped == 100)
    }

    @Test func `several messages in one datagram are all decoded, and dropped when slots run out`() throws {
        let feeder = try Feeder()
        let expectation = NetlinkMessage(subsystem: NFNL_SUBSYS_CTNETLINK_EXP, type: 0).bytes
        try feeder.send(event(1) + expectation + event(2) + event(3) + event(4))
        let pumped = feeder.socket.pump(slots: 3)

        #expect(pumped.datagrams == 1)
        #expect(pumped.events.map(\.source_port) == [1, 2, 3])
        #expect(feeder.socket.tally.events == 3)
        #expect(feeder.socket.tally.dropped == 1)
    }

    @Test func `a message of unaligned length is followed by the next at the aligned place`() throws {
        let feeder = try Feeder()
        var unaligned = NetlinkMessage.conntrack(.new, Sample.tuple(.ipv4, IPPROTO_UDP, ports: (1, 53)))
        unaligned.putUnpadded(CTA_ZONE, [0, 5])
        try feeder.send(unaligned.bytes + [0, 0] + event(2))

        #expect(feeder.socket.pump(slots: 8).events.map(\.source_port) == [1, 2])
    }

    /// A message longer than the receive buffer.
    private func long(_ event: NetlinkMessage.Event) -> [UInt8] {
        var message = NetlinkMessage.conntrack(event, Sample.tuple(.ipv4, IPPROTO_UDP))
        message.put(CTA_SECCTX, [UInt8](repeating: 7, count: 3000))
        return message.bytes
    }

    @Test func `a datagram longer than the buffer counts as truncated, whatever its beginning holds`() throws {
        let feeder = try Feeder()
        try feeder.send(event(8) + long(.new))
        try feeder.send(event(9))
        let pumped = feeder.socket.pump(slots: 8)

        #expect(pumped.events.map(\.source_port) == [9])
        #expect(pumped.datagrams == 2)
        #expect(list(feeder.socket.tally.truncated) == [1, 0, 0])
        #expect(feeder.socket.tally.malformed == 0)
    }

    @Test func `what is truncated is counted by the kind that its header tells, with slots and without`() throws {
        let feeder = try Feeder()
        for kind in [.new, .update, .update, .destroy, .destroy, .destroy] as [NetlinkMessage.Event] {
            try feeder.send(long(kind))
        }
        #expect(feeder.socket.pump(slots: 3).result == 0)
        #expect(feeder.socket.pump(slots: 0).result == 0)

        #expect(list(feeder.socket.tally.truncated) == [1, 2, 3])
        #expect(feeder.socket.tally.malformed + feeder.socket.tally.dropped == 0)
    }

    @Test func `what is truncated and of no known kind counts as malformed`() throws {
        let feeder = try Feeder()
        var expectation = NetlinkMessage(subsystem: NFNL_SUBSYS_CTNETLINK_EXP, type: 0)
        expectation.put(CTA_SECCTX, [UInt8](repeating: 7, count: 3000))
        try feeder.send(expectation.bytes)
        try feeder.send([UInt8](repeating: 0xff, count: 3000))
        #expect(feeder.socket.pump(slots: 8).datagrams == 2)

        #expect(list(feeder.socket.tally.truncated) == [0, 0, 0])
        #expect(feeder.socket.tally.malformed == 2)
    }

    @Test func `a broken message counts as malformed and takes no slot`() throws {
        let feeder = try Feeder()
        try feeder.send(Array(event(1).dropLast(1)))
        try feeder.send(event(2))
        try feeder.send(event(3) + event(4).dropLast(30))
        let pumped = feeder.socket.pump(slots: 8)

        #expect(pumped.events.map(\.source_port) == [2, 3])
        #expect(feeder.socket.tally.malformed == 2)
        #expect(list(feeder.socket.tally.truncated) == [0, 0, 0])
        #expect(feeder.socket.tally.events == 2)
    }

    @Test func `what is no event takes no slot and counts as nothing`() throws {
        let feeder = try Feeder()
        try feeder.send(NetlinkMessage(subsystem: NFNL_SUBSYS_CTNETLINK_EXP, type: 0).bytes)
        try feeder.send([1, 2, 3])
        let pumped = feeder.socket.pump(slots: 8)

        #expect(pumped.result == 0)
        #expect(pumped.datagrams == 2)
        let tally = feeder.socket.tally
        #expect([tally.events, tally.dropped, tally.undecoded] == [0, 0, 0])
    }

    @Test func `a socket's error is passed on as its errno`() throws {
        let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
        let pumped = try EventSocket(adopting: descriptor).pump(slots: 8)

        #expect(pumped.result == -ENOTSOCK)
        #expect(pumped.datagrams == 0)
    }
}
