// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import Synchronization
import TestKit
import Testing
import UnitKit

@testable import ConntrackHost
@testable import ConntrackModel

/// Statistics by ctnetlink, of a kernel whose /proc has none and where nf_conntrack is a module.
@Suite struct StatisticsByNetlinkTests {
    /// A ctnetlink that counts how often it was asked, and has what it is told to have.
    private final class Kernel: Sendable {
        let state = Mutex((asked: 0, answer: Result<UInt64, ConntrackModel.SystemError>.success(0)))

        var asked: Int { state.withLock { $0.asked } }
        func counts(_ drops: UInt64) { state.withLock { $0.answer = .success(drops) } }
        func fails(_ code: Int32) { state.withLock { $0.answer = .failure(SystemError("ask", "ctnetlink", code)) } }

        func answer() throws(ConntrackModel.SystemError) -> [StatValues] {
            let answer = state.withLock { state in
                state.asked += 1
                return state.answer
            }
            return [StatValues([.drop: try answer.get()])]
        }
    }

    private let directory: TemporaryDirectory
    private let kernel = Kernel()
    private let users = "sys/module/nf_conntrack/refcnt"
    private let state = "sys/module/nf_conntrack_netlink/initstate"

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write("2\n", to: users)
        try directory.write("live\n", to: state)
    }

    private func reader(
        _ module: ConntrackModule = .loaded, _ terms: StatisticsTerms = .watching(settle: .seconds(2))
    ) -> StatisticsReader {
        let paths = HostPaths(procfs: directory.path(of: "proc"), sysfs: directory.path(of: "sys"))
        let kernel = kernel
        return StatisticsReader(paths, module: module, terms: terms) { _ throws(ConntrackModel.SystemError) in
            try kernel.answer()
        }
    }

    /// The file of a module that was loaded anew, in the old one's place.
    private func reload(_ name: String, _ text: String) throws {
        unlink(directory.path(of: name))
        try directory.write(text, to: name)
    }

    private func read(_ reader: inout StatisticsReader, _ seconds: Double) throws -> StatisticsReading? {
        try reader.read(at: Moment.at(seconds).monotonic)
    }

    @Test func `nothing is asked before 10 s, and once a second then`() throws {
        var reader = reader()
        kernel.counts(7)
        for tenth in 0..<100 { #expect(try read(&reader, Double(tenth) / 10) == nil) }
        #expect(kernel.asked == 0)
        #expect(reader.obstacle == .settling)
        #expect(try read(&reader, 10)?.perCPU == [StatValues([.drop: 7])])
        #expect(reader.obstacle == nil)
        for tenth in 101..<200 { _ = try read(&reader, Double(tenth) / 10) }
        #expect(kernel.asked == 11)
    }

    @Test func `a reload between two looks has the counters begin anew, once they are asked again`() throws {
        var reader = reader()
        kernel.counts(7)
        _ = try read(&reader, 0)
        #expect(try read(&reader, 10)?.restarted == false)
        try reload(users, "2\n")
        try reload(state, "live\n")
        kernel.counts(9)
        #expect(try read(&reader, 11) == nil)
        #expect(try read(&reader, 20.9) == nil)
        #expect(kernel.asked == 1)
        let reading = try #require(try read(&reader, 21))
        #expect(reading.restarted)
        #expect(reading.perCPU == [StatValues([.drop: 9])])
        #expect(try read(&reader, 22)?.restarted == false)
    }

    @Test func `nf_conntrack_netlink alone was loaded anew: the counters go on`() throws {
        var reader = reader()
        _ = try read(&reader, 0)
        _ = try read(&reader, 10)
        try reload(state, "live\n")
        #expect(try read(&reader, 11) == nil)
        #expect(reader.obstacle == .settling)
        #expect(try read(&reader, 21)?.restarted == false)
    }

    @Test func `unloaded, nothing is asked, and it is said why`() throws {
        var reader = reader()
        _ = try read(&reader, 0)
        _ = try read(&reader, 10)
        unlink(directory.path(of: state))
        // Its folder is there for a moment longer.
        #expect(try read(&reader, 11) == nil)
        #expect(reader.obstacle == .changing)
        rmdir(directory.path(of: "sys/module/nf_conntrack_netlink"))
        #expect(try read(&reader, 12) == nil)
        #expect(reader.obstacle == .netlinkAbsent)
        #expect(kernel.asked == 1)
    }

    @Test func `a refusal is no fault, and what else goes wrong is`() throws {
        var reader = reader(.loaded, .once)
        kernel.fails(EPERM)
        #expect(try read(&reader, 0) == nil)
        #expect(reader.obstacle == .notPermitted)
        // It went between the two looks.
        kernel.fails(ENODEV)
        #expect(try read(&reader, 1) == nil)
        #expect(reader.obstacle == .changing)
        kernel.fails(ETIMEDOUT)
        #expect(throws: ConntrackModel.SystemError("ask", "ctnetlink", ETIMEDOUT)) { try read(&reader, 2) }
    }

    @Test func `part of the kernel it is asked each time`() throws {
        var reader = reader(.builtIn)
        kernel.counts(3)
        #expect(try read(&reader, 0)?.perCPU == [StatValues([.drop: 3])])
        #expect(try read(&reader, 0.1)?.restarted == false)
        #expect(kernel.asked == 2)
    }

    @Test func `where proc has them nothing is asked, also while the file is gone`() throws {
        try directory.write("entries drop\n0 5\n", to: "proc/net/stat/nf_conntrack")
        var reader = reader(.loaded, .once)
        #expect(try read(&reader, 0)?.perCPU == [StatValues([.drop: 5])])
        unlink(directory.path(of: "proc/net/stat/nf_conntrack"))
        #expect(try read(&reader, 1) == nil)
        #expect(reader.obstacle == nil)
        #expect(kernel.asked == 0)
    }
}
