// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import CSystem
internal import CTestKit
internal import Glibc
internal import TestKit
internal import Testing

private enum Unknown: UInt32 {
    case attribute = 0x3fff
}

/// The BPF ring on the running kernel.
@Suite(.enabled(if: Requirement.met(.initialRoot)))
struct RingTests {
    private static let all = [CNF_GROUP_NEW, CNF_GROUP_UPDATE, CNF_GROUP_DESTROY]
    private static let page = UInt32(getpagesize())

    private func open(_ namespace: TestNamespace, ring: UInt32, groups: [cnf_group] = all) throws -> EventSocket {
        try namespace.run { try EventSocket(ring: ring, groups: groups) }
    }

    private func isReadable(_ socket: EventSocket) -> Bool {
        var poller = pollfd(fd: cnf_events_descriptor(socket.handle), events: Int16(POLLIN), revents: 0)
        return poll(&poller, 1, 0) == 1
    }

    /// Multicasts what the kernel did not make.
    private func forge(_ namespace: TestNamespace, _ message: [UInt8]) throws {
        try namespace.run {
            _ = try SystemError.check("forge", ctk_forge(message, message.count, Int32(NFNLGRP_CONNTRACK_NEW.rawValue)))
        }
    }

    @Test func `the ring has the size that was asked for, rounded up to a power of two`() throws {
        let namespace = try TestNamespace()
        for (asked, has) in [(1, Self.page), (Self.page + 1, 2 * Self.page), (1 << 20, 1 << 20)] as [(UInt32, UInt32)] {
            let socket = try open(namespace, ring: asked)
            #expect(cnf_events_ring_size(socket.handle) == has)
        }
    }

    @Test func `nothing is queued on the socket, and the ring decodes to what a socket decodes to`() throws {
        let namespace = try TestNamespace()
        try namespace.trackConnections()
        let ring = try open(namespace, ring: 1 << 20)
        let socket = try namespace.run { try EventSocket(groups: Self.all) }
        for family in Family.allCases {
            _ = try namespace.tcpFlows(family, count: 3)
            _ = try namespace.udpFlows(family, count: 3)
            _ = try namespace.echo(family, identifier: 7)
        }
        try namespace.flushEntries()

        let (taken, received) = (ring.pump(slots: 1024), socket.pump(slots: 1024))
        #expect(received.events.count > 14 * 2)
        let bytes = { (event: cnf_event) in withUnsafeBytes(of: event) { Array($0) } }
        // A socket hands out 64 at a time.
        var rest = received.events
        while rest.count < taken.events.count {
            let more = socket.pump(slots: 1024).events
            if more.isEmpty { break }
            rest += more
        }
        #expect(taken.events.map(bytes) == rest.map(bytes))
        #expect(taken.datagrams == taken.events.count)
        #expect(try ring.overruns() == 0)
        #expect(ring.pump(slots: 8).datagrams == 0)
    }

    @Test func `pumped often enough, a ring of one page loses nothing as it wraps around`() throws {
        let namespace = try TestNamespace()
        let socket = try open(namespace, ring: Self.page)
        var ids: Set<UInt32> = []
        for first in 0..<UInt32(500) {
            #expect(try namespace.makeEntries(first: first * 7, count: 7) == 7)
            let pumped = socket.pump(slots: 64)
            #expect(pumped.events.count == 7)
            ids.formUnion(pumped.events.map(\.id))
        }

        #expect(ids.count == 3500)
        let counts = try socket.kernelCounts()
        #expect(counts.sent.0 == 3500)
        #expect(list(counts.overrun) == [0, 0, 0])
        #expect(socket.tally.undecoded == 0)
    }

    @Test func `what does not fit is counted: pumped and overrun is sent, by kind and exactly`() throws {
        let namespace = try TestNamespace()
        let socket = try open(namespace, ring: Self.page)
        #expect(try namespace.makeEntries(count: 1000) == 1000)
        #expect(try namespace.deleteEntries(count: 1000) == 1000)
        _ = try socket.pumpAll()
        #expect(try namespace.makeEntries(count: 500) == 500)
        _ = try socket.pumpAll()

        let counts = try socket.kernelCounts()
        let (received, overrun) = (list(socket.tally.by_kind), list(counts.overrun))
        #expect(list(counts.sent) == [1500, 0, 1000])
        #expect(zip(received, overrun).map(+) == [1500, 0, 1000])
        #expect(received[0] > 20)
        #expect(overrun[0] > 1000)
        #expect(overrun[2] > 900)
        #expect(received.reduce(0, +) == socket.tally.events)
        #expect(list(counts.truncated) == [0, 0, 0])
        #expect(socket.tally.undecoded + socket.tally.dropped == 0)
        #expect(try socket.overruns() == 0)
    }

    @Test func `without a free slot the ring is emptied all the same, and what it held is dropped`() throws {
        let namespace = try TestNamespace()
        let socket = try open(namespace, ring: 1 << 20)
        #expect(try namespace.makeEntries(count: 10) == 10)

        #expect(socket.pump(slots: 4).events.count == 4)
        #expect(socket.pump(slots: 0).datagrams == 6)
        #expect(socket.tally.events == 4)
        #expect(socket.tally.dropped == 6)
        #expect(socket.pump(slots: 4).datagrams == 0)
    }

