// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import Glibc
internal import TestKit

/// What the decoder made of some bytes.
struct Decoded {
    let result: Int32
    let event: cnf_event

    /// Decodes a copy that ends right before a forbidden page: a byte read too far ends the test run.
    init(_ bytes: [UInt8], time: UInt64 = 0) {
        var event = cnf_event()
        // Whatever the decoder does not set would otherwise look right by being zero.
        withUnsafeMutableBytes(of: &event) { _ = $0.initializeMemory(as: UInt8.self, repeating: 0xa5) }
        let copy = ctk_guarded_copy(bytes, bytes.count)
        defer { ctk_guarded_free(copy, bytes.count) }
        result = copy.map { cnf_decode($0, bytes.count, time, &event) } ?? -ENOMEM
        self.event = event
    }
}

extension cnf_event {
    /// The tuple, its addresses as long as the family says; nil for an unknown family.
    var tuple: FlowTuple? {
        guard let family = Family.allCases.first(where: { $0.number == self.family }) else { return nil }
        return FlowTuple(
            family: family, protocol: self.protocol,
            source: Array(sourceBytes.prefix(family.addressSize)),
            destination: Array(destinationBytes.prefix(family.addressSize)),
            sourcePort: source_port, destinationPort: destination_port)
    }

    var sourceBytes: [UInt8] { withUnsafeBytes(of: source, Array.init) }
    var destinationBytes: [UInt8] { withUnsafeBytes(of: destination, Array.init) }
}

/// An entry in the library's words, from a guarded copy likewise; nil when it refuses.
func libraryText(_ bytes: [UInt8]) -> String? {
    var text = [CChar](repeating: 0, count: 2048)
    let copy = ctk_guarded_copy(bytes, bytes.count)
    defer { ctk_guarded_free(copy, bytes.count) }
    guard let copy, cnf_text(copy, bytes.count, &text, text.count) >= 0 else { return nil }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Tuples for tables, one for each protocol and family.
enum Sample {
    /// Where the attributes begin: after the netlink and the nfnetlink header.
    static let headers = 20

    static func tuple(_ family: Family, _ number: Int, ports: (UInt16, UInt16) = (0, 0)) -> FlowTuple {
        let v4 = family == .ipv4
        return FlowTuple(
            family: family, protocol: UInt8(number),
            source: v4 ? [198, 51, 100, 7] : [0x20, 1, 0x0d, 0xb8] + Array(1...12),
            destination: v4 ? [203, 0, 113, 9] : [0x20, 1, 0x0d, 0xb8] + Array(101...112),
            sourcePort: ports.0, destinationPort: ports.1)
    }

    /// Port pairs whose bytes all differ, so that an order mistaken anywhere shows.
    static let tuples: [FlowTuple] = Family.allCases.flatMap { family in
        [
            tuple(family, IPPROTO_TCP, ports: (0x1234, 0x5678)),
            tuple(family, IPPROTO_UDP, ports: (0x9abc, 0x0035)),
            tuple(family, IPPROTO_SCTP, ports: (0x0203, 0x0405)),
            tuple(family, IPPROTO_DCCP, ports: (0xfedc, 0x1389)),
            tuple(family, IPPROTO_UDPLITE, ports: (0x0a0b, 0x0c0d)),
            tuple(family, IPPROTO_GRE, ports: (0x1122, 0x3344)),
            tuple(family, IPPROTO_ICMP, ports: (0x4321, 0x0800)),
            tuple(family, IPPROTO_ICMPV6, ports: (0x4321, 0x8001)),
            tuple(family, 253),
        ]
    }

    /// A message with every attribute that the decoder knows.
    static var full: NetlinkMessage {
        var message = NetlinkMessage.conntrack(.update, tuple(.ipv6, IPPROTO_TCP, ports: (0x1234, 0x5678)))
        message.put(CTA_STATUS, bigEndian: UInt32(0x0000_018e))
        message.put(CTA_TIMEOUT, bigEndian: UInt32(432000))
        message.nest(CTA_PROTOINFO) { outer in
            outer.nest(CTA_PROTOINFO_TCP) { $0.put(CTA_PROTOINFO_TCP_STATE, [3]) }
        }
        message.put(CTA_MARK, bigEndian: UInt32(0xdead_beef))
        message.put(CTA_ID, bigEndian: UInt32(0x0102_0304))
        message.put(CTA_ZONE, bigEndian: UInt16(0x0a0b))
        return message
    }
}
