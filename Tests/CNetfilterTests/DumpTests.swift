// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import CTestKit
internal import Glibc
internal import TestKit
internal import Testing

/// `cnf_dump`, closed at the end of its life.
private final class Dump: @unchecked Sendable {
    let handle: OpaquePointer
    var tally = cnf_dump_tally()
    /// Where forged datagrams come from.
    var peer: Int32 = -1

    init(family: Int32 = AF_UNSPEC) throws {
        var opened: OpaquePointer?
        try SystemError.check("open a dump", cnf_dump_open(UInt8(family), &opened))
        handle = try #require(opened)
    }

    init(adopting descriptor: Int32) throws {
        var opened: OpaquePointer?
        try SystemError.check("adopt", cnf_dump_adopt(descriptor, &opened))
        handle = try #require(opened)
    }

    deinit {
        cnf_dump_close(handle)
        if peer >= 0 { close(peer) }
    }

    func next(capacity: Int = 256) -> (result: Int32, entries: [cnf_entry]) {
        var entries = [cnf_entry](repeating: cnf_entry(), count: capacity)
        let result = cnf_dump_next(handle, &entries, capacity, &tally)
        return (result, Array(entries.prefix(Int(max(0, result)))))
    }

    /// Everything to its end.
    func all(capacity: Int = 256) throws -> [cnf_entry] {
        var all: [cnf_entry] = []
        while true {
            let (result, entries) = next(capacity: capacity)
            if try SystemError.check("dump", result) == 0 { return all }
            all += entries
        }
    }
}

/// A dump of the running kernel's table.
@Suite(.enabled(if: Requirement.met(.networkNamespace)))
struct KernelDumpTests {
    @Test(arguments: [1, 7, 256, 4096]) func `each entry comes once, whatever the batch holds`(_ capacity: Int) throws {
        let namespace = try TestNamespace()
        #expect(try namespace.makeEntries(count: 3000) == 3000)
        let (ids, tally) = try namespace.run {
            let dump = try Dump()
            return (try dump.all(capacity: capacity).map(\.id), dump.tally)
        }

        #expect(ids.count == 3000)
        #expect(Set(ids).count == 3000)
        #expect(tally.entries == 3000)
        #expect(tally.malformed == 0)
        #expect(tally.interrupted == 0)
    }

    @Test func `an empty table is a dump that ends at once, and has ended for good`() throws {
        let results = try TestNamespace().run {
            let dump = try Dump()
            return [dump.next().result, dump.next().result]
        }

        #expect(results == [0, 0])
    }

    @Test func `a family asked for is all that comes`() throws {
        let namespace = try TestNamespace()
        #expect(try namespace.makeEntries(count: 5) == 5)

        #expect(try namespace.run { try Dump(family: AF_INET).all().count } == 5)
        #expect(try namespace.run { try Dump(family: AF_INET6).all().count } == 0)
    }
}

/// What no kernel says at will, said by a socketpair.
@Suite struct ForgedDumpTests {
    private static let sequence: UInt32 = 1

    private func message(sequence: UInt32 = sequence, port: UInt32 = 0, flags: UInt16 = 2, id: UInt32 = 1) -> [UInt8] {
        var message = NetlinkMessage.conntrack(.update, Sample.tuple(.ipv4, IPPROTO_UDP, ports: (1, 2)))
        message.put(CTA_ID, bigEndian: id)
        return headed(message.bytes, sequence, port, flags)
    }

    private func done(_ status: Int32 = 0, flags: UInt16 = 2, type: Int32 = NLMSG_DONE) -> [UInt8] {
        var message = NetlinkMessage(subsystem: 0, type: UInt32(type)).bytes
        message[16..<20] = withUnsafeBytes(of: status) { $0[...] }.map { $0 }[...]
        return headed(message, Self.sequence, 0, flags)
    }