    @Test func `it wakes when half full, not before, and once`() throws {
        let namespace = try TestNamespace()
        let socket = try open(namespace, ring: 1 << 20)
        #expect(try namespace.makeEntries(count: 1000) == 1000)
        #expect(!isReadable(socket))
        // 176 bytes each.
        #expect(try namespace.makeEntries(first: 1000, count: 2500) == 2500)
        #expect(eventually { isReadable(socket) })
        cnf_events_silence(socket.handle)
        #expect(!isReadable(socket))
        _ = try socket.pumpAll()
        #expect(try namespace.makeEntries(first: 10_000, count: 1000) == 1000)
        #expect(!isReadable(socket))
        #expect(try namespace.makeEntries(first: 11_000, count: 2500) == 2500)
        #expect(eventually { isReadable(socket) })
    }

    @Test(arguments: [168, 172, 328, 332, 2040, 2044])
    func `a message of any size comes whole, and one beyond the largest record is counted`(_ size: Int) throws {
        let namespace = try TestNamespace()
        let socket = try open(namespace, ring: 1 << 20)
        var message = NetlinkMessage.conntrack(.new, Sample.tuple(.ipv4, IPPROTO_UDP, ports: (1, 2)))
        let padding = size - message.bytes.count - 4
        message.put(Unknown.attribute, [UInt8](repeating: 0xaa, count: padding))
        #expect(message.bytes.count == size)
        try forge(namespace, message.bytes)

        let fits = size <= 2040
        let pumped = socket.pump(slots: 8)
        #expect(pumped.events.count == (fits ? 1 : 0))
        #expect(pumped.events.first.map(\.destination_port) == (fits ? 2 : nil))
        let counts = try socket.kernelCounts()
        #expect(counts.sent.0 == 1)
        #expect(list(counts.truncated) == [fits ? 0 : 1, 0, 0])
    }

    @Test func `of each kind, what was pumped, found no room or was too long is what was sent`() throws {
        let namespace = try TestNamespace()
        let socket = try open(namespace, ring: Self.page)
        for (kind, count) in [(.new, 40), (.update, 50), (.destroy, 60)] as [(NetlinkMessage.Event, Int)] {
            var message = NetlinkMessage.conntrack(kind, Sample.tuple(.ipv4, IPPROTO_UDP, ports: (1, 2)))
            for _ in 0..<count { try forge(namespace, message.bytes) }
            message.put(Unknown.attribute, [UInt8](repeating: 0xaa, count: 3000))
            for _ in 0..<count / 10 { try forge(namespace, message.bytes) }
            _ = try socket.pumpAll()
        }

        let counts = try socket.kernelCounts()
        #expect(list(counts.sent) == [44, 55, 66])
        #expect(list(counts.truncated) == [4, 5, 6])
        #expect(list(counts.overrun).allSatisfy { $0 > 0 })
        #expect(zip(list(socket.tally.by_kind), list(counts.overrun)).map(+) == [40, 50, 60])
        #expect(socket.tally.undecoded + socket.tally.dropped == 0)
    }

    @Test func `what does not hold together takes room in the ring and counts as malformed`() throws {
        let namespace = try TestNamespace()
        let socket = try open(namespace, ring: 1 << 20)
        let whole = NetlinkMessage.conntrack(.new, Sample.tuple(.ipv4, IPPROTO_UDP, ports: (1, 2))).bytes
        try forge(namespace, Array(whole.prefix(24)))
        try forge(namespace, whole)
        let pumped = socket.pump(slots: 8)

        #expect(pumped.datagrams == 2)
        #expect(pumped.events.count == 1)
        #expect(socket.tally.malformed == 1)
        #expect(list(socket.tally.truncated) == [0, 0, 0])
        #expect(try list(socket.kernelCounts().sent) == [2, 0, 0])
    }

    @Test(arguments: [7, 8, 15]) func `what has no whole header is no event`(_ size: Int) throws {
        let namespace = try TestNamespace()
        let socket = try open(namespace, ring: 1 << 20)
        let whole = NetlinkMessage.conntrack(.new, Sample.tuple(.ipv4, IPPROTO_UDP)).bytes
        try forge(namespace, Array(whole.prefix(size)))

        #expect(socket.pump(slots: 8).datagrams == 0)
        #expect(try list(socket.kernelCounts().sent) == [0, 0, 0])
    }

    @Test func `what is no event is neither copied nor counted`() throws {
        let namespace = try TestNamespace()
        let socket = try open(namespace, ring: 1 << 20)
        try forge(namespace, NetlinkMessage.conntrack(.new, Sample.tuple(.ipv4, IPPROTO_UDP)).bytes)
        var other = NetlinkMessage.conntrack(.new, Sample.tuple(.ipv4, IPPROTO_UDP)).bytes
        other[5] = 2  // the expectations' subsystem
        try forge(namespace, other)

        #expect(socket.pump(slots: 8).datagrams == 1)
        let counts = try socket.kernelCounts()
        #expect(counts.sent.0 + counts.sent.1 + counts.sent.2 == 1)
    }

    @Test func `a socket without a ring has no descriptor to wait for and no kernel counts`() throws {
        let socket = try TestNamespace().run { try EventSocket(groups: []) }
        var counts = cnf_kernel_counts()
        #expect(cnf_events_ring_size(socket.handle) == 0)
        #expect(cnf_events_descriptor(socket.handle) == -1)
        #expect(cnf_events_kernel_counts(socket.handle, &counts) == -ENOTSUP)
    }
}
