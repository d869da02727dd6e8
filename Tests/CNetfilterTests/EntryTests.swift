// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import Glibc
internal import TestKit
internal import Testing

@Suite struct EntryTests {
    @Test(arguments: Sample.tuples)
    func `a message gives both its tuples`(_ tuple: FlowTuple) {
        let decoded = DecodedEntry(NetlinkMessage.conntrack(.update, tuple).bytes)

        #expect(decoded.result == 1)
        #expect(decoded.original == tuple)
        #expect(decoded.reply == tuple.turned)
    }

    @Test func `a translated reply is not the original turned round`() {
        let original = Sample.tuple(.ipv4, IPPROTO_TCP, ports: (1, 2))
        let reply = Sample.tuple(.ipv4, IPPROTO_TCP, ports: (8, 9))
        var message = NetlinkMessage.conntrack(.update, family: .ipv4)
        message.put(reply, as: CTA_TUPLE_REPLY)
        message.put(original, as: CTA_TUPLE_ORIG)
        message.put(Sample.tuple(.ipv6, IPPROTO_UDP, ports: (6, 7)), as: CTA_TUPLE_MASTER)
        let decoded = DecodedEntry(message.bytes)

        #expect(decoded.result == 1)
        #expect(decoded.original == original)
        #expect(decoded.reply == reply)
    }

    @Test func `what a message does not say is zero, its TCP state and timeout are none`() {
        let entry = DecodedEntry(NetlinkMessage.conntrack(.update, Sample.tuple(.ipv4, 253)).bytes).entry

        #expect(entry.status == 0)
        #expect(entry.id == 0)
        #expect(entry.mark == 0)
        #expect(entry.zone == 0)
        #expect(entry.reserved == 0)
        #expect(entry.reply_zone == 0)
        #expect(entry.timeout == CNF_NO_TIMEOUT)
        #expect(Int32(entry.tcp_state) == CNF_NO_TCP_STATE)
        let unused = withUnsafeBytes(of: entry) { bytes in [4..<16, 20..<36, 40..<52, 56..<72].flatMap { bytes[$0] } }
        #expect(unused.allSatisfy { $0 == 0 })
    }

    @Test func `every attribute lands in its field, in host byte order`() {
        let decoded = DecodedEntry(Sample.full.bytes)

        #expect(decoded.result == 1)
        #expect(decoded.entry.status == 0x18e)
        #expect(decoded.entry.timeout == 432000)
        #expect(decoded.entry.tcp_state == 3)
        #expect(decoded.entry.mark == 0xdead_beef)
        #expect(decoded.entry.id == 0x0102_0304)
        #expect(decoded.entry.zone == 0x0a0b)
    }

    @Test(arguments: [(CTA_TUPLE_ORIG, 0x0304), (CTA_TUPLE_REPLY, 0)] as [(ctattr_type, UInt16)])
    func `a zone of one direction counts when that is the original one`(_ direction: ctattr_type, _ zone: UInt16) {
        let tuple = Sample.tuple(.ipv4, IPPROTO_UDP)
        var message = NetlinkMessage.conntrack(.update, family: .ipv4)
        for (type, tuple) in [(CTA_TUPLE_ORIG, tuple), (CTA_TUPLE_REPLY, tuple.turned)] {
            message.put(tuple, as: type) {
                if type == direction { $0.put(CTA_TUPLE_ZONE, bigEndian: UInt16(0x0304)) }
            }
        }

        #expect(DecodedEntry(message.bytes).entry.zone == zone)
    }

    @Test func `an SCTP state is no TCP state`() {
        var message = NetlinkMessage.conntrack(.update, Sample.tuple(.ipv4, IPPROTO_SCTP, ports: (1, 2)))
        message.nest(CTA_PROTOINFO) { outer in
            outer.nest(CTA_PROTOINFO_SCTP) { $0.put(CTA_PROTOINFO_SCTP_STATE, [3]) }
        }

        #expect(Int32(DecodedEntry(message.bytes).entry.tcp_state) == CNF_NO_TCP_STATE)
    }

    /// Subsystem and type of messages that are no entry's.
    private static let others: [(Int32, UInt32)] = [
        (NFNL_SUBSYS_CTNETLINK_EXP, IPCTNL_MSG_EXP_NEW.rawValue),
        (NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE.rawValue),
        (NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET.rawValue),
        (0, UInt32(NLMSG_NOOP)), (0, UInt32(NLMSG_ERROR)), (0, UInt32(NLMSG_DONE)),
    ]

