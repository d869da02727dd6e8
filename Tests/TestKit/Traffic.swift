// SPDX-License-Identifier: GPL-3.0-or-later

internal import CTestKit
internal import Glibc

/// An internet protocol.
public enum Family: String, Sendable, CaseIterable, CustomStringConvertible {
    /// IPv4.
    case ipv4
    /// IPv6.
    case ipv6

    /// AF_INET or AF_INET6.
    public var number: UInt8 {
        UInt8(self == .ipv4 ? AF_INET : AF_INET6)
    }

    /// How many bytes an address has.
    public var addressSize: Int {
        self == .ipv4 ? 4 : 16
    }

    /// "ipv4" or "ipv6".
    public var description: String { rawValue }
}

/// The original direction of a flow.
public struct FlowTuple: Sendable, Hashable, CustomStringConvertible {
    /// IPv4 or IPv6.
    public var family: Family
    /// IPPROTO_*.
    public var `protocol`: UInt8
    /// The address in network byte order, 4 or 16 bytes.
    public var source: [UInt8]
    /// The address in network byte order, 4 or 16 bytes.
    public var destination: [UInt8]
    /// 0 for protocols without ports; the identifier for ICMP.
    public var sourcePort: UInt16
    /// 0 for protocols without ports; type << 8 | code for ICMP.
    public var destinationPort: UInt16

    /// A tuple of its parts.
    public init(
        family: Family, protocol: UInt8, source: [UInt8], destination: [UInt8], sourcePort: UInt16 = 0,
        destinationPort: UInt16 = 0
    ) {
        self.family = family
        self.protocol = `protocol`
        self.source = source
        self.destination = destination
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
    }

    init(_ tuple: ctk_tuple) {
        family = Int32(tuple.family) == AF_INET ? .ipv4 : .ipv6
        self.protocol = tuple.protocol
        let size = family.addressSize
        source = withUnsafeBytes(of: tuple.source) { Array($0.prefix(size)) }
        destination = withUnsafeBytes(of: tuple.destination) { Array($0.prefix(size)) }
        sourcePort = tuple.source_port
        destinationPort = tuple.destination_port
    }

    /// As in "ipv4 6 [127, 0, 0, 1]:40001 -> [127, 0, 0, 1]:40000".
    public var description: String {
        "\(family) \(self.protocol) \(source):\(sourcePort) -> \(destination):\(destinationPort)"
    }
}

/// Flows made inside a namespace on loopback by real sockets. They give entries where `trackConnections` was called.
extension TestNamespace {
    /// `count` TCP connections, one after the other: connect, accept, a byte each way, both ends closed.
    public func tcpFlows(_ family: Family, count: Int = 1) throws -> [FlowTuple] {
        try flows("TCP flow", count) { ctk_tcp_flow(Int32(family.number), $0) }
    }

    /// `count` UDP exchanges, one after the other: a datagram each way.
    public func udpFlows(_ family: Family, count: Int = 1) throws -> [FlowTuple] {
        try flows("UDP flow", count) { ctk_udp_flow(Int32(family.number), $0) }
    }

    /// An ICMP or ICMPv6 echo request, answered by the kernel.
    public func echo(_ family: Family, identifier: UInt16) throws -> FlowTuple {
        try flow("echo") { ctk_echo(Int32(family.number), identifier, $0) }
    }

    /// One packet of any IP protocol, `payload` being what follows the IP header. The tuple's ports are left 0, as
    /// only the kernel's tracker knows whether it reads some from the payload.
    public func sendRaw(_ family: Family, protocol: UInt8, payload: [UInt8]) throws -> FlowTuple {
        try flow("raw packet") {
            ctk_send_raw(Int32(family.number), Int32(`protocol`), payload, payload.count, $0)
        }
    }

    /// A UDP datagram from each of `ports` of one IPv4 address, which is the namespace's, to a port of another one; how many
    /// were sent.
    public func spray(
        from source: UInt32, to destination: UInt32, _ port: UInt16, ports: Range<UInt16>
    ) throws -> Int {
        try run {
            let count = UInt16(ports.count)
            return Int(try SystemError.check("spray", ctk_spray(source, destination, port, ports.lowerBound, count)))
        }
    }

    /// Makes UDP entries `first..<first + count` by ctnetlink, without a packet; returns how many the kernel accepted.
    /// `assured`: a full table does not evict them for new ones.
    public func makeEntries(
        first: UInt32 = 0, count: UInt32, timeoutSeconds: UInt32 = 600, assured: Bool = false
    ) throws -> UInt64 {
        try run {
            var made: UInt64 = 0
            let make = assured ? ctk_make_assured_entries : ctk_make_entries
            try SystemError.check("make entries", make(first, count, timeoutSeconds, &made))
            return made
        }
    }

    /// Deletes entries that `makeEntries` made; returns how many were there.
    public func deleteEntries(first: UInt32 = 0, count: UInt32) throws -> UInt64 {
        try run {
            var deleted: UInt64 = 0
            try SystemError.check("delete entries", ctk_delete_entries(first, count, &deleted))
            return deleted
        }
    }

    /// Deletes every entry of the namespace.
    public func flushEntries() throws {
        try run {
            _ = try SystemError.check("flush entries", ctk_flush_entries())
        }
    }

    private func flow(
        _ what: String, _ make: @Sendable (UnsafeMutablePointer<ctk_tuple>) -> Int32
    ) throws -> FlowTuple {
        try run {
            var tuple = ctk_tuple()
            try SystemError.check(what, make(&tuple))
            return FlowTuple(tuple)
        }
    }

    private func flows(
        _ what: String, _ count: Int, _ make: @Sendable (UnsafeMutablePointer<ctk_tuple>) -> Int32
    ) throws -> [FlowTuple] {
        try (0..<count).map { _ in try flow(what, make) }
    }
}
