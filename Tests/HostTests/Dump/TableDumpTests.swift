// SPDX-License-Identifier: GPL-3.0-or-later

import CRecord
import Glibc
import TestKit
import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// A dump of a socketpair's: what no kernel says at will.
@Suite struct TableDumpTests {
    private func message(_ type: (Int32, UInt32), flags: Int32 = 0, mark: UInt32 = 0) -> [UInt8] {
        let tuple = FlowTuple(
            family: .ipv4, protocol: UInt8(IPPROTO_UDP), source: [10, 0, 0, 1], destination: [192, 0, 2, 1])
        var message = NetlinkMessage(subsystem: type.0, type: type.1, flags: flags)
        message.put(tuple, as: CTA_TUPLE_ORIG)
        message.put(tuple, as: CTA_TUPLE_REPLY)
        message.put(CTA_MARK, bigEndian: mark)
        var bytes = message.bytes
        bytes[8] = 1  // the sequence number of the request
        return bytes
    }

    private func entry(mark: UInt32, flags: Int32 = 0) -> [UInt8] {
        message((NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW.rawValue), flags: flags, mark: mark)
    }

    /// NLMSG_DONE; what follows its header is zero.
    private var done: [UInt8] {
        var bytes = message((0, UInt32(NLMSG_DONE)))
        for index in 16..<20 { bytes[index] = 0 }
        return bytes
    }

    private func dump(_ datagrams: [[UInt8]]) throws -> TableDump {
        var ends: [Int32] = [0, 0]
        guard socketpair(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0, &ends) == 0 else { throw SystemError("socketpair") }
        defer { close(ends[0]) }
        for datagram in datagrams { #expect(send(ends[0], datagram, datagram.count, 0) == datagram.count) }
        return try TableDump(adopting: ends[1])
    }

    /// Read to its end, with a hash that nobody resizes.
    private func read(
        _ datagrams: [[UInt8]], _ body: (borrowing Span<cnf_entry>) -> Void = { _ in }
    ) throws -> TableDump.Outcome {
        try dump(datagrams).read(watching: HashWatch(HostPaths(procfs: "/nowhere")), body)
    }

    @Test func `batches come in order until the end`() throws {
        var marks: [UInt32] = []
        let outcome = try read([entry(mark: 1) + entry(mark: 2), entry(mark: 3), done]) { batch in
            for index in batch.indices { marks.append(batch[index].mark) }
        }

        #expect(marks == [1, 2, 3])
        #expect(outcome == TableDump.Outcome(entries: 3, truncated: 0, isInterrupted: false))
    }

    @Test func `an interrupted dump says so at its end`() throws {
        #expect(try read([entry(mark: 1), entry(mark: 2, flags: NLM_F_DUMP_INTR), done]).isInterrupted)
    }

    @Test func `a broken entry is counted and in no batch`() throws {
        var broken = entry(mark: 2)
        broken[28] = 200
        var count = 0
        let outcome = try read([entry(mark: 1) + broken, done]) { count += $0.count }

        #expect(count == 1)
        #expect(outcome.truncated == 1)
    }

    // By files: the hash is the whole host's, and other tests dump as well.
    @Test func `a hash resized meanwhile is told, even when it has its old size again`() throws {
        let directory = try TemporaryDirectory()
        let file = "sys/net/netfilter/nf_conntrack_buckets"
        func interrupted(_ sizes: [String]) throws -> Bool {
            try directory.write("65536\n", to: file)
            var hash = HashWatch(HostPaths(procfs: directory.path))
            for size in sizes {
                try directory.write(size + "\n", to: file)
                hash.look()
            }
            return try dump([entry(mark: 1), done]).read(watching: hash) { _ in }.isInterrupted
        }

        #expect(try !interrupted([]))
        #expect(try !interrupted(["65536"]))
        #expect(try interrupted(["131072"]))
        #expect(try interrupted(["131072", "65536"]))
    }

    // Both `top` and the survey of an alert read by this loop.
    @Test func `the hash is looked at while the dump goes on`() throws {
        let directory = try TemporaryDirectory()
        let file = "sys/net/netfilter/nf_conntrack_buckets"
        try directory.write("65536\n", to: file)
        // Grown in the first batch, and small again before the end.
        let datagrams = [entry(mark: 1), entry(mark: 2), entry(mark: 3), done]
        var sizes = ["131072\n", "65536\n", "65536\n"]
        let outcome = try dump(datagrams).read(watching: HashWatch(HostPaths(procfs: directory.path)), period: 1) { _ in
            #expect(throws: Never.self) { try directory.write(sizes.removeFirst(), to: file) }
        }

        #expect(sizes == [])
        #expect(outcome.isInterrupted)
    }
}
