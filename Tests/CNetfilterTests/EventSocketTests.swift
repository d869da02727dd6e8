// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import CSystem
internal import Glibc
internal import TestKit
internal import Testing

/// The event socket on the running kernel.
@Suite(.enabled(if: Requirement.met(.networkNamespace)))
struct EventSocketTests {
    private func open(
        _ namespace: TestNamespace, receiveBuffer: UInt32 = 1 << 20,
        groups: [cnf_group] = [CNF_GROUP_NEW, CNF_GROUP_UPDATE, CNF_GROUP_DESTROY]
    ) throws -> EventSocket {
        try namespace.run { try EventSocket(receiveBuffer: receiveBuffer, groups: groups) }
    }

    @Test func `what overran and what arrived is what was made, exactly`() throws {
        let namespace = try TestNamespace()
        let socket = try open(namespace, receiveBuffer: 16384)
        var happened = try namespace.makeEntries(count: 10_000)
        var told = try socket.pumpAll()
        happened += try namespace.deleteEntries(count: 10_000)
        told += try socket.pumpAll()
        // Once more, with the queue emptied in between: the count goes on.
        happened += try namespace.makeEntries(count: 5_000)
        told += try socket.pumpAll()

        #expect(happened == 25_000)
        #expect(told == 3)
        #expect(socket.tally.events > 0)
        #expect(try socket.overruns() > 0)
        #expect(try socket.tally.events + UInt64(socket.overruns()) == happened)
        #expect(socket.tally.undecoded == 0)
    }

    @Test func `nothing overruns a receive buffer that holds it all`() throws {
        let namespace = try TestNamespace()
        let socket = try open(namespace)
        #expect(try namespace.makeEntries(count: 100) == 100)

        #expect(try socket.pumpAll() == 0)
        #expect(socket.tally.events == 100)
        #expect(try socket.overruns() == 0)
    }

    @Test(arguments: [
        ([CNF_GROUP_NEW], [CNF_NEW]),
        ([CNF_GROUP_DESTROY], [CNF_DESTROY]),
        ([CNF_GROUP_NEW, CNF_GROUP_DESTROY], [CNF_NEW, CNF_DESTROY]),
        ([], []),
    ])
    func `only the groups joined are heard`(_ groups: [cnf_group], _ kinds: [cnf_kind]) throws {
        let namespace = try TestNamespace()
        // Without a listener the kernel gives an entry no events at all.
        let anybody = try open(namespace)
        let socket = try open(namespace, groups: groups)
        #expect(try namespace.makeEntries(count: 1) == 1)
        #expect(try namespace.deleteEntries(count: 1) == 1)

        #expect(socket.pump(slots: 8).events.map { UInt32($0.kind) } == kinds.map(\.rawValue))
        #expect(anybody.pump(slots: 8).events.count == 2)
    }

    @Test func `a message from another program is ignored`() throws {
        let namespace = try TestNamespace()
        let socket = try open(namespace)
        let forged = NetlinkMessage.conntrack(.new, Sample.tuple(.ipv4, IPPROTO_UDP, ports: (1, 2))).bytes
        try namespace.run {
            _ = try SystemError.check("forge", ctk_forge(forged, forged.count, Int32(NFNLGRP_CONNTRACK_NEW.rawValue)))
        }
        let pumped = socket.pump(slots: 8)

        #expect(pumped.datagrams == 1)
        #expect(pumped.result == 0)
        #expect(socket.tally.events == 0)
    }

    @Test func `a group that is left sends nothing more, what was queued stays, and joining again brings more`() throws
    {
        let namespace = try TestNamespace()
        let socket = try open(namespace, groups: [CNF_GROUP_NEW, CNF_GROUP_DESTROY])
        #expect(try namespace.makeEntries(count: 10) == 10)
        try socket.leave([CNF_GROUP_NEW, CNF_GROUP_DESTROY])
        #expect(try namespace.makeEntries(first: 10, count: 10) == 10)
        #expect(socket.pump(slots: 64).events.count == 10)
        // Left already, and one that was never joined.
        try socket.leave([CNF_GROUP_NEW, CNF_GROUP_UPDATE])
        try socket.join([CNF_GROUP_NEW, CNF_GROUP_DESTROY])
        #expect(try namespace.makeEntries(first: 20, count: 10) == 10)
        #expect(try namespace.deleteEntries(count: 30) == 30)

        // Entries made while nobody listened never send DESTROY (nf_conntrack_events = 2); but somebody may have, in
        // another network namespace: that is one for all of them.
        let events = socket.pump(slots: 64).events
        #expect(events.map(\.kind).count { UInt32($0) == CNF_NEW.rawValue } == 10)
        #expect((20...30).contains(events.map(\.kind).count { UInt32($0) == CNF_DESTROY.rawValue }))
        #expect(socket.tally.by_kind.0 == 20)
        #expect(try socket.overruns() == 0)
    }

    @Test func `the receive buffer is what was asked for, doubled`() throws {
        let namespace = try TestNamespace()
        let socket = try open(namespace, receiveBuffer: 50_000)

        #expect(cnf_events_receive_buffer(socket.handle) == 100_000)
    }

    @Test func `a thread enters the namespace a descriptor stands for, and no other`() throws {
        let (one, other) = (try TestNamespace(), try TestNamespace())
        let path = one.path
        let inode: @Sendable () throws -> UInt64 = {
            var status = stat()
            guard stat("/proc/thread-self/ns/net", &status) == 0 else { throw SystemError("stat") }
            return UInt64(status.st_ino)
        }
        let home = try one.run(inode)
        #expect(try other.run(inode) != home)
        let entered = try other.run {
            let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
            defer { close(descriptor) }
            return cnf_enter_network_namespace(descriptor)
        }

        #expect(entered == 0)
        #expect(try other.run(inode) == home)
        #expect(try other.run { cnf_enter_network_namespace(-1) } == -EBADF)
    }
}