    private func headed(_ bytes: [UInt8], _ sequence: UInt32, _ port: UInt32, _ flags: UInt16) -> [UInt8] {
        var bytes = bytes
        bytes.withUnsafeMutableBytes {
            $0.storeBytes(of: flags, toByteOffset: 6, as: UInt16.self)
            $0.storeBytes(of: sequence, toByteOffset: 8, as: UInt32.self)
            $0.storeBytes(of: port, toByteOffset: 12, as: UInt32.self)
        }
        return bytes
    }

    /// A dump of these datagrams. Its socket waits 20 ms for the next one; `ended`: none can come any more.
    private func dump(_ datagrams: [[UInt8]], ended: Bool = false) throws -> Dump {
        var ends: [Int32] = [0, 0]
        try SystemError.check("pair", ctk_packet_pair(&ends, 1 << 20))
        var patience = timeval(tv_sec: 0, tv_usec: 20_000)
        setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        for datagram in datagrams {
            #expect(send(ends[0], datagram, datagram.count, 0) == datagram.count)
        }
        let dump = try Dump(adopting: ends[1])
        if ended { close(ends[0]) } else { dump.peer = ends[0] }
        return dump
    }

    @Test func `entries of several datagrams come in order, and what follows the end is not read`() throws {
        let dump = try dump([message(id: 1) + message(id: 2), message(id: 3) + done() + message(id: 4)])

        #expect(try dump.all().map(\.id) == [1, 2, 3])
        #expect(dump.tally.entries == 3)
    }

    /// Where the kernel may put NLM_F_DUMP_INTR.
    @Test(arguments: [0, 1]) func `an interrupted dump is told of`(_ place: Int) throws {
        let interrupted = UInt16(NLM_F_DUMP_INTR) | 2
        let dump = try dump([
            message(flags: place == 0 ? interrupted : 2), message() + done(flags: place == 1 ? interrupted : 2),
        ])

        #expect(try dump.all().count == 2)
        #expect(dump.tally.interrupted == 1)
    }

    @Test func `an answer to somebody else is passed over`() throws {
        let dump = try dump([message(sequence: 2) + message(port: 7) + message(id: 9) + done()])

        #expect(try dump.all().map(\.id) == [9])
    }

    @Test func `an entry that does not hold together is counted and passed over`() throws {
        var broken = message()
        broken[Sample.headers + 8] = 24
        let dump = try dump([message(id: 1) + broken + message(id: 3) + done()])

        #expect(try dump.all().map(\.id) == [1, 3])
        #expect(dump.tally.malformed == 1)
        #expect(dump.tally.entries == 2)
    }

    @Test(arguments: [NLMSG_ERROR, NLMSG_DONE]) func `an error is the dump's`(_ type: Int32) throws {
        let dump = try dump([message(), done(-EPERM, type: type)])

        #expect(dump.next().result == 1)
        #expect(dump.next().result == -EPERM)
        #expect(dump.next().result == 0)
    }

    @Test func `a silent kernel is not waited for without end`() throws {
        let dump = try dump([message()])

        #expect(dump.next().result == 1)
        #expect(dump.next().result == -ETIMEDOUT)
    }

    @Test func `a socket that has ended is an error`() throws {
        #expect(try dump([], ended: true).next().result == -EBADMSG)
    }

    @Test func `a datagram longer than any of the kernel's is an error`() throws {
        #expect(try dump([[UInt8](repeating: 0, count: 40_000)]).next().result == -EMSGSIZE)
    }

    @Test(arguments: [0, 1, 15, 17, 1 << 30]) func `a length that does not hold is an error`(_ claim: Int) throws {
        var broken = message()
        broken.withUnsafeMutableBytes { $0.storeBytes(of: UInt32(claim), as: UInt32.self) }
        let result = try dump([broken]).next().result

        // 17 is a message, though one without the header of nfnetlink.
        #expect(claim == 17 ? result == -ETIMEDOUT || result == -EBADMSG : result == -EBADMSG)
    }
}
