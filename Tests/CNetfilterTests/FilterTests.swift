// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import Glibc
internal import TestKit
internal import Testing

/// `cnf_filter`: an entry and an event of the same message are wanted alike.
@Suite struct FilterTests {
    /// 198.51.100.7:4660 to 203.0.113.9:443, translated to 192.0.2.1:8443 behind it, in zone 2570.
    private var message: NetlinkMessage {
        var message = NetlinkMessage.conntrack(.update, family: .ipv4)
        message.put(Sample.tuple(.ipv4, IPPROTO_TCP, ports: (4660, 443)), as: CTA_TUPLE_ORIG)
        var reply = Sample.tuple(.ipv4, IPPROTO_TCP, ports: (4660, 443)).turned
        (reply.source, reply.sourcePort) = ([192, 0, 2, 1], 8443)
        message.put(reply, as: CTA_TUPLE_REPLY)
        message.put(CTA_STATUS, bigEndian: UInt32(0x0e))
        message.nest(CTA_PROTOINFO) { outer in
            outer.nest(CTA_PROTOINFO_TCP) { $0.put(CTA_PROTOINFO_TCP_STATE, [3]) }
        }
        message.put(CTA_MARK, bigEndian: UInt32(0x1234))
        message.put(CTA_ZONE, bigEndian: UInt16(2570))
        return message
    }

    private func wants(_ change: (inout cnf_filter) -> Void) -> Bool {
        var filter = cnf_filter()
        change(&filter)
        let bytes = message.bytes
        var entry = DecodedEntry(bytes).entry
        var event = Decoded(bytes).event
        let (one, other) = (
            cnf_filter_wants(&filter, &entry), cnf_filter_wants_event(&filter, &event, bytes, bytes.count)
        )
        #expect(one == other)
        return one != 0
    }

    private func prefix(_ bytes: [UInt8], mask: [UInt8], family: Int32 = AF_INET) -> cnf_prefix {
        var prefix = cnf_prefix()
        prefix.family = UInt8(family)
        withUnsafeMutableBytes(of: &prefix.address) { $0.copyBytes(from: bytes) }
        withUnsafeMutableBytes(of: &prefix.mask) { $0.copyBytes(from: mask) }
        return prefix
    }

    @Test func `a filter that asks for nothing wants everything`() {
        #expect(wants { _ in })
    }

    @Test func `addresses of both directions are compared as far as the mask goes`() {
        let (net, whole): ([UInt8], [UInt8]) = ([255, 255, 255, 0], [255, 255, 255, 255])
        #expect(wants { $0.source = prefix([198, 51, 100, 0], mask: net) })
        #expect(!wants { $0.source = prefix([198, 51, 101, 0], mask: net) })
        #expect(wants { $0.destination = prefix([203, 0, 113, 9], mask: whole) })
        #expect(!wants { $0.destination = prefix([203, 0, 113, 8], mask: whole) })
        #expect(wants { $0.reply_source = prefix([192, 0, 2, 1], mask: whole) })
        #expect(!wants { $0.reply_source = prefix([203, 0, 113, 9], mask: whole) })
        #expect(wants { $0.reply_destination = prefix([198, 51, 100, 7], mask: whole) })
        #expect(!wants { $0.reply_destination = prefix([198, 51, 100, 6], mask: whole) })
        // Any address, but of the other family.
        #expect(!wants { $0.source = prefix([], mask: [], family: AF_INET6) })
    }

    @Test(
        arguments: [
            (CNF_BY_SOURCE_PORT, 4660, 443), (CNF_BY_DESTINATION_PORT, 443, 8443),
            (CNF_BY_REPLY_SOURCE_PORT, 8443, 443),
            (CNF_BY_REPLY_DESTINATION_PORT, 4660, 8443),
        ] as [(cnf_filter_bit, UInt16, UInt16)])
    func `each port is its own`(_ bit: cnf_filter_bit, _ port: UInt16, _ other: UInt16) {
        func wantsPort(_ port: UInt16) -> Bool {
            wants {
                $0.given = bit.rawValue
                $0.ports = (port, port, port, port)
            }
        }
        #expect(wantsPort(port))
        #expect(!wantsPort(other))
    }

    @Test func `numbers, bits and states are compared`() {
        #expect(wants { $0.family = UInt8(AF_INET) })
        #expect(!wants { $0.family = UInt8(AF_INET6) })
        #expect(wants { ($0.given, $0.protocols.0) = (CNF_BY_PROTOCOL.rawValue, 1 << 6 | 1 << 17) })
        #expect(!wants { ($0.given, $0.protocols.0) = (CNF_BY_PROTOCOL.rawValue, 1 << 17) })
        #expect(wants { ($0.given, $0.tcp_state) = (CNF_BY_TCP_STATE.rawValue, 3) })
        #expect(!wants { ($0.given, $0.tcp_state) = (CNF_BY_TCP_STATE.rawValue, 7) })
        #expect(wants { ($0.given, $0.zone) = (CNF_BY_ZONE.rawValue, 2570) })
        #expect(!wants { ($0.given, $0.zone) = (CNF_BY_ZONE.rawValue, 0) })
        #expect(wants { ($0.status_set, $0.status_clear) = (0x06, 0x4000) })
        #expect(!wants { $0.status_set = 0x4002 })
        #expect(!wants { $0.status_clear = 0x02 })
        #expect(wants { ($0.mark, $0.mark_mask) = (0x34, 0xff) })
        #expect(!wants { ($0.mark, $0.mark_mask) = (0x34, 0xffff) })
    }

    @Test func `what is translated is told by both directions`() {
        #expect(wants { $0.given = CNF_BY_ANY_NAT.rawValue })
        #expect(wants { $0.given = CNF_BY_DESTINATION_NAT.rawValue })
        #expect(!wants { $0.given = CNF_BY_SOURCE_NAT.rawValue })
    }

    @Test(arguments: Sample.tuples)
    func `a reply that is the original turned round is not translated`(_ tuple: FlowTuple) {
        var filter = cnf_filter()
        filter.given = CNF_BY_ANY_NAT.rawValue
        var entry = DecodedEntry(NetlinkMessage.conntrack(.update, tuple).bytes).entry
        if [IPPROTO_ICMP, IPPROTO_ICMPV6].contains(Int(tuple.protocol)) {
            // An echo's reply has its id in the same place.
            (entry.reply.source_port, entry.reply.destination_port) = (entry.original.source_port, 0)
        }

        #expect(cnf_filter_wants(&filter, &entry) == 0)
    }

    @Test func `what is wanted of a batch stays in its order`() {
        var entries = (0..<6).map { mark in
            var entry = cnf_entry()
            entry.mark = UInt32(mark)
            return entry
        }
        var filter = cnf_filter()
        (filter.mark, filter.mark_mask) = (1, 1)

        #expect(cnf_filter_keep(&filter, &entries, entries.count) == 3)
        #expect(entries.prefix(3).map(\.mark) == [1, 3, 5])
    }
}