    @Test(arguments: others)
    func `what is no entry is passed over`(_ subsystem: Int32, _ type: UInt32) {
        #expect(DecodedEntry(NetlinkMessage(subsystem: subsystem, type: type).bytes).result == 0)
    }
}

/// `cnf_decode_entry` on bytes that no kernel sends.
@Suite struct BrokenEntryTests {
    @Test func `every prefix of a message is refused, and nothing beyond it is read`() {
        let whole = Sample.full.bytes
        for length in 0..<whole.count {
            #expect(DecodedEntry(Array(whole[..<length])).result == -EBADMSG, "\(length) bytes")
        }
    }

    @Test func `a header that claims too little or too much is refused`() {
        let size = Sample.full.bytes.count
        for claim in Array(0..<Sample.headers) + [size + 1, size + 4, 65536, Int(Int32.max), Int(UInt32.max)] {
            #expect(DecodedEntry(Sample.full.bytes(claiming: claim)).result == -EBADMSG, "\(claim)")
        }
    }

    @Test(arguments: [[], [CTA_TUPLE_ORIG], [CTA_TUPLE_REPLY]])
    func `a message without both tuples is refused`(_ tuples: [ctattr_type]) {
        var message = NetlinkMessage.conntrack(.update, family: .ipv4)
        for type in tuples { message.put(Sample.tuple(.ipv4, IPPROTO_UDP), as: type) }

        #expect(DecodedEntry(message.bytes).result == -EBADMSG)
    }

    @Test(arguments: [CTA_TUPLE_ORIG, CTA_TUPLE_REPLY])
    func `a tuple told twice is refused`(_ type: ctattr_type) {
        var message = NetlinkMessage.conntrack(.update, Sample.tuple(.ipv4, IPPROTO_UDP))
        message.put(Sample.tuple(.ipv4, IPPROTO_UDP), as: type)

        #expect(DecodedEntry(message.bytes).result == -EBADMSG)
    }

    @Test func `addresses told twice are refused, though the first did not hold together`() {
        for source in [CTA_IP_V6_SRC, CTA_IP_V4_DST] {
            var message = NetlinkMessage.conntrack(.update, family: .ipv4)
            message.nest(CTA_TUPLE_ORIG) { tuple in
                tuple.nest(CTA_TUPLE_IP) { $0.put(source, [UInt8](repeating: 9, count: 16)) }
                tuple.nest(CTA_TUPLE_IP) {
                    $0.put(CTA_IP_V4_SRC, [1, 2, 3, 4])
                    $0.put(CTA_IP_V4_DST, [5, 6, 7, 8])
                }
            }
            message.put(Sample.tuple(.ipv4, IPPROTO_UDP), as: CTA_TUPLE_REPLY)
            #expect(DecodedEntry(message.bytes).result == -EBADMSG)
        }
    }

    @Test func `tuples of two families are refused`() {
        var message = NetlinkMessage.conntrack(.update, family: .ipv4)
        message.put(Sample.tuple(.ipv4, IPPROTO_UDP), as: CTA_TUPLE_ORIG)
        message.put(Sample.tuple(.ipv6, IPPROTO_UDP), as: CTA_TUPLE_REPLY)

        #expect(DecodedEntry(message.bytes).result == -EBADMSG)
    }

    @Test(arguments: [0, 3, 5, 16])
    func `addresses of a wrong size are refused`(_ size: Int) {
        var tuple = Sample.tuple(.ipv4, IPPROTO_UDP)
        tuple.source = [UInt8](repeating: 1, count: size)

        #expect(DecodedEntry(NetlinkMessage.conntrack(.update, tuple).bytes).result == -EBADMSG)
    }

    @Test func `every single byte changed to any of a few values is survived, and both tuples stay within a family`() {
        let whole = Sample.full.bytes
        for index in whole.indices {
            for value: UInt8 in [0, 1, 3, 4, 5, 0x7f, 0x80, 0xff] {
                var bytes = whole
                bytes[index] = value
                let decoded = DecodedEntry(bytes)
                #expect([1, 0, -EBADMSG].contains(decoded.result))
                if decoded.result == 1 { #expect(decoded.original != nil, "byte \(index) = \(value)") }
            }
        }
    }
}
