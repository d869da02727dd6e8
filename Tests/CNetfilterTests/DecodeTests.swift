// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import Glibc
internal import TestKit
internal import Testing

@Suite struct DecodeTests {
    @Test(arguments: Sample.tuples, NetlinkMessage.Event.allCases)
    func `a message gives its tuple and its kind`(_ tuple: FlowTuple, _ kind: NetlinkMessage.Event) {
        let decoded = Decoded(NetlinkMessage.conntrack(kind, tuple).bytes, time: 77)

        #expect(decoded.result == 1)
        #expect(decoded.event.tuple == tuple)
        #expect(decoded.event.time_ns == 77)
        let kinds: [NetlinkMessage.Event: cnf_kind] = [.new: CNF_NEW, .update: CNF_UPDATE, .destroy: CNF_DESTROY]
        #expect(UInt32(decoded.event.kind) == kinds[kind]?.rawValue)
    }

    @Test func `what a message does not say is zero, and its TCP state is none`() {
        let event = Decoded(NetlinkMessage.conntrack(.new, Sample.tuple(.ipv4, 253)).bytes).event

        #expect(event.status == 0)
        #expect(event.id == 0)
        #expect(event.mark == 0)
        #expect(event.zone == 0)
        #expect(event.flags == 0)
        #expect(event.reserved == 0)
        #expect(event.source_port == 0)
        #expect(event.destination_port == 0)
        #expect(Int32(event.tcp_state) == CNF_NO_TCP_STATE)
        #expect(event.sourceBytes.dropFirst(4).allSatisfy { $0 == 0 })
        #expect(event.destinationBytes.dropFirst(4).allSatisfy { $0 == 0 })
    }

    @Test func `every attribute lands in its field, in host byte order`() {
        let decoded = Decoded(Sample.full.bytes)

        #expect(decoded.result == 1)
        #expect(decoded.event.status == 0x18e)
        #expect(decoded.event.tcp_state == 3)
        #expect(decoded.event.mark == 0xdead_beef)
        #expect(decoded.event.id == 0x0102_0304)
        #expect(decoded.event.zone == 0x0a0b)
        #expect(decoded.event.flags == 0)
    }

    /// The message as the kernel sends it when a program with this netlink port caused it.
    private func sent(_ message: NetlinkMessage, port: UInt32) -> [UInt8] {
        var bytes = message.bytes
        withUnsafeBytes(of: port) { bytes.replaceSubrange(12..<16, with: $0) }
        return bytes
    }

    @Test(arguments: NetlinkMessage.Event.allCases, [0, 1, 4711, 0x8000_0000] as [UInt32])
    func `an event that a program caused carries its port`(_ kind: NetlinkMessage.Event, _ port: UInt32) {
        let message = NetlinkMessage.conntrack(kind, Sample.tuple(.ipv4, IPPROTO_TCP))
        let event = Decoded(sent(message, port: port)).event

        #expect(UInt32(event.flags) == (port == 0 ? 0 : CNF_BY_PROGRAM.rawValue))
    }

    @Test func `the time left of an entry that goes on is not told`() {
        var message = NetlinkMessage.conntrack(.new, Sample.tuple(.ipv4, IPPROTO_TCP))
        message.put(CTA_TIMEOUT, bigEndian: UInt32(120))

        #expect(Decoded(message.bytes).event.flags == 0)
    }

    @Test(arguments: [(nil, false), (0, false), (1, true), (432_000, true)] as [(UInt32?, Bool)], [false, true])
    func `an entry with time left says so, in whatever place`(_ timeout: (left: UInt32?, isLeft: Bool), _ isLast: Bool)
    {
        var message = NetlinkMessage.conntrack(.destroy, Sample.tuple(.ipv4, IPPROTO_TCP))
        if isLast { message.put(CTA_MARK, bigEndian: UInt32(7)) }
        if let left = timeout.left { message.put(CTA_TIMEOUT, bigEndian: left) }

        #expect(UInt32(Decoded(message.bytes).event.flags) == (timeout.isLeft ? CNF_TIME_LEFT.rawValue : 0))
        let both = CNF_BY_PROGRAM.rawValue | (timeout.isLeft ? CNF_TIME_LEFT.rawValue : 0)
        #expect(UInt32(Decoded(sent(message, port: 4711)).event.flags) == both)
    }

