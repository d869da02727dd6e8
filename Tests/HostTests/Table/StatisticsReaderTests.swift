// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing
import UnitKit

@testable import ConntrackHost
@testable import ConntrackModel

/// Statistics and the other files read once an interval, from saved trees.
@Suite struct StatisticsReaderTests {
    private let directory: TemporaryDirectory
    private let name = "net/stat/nf_conntrack"

    init() throws {
        directory = try TemporaryDirectory()
    }

    private var reader: StatisticsReader {
        StatisticsReader(HostPaths(procfs: directory.path), module: .loaded, terms: .never, asking: nil)
    }

    @Test func `a file made anew means that the counters began anew`() throws {
        var reader = reader
        try directory.write("entries drop\n0 5\n", to: name)
        let first = try #require(try reader.read(at: Moment.at(0).monotonic))
        #expect(first.perCPU == [StatValues([.drop: 5])])
        #expect(!first.restarted)
        unlink(directory.path(of: name))
        try directory.write("entries drop\n0 1\n", to: name)

        // The look that finds the old file gone has no statistics; the next opens the new one.
        #expect(try reader.read(at: Moment.at(0).monotonic) == nil)
        let second = try #require(try reader.read(at: Moment.at(0).monotonic))
        #expect(second.perCPU == [StatValues([.drop: 1])])
        #expect(second.restarted)
        #expect(try reader.read(at: Moment.at(0).monotonic)?.restarted == false)
    }

    @Test func `without the file there are none, and that is no fault`() throws {
        var reader = reader
        #expect(try reader.read(at: Moment.at(0).monotonic) == nil)
    }

    @Test func `a file that makes no sense is a fault, until it does`() throws {
        var reader = reader
        try directory.write("garbage\n", to: name)
        #expect(throws: ConntrackModel.SystemError("make sense of", directory.path(of: name), EINVAL)) {
            try reader.read(at: Moment.at(0).monotonic)
        }
        try directory.write("entries drop\n0 5\n", to: name)

        #expect(try reader.read(at: Moment.at(0).monotonic)?.perCPU == [StatValues([.drop: 5])])
    }

    @Test func `faults of count and limit are named with the file and what it holds`() throws {
        let folder = "sys/net/netfilter/"
        try directory.write("lots\nand lots\n", to: folder + "nf_conntrack_count")
        try directory.write("1024\n", to: folder + "nf_conntrack_buckets")
        var look = TableLook.at(0, entries: nil, limit: nil)
        look.entriesFault = EINVAL
        look.limitFault = ENOENT
        let kernel = try kernel(TableFaults(look))

        #expect(kernel.buckets == 1024)
        #expect(kernel.degraded.map(\.part) == ["nf_conntrack_count", "nf_conntrack_max"])
        let path = directory.path(of: folder)
        #expect(
            kernel.degraded.map(\.reason) == [
                "\(path)nf_conntrack_count holds no number but \"lots\"", "\(path)nf_conntrack_max is missing",
            ])
    }

    @Test func `an absent table has no buckets and no faults`() throws {
        try directory.write("1024\n", to: "sys/net/netfilter/nf_conntrack_buckets")
        let kernel = try kernel(TableFaults(.gone(at: 0)))

        #expect(kernel.buckets == nil)
        #expect(kernel.degraded == [])
        #expect(kernel.statistics == nil)
    }

    private func kernel(_ faults: TableFaults) throws -> KernelReading {
        var host = Host(HostPaths(procfs: directory.path, sysfs: directory.path(of: "no-sys")))
        guard case .kernel(let reading)? = host.read(.kernel(faults)) else { throw Unanswered() }
        return reading
    }

    private struct Unanswered: Error {}
}
