// SPDX-License-Identifier: GPL-3.0-or-later

internal import CTestKit
internal import Glibc

/// Builds the bytes of an nfnetlink message, attribute by attribute, as the kernel lays them out.
///
///     var message = NetlinkMessage.conntrack(.new, tuple)
///     message.put(CTA_MARK, bigEndian: UInt32(7))
///     message.bytes
public struct NetlinkMessage: Sendable {
    /// The event a message stands for.
    public enum Event: String, Sendable, CaseIterable {
        /// IPCTNL_MSG_CT_NEW with NLM_F_CREATE | NLM_F_EXCL.
        case new
        /// IPCTNL_MSG_CT_NEW without them.
        case update
        /// IPCTNL_MSG_CT_DELETE.
        case destroy
    }

    private var content: [UInt8]

    /// The header and nothing else; `subsystem` and `type` as in NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW.
    public init(subsystem: Int32, type: UInt32, flags: Int32 = 0, family: Family = .ipv4) {
        content = [0, 0, 0, 0]
        appendNative(UInt16(subsystem) << 8 | UInt16(type))
        appendNative(UInt16(flags))
        appendNative(UInt32(0))  // sequence
        appendNative(UInt32(0))  // port: the kernel
        content += [family.number, UInt8(NFNETLINK_V0), 0, 0]
    }

    /// An event with the tuples of both directions and nothing else.
    public static func conntrack(_ event: Event, _ tuple: FlowTuple) -> NetlinkMessage {
        var message = NetlinkMessage.conntrack(event, family: tuple.family)
        message.put(tuple, as: CTA_TUPLE_ORIG)
        var reply = tuple
        swap(&reply.source, &reply.destination)
        swap(&reply.sourcePort, &reply.destinationPort)
        message.put(reply, as: CTA_TUPLE_REPLY)
        return message
    }

    /// An event without any attribute.
    public static func conntrack(_ event: Event, family: Family) -> NetlinkMessage {
        let type = event == .destroy ? IPCTNL_MSG_CT_DELETE : IPCTNL_MSG_CT_NEW
        let flags = event == .new ? NLM_F_CREATE | NLM_F_EXCL : 0
        return NetlinkMessage(subsystem: NFNL_SUBSYS_CTNETLINK, type: type.rawValue, flags: flags, family: family)
    }

    /// The message with its length set: the sum of what was put, padding included.
    public var bytes: [UInt8] {
        bytes(claiming: content.count)
    }

    /// The message with the given length in its header, whatever it really has.
    public func bytes(claiming length: Int) -> [UInt8] {
        var result = content
        withUnsafeBytes(of: UInt32(length)) { result.replaceSubrange(0..<4, with: $0) }
        return result
    }

    /// Appends raw bytes: a broken attribute, a tail.
    public mutating func append(_ raw: [UInt8]) {
        content += raw
    }

    /// An attribute and its padding. `type` is a constant such as CTA_MARK.
    public mutating func put(_ type: some RawRepresentable<UInt32>, _ payload: [UInt8]) {
        put(type, payload, padded: true)
    }

    /// An attribute without the padding after it: as the last one it leaves the message with an unaligned length.
    public mutating func putUnpadded(_ type: some RawRepresentable<UInt32>, _ payload: [UInt8]) {
        put(type, payload, padded: false)
    }

    /// An integer in network byte order.
    public mutating func put(_ type: some RawRepresentable<UInt32>, bigEndian value: some FixedWidthInteger) {
        put(type, withUnsafeBytes(of: value.bigEndian) { Array($0) })
    }

    /// An attribute that holds others (NLA_F_NESTED is set).
    public mutating func nest(_ type: some RawRepresentable<UInt32>, _ body: (inout NetlinkMessage) -> Void) {
        let start = content.count
        appendNative(UInt16(0))
        appendNative(UInt16(type.rawValue) | UInt16(1) << 15)
        body(&self)
        withUnsafeBytes(of: UInt16(content.count - start)) { content.replaceSubrange(start..<start + 2, with: $0) }
    }

    /// A tuple as CTA_TUPLE_ORIG or CTA_TUPLE_REPLY, with what the protocol puts into it: ports, or ICMP's three.
    public mutating func put(
        _ tuple: FlowTuple, as type: some RawRepresentable<UInt32>, with more: (inout NetlinkMessage) -> Void = { _ in }
    ) {
        let v4 = tuple.family == .ipv4
        nest(type) { message in
            message.nest(CTA_TUPLE_IP) {
                $0.put(v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, tuple.source)
                $0.put(v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, tuple.destination)
            }
            message.nest(CTA_TUPLE_PROTO) { $0.putProtocol(of: tuple) }
            more(&message)
        }
    }

    private mutating func putProtocol(of tuple: FlowTuple) {
        put(CTA_PROTO_NUM, [tuple.protocol])
        let kind = UInt8(tuple.destinationPort >> 8)
        let code = UInt8(truncatingIfNeeded: tuple.destinationPort)
        switch Int(tuple.protocol) {
        case IPPROTO_ICMP:
            put(CTA_PROTO_ICMP_ID, bigEndian: tuple.sourcePort)
            put(CTA_PROTO_ICMP_TYPE, [kind])
            put(CTA_PROTO_ICMP_CODE, [code])
        case IPPROTO_ICMPV6:
            put(CTA_PROTO_ICMPV6_ID, bigEndian: tuple.sourcePort)
            put(CTA_PROTO_ICMPV6_TYPE, [kind])
            put(CTA_PROTO_ICMPV6_CODE, [code])
        case IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_DCCP, IPPROTO_GRE, IPPROTO_UDPLITE:
            put(CTA_PROTO_SRC_PORT, bigEndian: tuple.sourcePort)
            put(CTA_PROTO_DST_PORT, bigEndian: tuple.destinationPort)
        default:
            break  // the generic tracker puts the protocol's number alone
        }
    }

    private mutating func put(_ type: some RawRepresentable<UInt32>, _ payload: [UInt8], padded: Bool) {
        appendNative(UInt16(payload.count + 4))
        appendNative(UInt16(type.rawValue))
        content += payload
        if padded {
            content += [UInt8](repeating: 0, count: (4 - payload.count % 4) % 4)
        }
    }

    private mutating func appendNative(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value) { content += $0 }
    }
}
