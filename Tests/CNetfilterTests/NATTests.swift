// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import Glibc
internal import TestKit
internal import Testing

/// What NAT made of an event's entry, where the second half of an IPv6 address would be.
@Suite struct NATTests {
    private static let sourceNAT: UInt32 = 1 << 4
    private static let destinationNAT: UInt32 = 1 << 5

    private func tuple(_ source: [UInt8], _ destination: [UInt8], _ ports: (UInt16, UInt16), _ number: Int) -> FlowTuple
    {
        FlowTuple(
            family: .ipv4, protocol: UInt8(number), source: source, destination: destination, sourcePort: ports.0,
            destinationPort: ports.1)
    }

    /// 10.0.0.5:1234 to 203.0.113.1:80, which really is 198.51.100.7:8080, as 192.0.2.1:4660.
    private func message(
        _ kind: NetlinkMessage.Event = .new, protocol number: Int = IPPROTO_TCP, status: UInt32? = sourceNAT,
        zone: UInt16? = nil, replyZone: UInt16? = nil, hasReply: Bool = true, statusFirst: Bool = false
    ) -> NetlinkMessage {
        var message = NetlinkMessage.conntrack(kind, family: .ipv4)
        if statusFirst, let status { message.put(CTA_STATUS, bigEndian: status) }
        message.put(tuple([10, 0, 0, 5], [203, 0, 113, 1], (1234, 80), number), as: CTA_TUPLE_ORIG)
        if hasReply {
            message.put(tuple([198, 51, 100, 7], [192, 0, 2, 1], (8080, 4660), number), as: CTA_TUPLE_REPLY) {
                if let replyZone { $0.put(CTA_TUPLE_ZONE, bigEndian: replyZone) }
            }
        }
        if let zone { message.put(CTA_ZONE, bigEndian: zone) }
        message.put(CTA_ID, bigEndian: UInt32(7))
        if !statusFirst, let status { message.put(CTA_STATUS, bigEndian: status) }
        return message
    }

    private func expected(zone: UInt16 = 0) -> [UInt8] {
        let nat = cnf_nat(port: 8080, nat_port: 4660, zone: zone, reserved: 0)
        return [192, 0, 2, 1, 198, 51, 100, 7] + withUnsafeBytes(of: nat) { Array($0) }
    }

    private func nat(_ message: NetlinkMessage) -> [UInt8] {
        let decoded = Decoded(message.bytes)
        #expect(decoded.result == 1)
        #expect(Array(decoded.event.sourceBytes.prefix(4)) == [10, 0, 0, 5])
        #expect(Array(decoded.event.destinationBytes.prefix(4)) == [203, 0, 113, 1])
        #expect(
            decoded.event.sourceBytes[4..<8] + decoded.event.destinationBytes[4..<8]
                == [UInt8](repeating: 0, count: 8)[...])
        return Array(decoded.event.sourceBytes[8...] + decoded.event.destinationBytes[8...])
    }

    @Test(arguments: NetlinkMessage.Event.allCases, [IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP])
    func `an entry whose source is translated says what became of it`(_ kind: NetlinkMessage.Event, _ number: Int) {
        #expect(nat(message(kind, protocol: number)) == expected())
        #expect(nat(message(kind, protocol: number, status: 0x1be)) == expected())
        #expect(nat(message(kind, protocol: number, zone: 9)) == expected(zone: 9))
    }

    @Test func `attributes in another order say the same`() {
        #expect(nat(message(statusFirst: true)) == expected())
        #expect(nat(message(zone: 5, statusFirst: true)) == expected(zone: 5))
    }

    @Test func `the reply's own zone is the one by which ports are apart`() {
        #expect(nat(message(replyZone: 3)) == expected(zone: 3))
    }

    @Test(arguments: [nil, 0, destinationNAT, 0x18e] as [UInt32?])
    func `an entry whose source is not translated says nothing of it`(_ status: UInt32?) {
        #expect(nat(message(status: status)).allSatisfy { $0 == 0 })
    }

    @Test func `without a reply nothing is said of NAT`() {
        #expect(nat(message(hasReply: false)).allSatisfy { $0 == 0 })
    }

    @Test func `of an IPv6 entry both addresses are whole`() {
        var message = NetlinkMessage.conntrack(.new, Sample.tuple(.ipv6, IPPROTO_TCP, ports: (1, 2)))
        let plain = Decoded(message.bytes).event
        message.put(CTA_STATUS, bigEndian: NATTests.sourceNAT)
        let event = Decoded(message.bytes).event

        #expect(event.sourceBytes == plain.sourceBytes)
        #expect(event.destinationBytes == plain.destinationBytes)
    }

    @Test func `a reply cut anywhere breaks nothing but itself`() {
        let whole = message().bytes
        for length in 20..<whole.count {
            _ = Decoded(NetlinkMessage.cut(whole, to: length))
        }
    }

    @Test func `a dump's entry has the zone of each direction`() {
        var entry = cnf_entry()
        let bytes = message(replyZone: 3).bytes
        #expect(cnf_decode_entry(bytes, bytes.count, &entry) == 1)
        #expect(entry.zone == 0)
        #expect(entry.reply_zone == 3)
        let both = message(zone: 9).bytes
        #expect(cnf_decode_entry(both, both.count, &entry) == 1)
        #expect(entry.zone == 9)
        #expect(entry.reply_zone == 9)
    }
}

extension NetlinkMessage {
    /// The first bytes of a message, with their number in its header.
    fileprivate static func cut(_ bytes: [UInt8], to length: Int) -> [UInt8] {
        var cut = Array(bytes.prefix(length))
        withUnsafeBytes(of: UInt32(length)) { cut.replaceSubrange(0..<4, with: $0) }
        return cut
    }
}