    @Test func `the reply's tuple is not taken for the original one`() {
        let original = Sample.tuple(.ipv4, IPPROTO_TCP, ports: (1, 2))
        var message = NetlinkMessage.conntrack(.new, family: .ipv4)
        message.put(Sample.tuple(.ipv6, IPPROTO_UDP, ports: (8, 9)), as: CTA_TUPLE_REPLY)
        message.put(original, as: CTA_TUPLE_ORIG)
        message.put(Sample.tuple(.ipv6, IPPROTO_UDP, ports: (6, 7)), as: CTA_TUPLE_MASTER)

        #expect(Decoded(message.bytes).event.tuple == original)
    }

    @Test func `a zone of the original direction alone counts`() {
        var message = NetlinkMessage.conntrack(.new, family: .ipv4)
        message.put(Sample.tuple(.ipv4, IPPROTO_UDP), as: CTA_TUPLE_ORIG) {
            $0.put(CTA_TUPLE_ZONE, bigEndian: UInt16(0x0304))
        }

        #expect(Decoded(message.bytes).event.zone == 0x0304)
    }

    @Test func `an SCTP state is no TCP state`() {
        var message = NetlinkMessage.conntrack(.update, Sample.tuple(.ipv4, IPPROTO_SCTP, ports: (1, 2)))
        message.nest(CTA_PROTOINFO) { outer in
            outer.nest(CTA_PROTOINFO_SCTP) { $0.put(CTA_PROTOINFO_SCTP_STATE, [3]) }
        }

        #expect(Int32(Decoded(message.bytes).event.tcp_state) == CNF_NO_TCP_STATE)
    }

    @Test(arguments: [0, NLM_F_CREATE, NLM_F_EXCL]) func `only both flags together make a message new`(_ flags: Int32) {
        var message = NetlinkMessage(
            subsystem: NFNL_SUBSYS_CTNETLINK, type: IPCTNL_MSG_CT_NEW.rawValue, flags: flags)
        message.put(Sample.tuple(.ipv4, IPPROTO_UDP), as: CTA_TUPLE_ORIG)

        #expect(UInt32(Decoded(message.bytes).event.kind) == CNF_UPDATE.rawValue)
    }

    @Test func `a last attribute without its padding is read in full`() {
        var message = NetlinkMessage.conntrack(.new, Sample.tuple(.ipv4, IPPROTO_UDP))
        message.putUnpadded(CTA_ZONE, [0x12, 0x34])
        let decoded = Decoded(message.bytes)

        #expect(message.bytes.count % 4 == 2)
        #expect(decoded.result == 1)
        #expect(decoded.event.zone == 0x1234)
    }

    @Test func `unknown attributes are passed over`() {
        var message = NetlinkMessage.conntrack(.new, family: .ipv4)
        message.put(CTA_LABELS, [UInt8](repeating: 0xff, count: 16))
        message.put(CTA_SECCTX, [UInt8](repeating: 0xff, count: 61))
        message.put(Future(rawValue: 0x3ffe), [1, 2, 3])
        message.put(Sample.tuple(.ipv4, IPPROTO_UDP, ports: (5, 6)), as: CTA_TUPLE_ORIG)
        let decoded = Decoded(message.bytes)

        #expect(decoded.result == 1)
        #expect(decoded.event.tuple == Sample.tuple(.ipv4, IPPROTO_UDP, ports: (5, 6)))
    }

    /// Subsystem and type of messages that are no entry's event.
    private static let others: [(Int32, UInt32)] = [
        (NFNL_SUBSYS_CTNETLINK_EXP, IPCTNL_MSG_EXP_NEW.rawValue),
        (NFNL_SUBSYS_CTNETLINK_EXP, IPCTNL_MSG_EXP_DELETE.rawValue),
        (NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET.rawValue),
        (NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET_STATS.rawValue),
        (NFNL_SUBSYS_QUEUE, 0),
        (0, UInt32(NLMSG_NOOP)),
        (0, UInt32(NLMSG_ERROR)),
        (0, UInt32(NLMSG_DONE)),
    ]

    @Test(arguments: others)
    func `expectations and what is no event are passed over`(_ subsystem: Int32, _ type: UInt32) {
        var message = NetlinkMessage(subsystem: subsystem, type: type)
        message.put(Sample.tuple(.ipv4, IPPROTO_UDP, ports: (5, 6)), as: CTA_TUPLE_ORIG)

        #expect(Decoded(message.bytes).result == 0)
    }
}

/// An attribute type that no kernel knows yet.
private struct Future: RawRepresentable {
    let rawValue: UInt32
}
