// SPDX-License-Identifier: GPL-3.0-or-later

import CNetfilter
import Glibc
import TestKit
import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// Sysctls of a saved tree, kept open and reread.
@Suite struct KeptValueTests {
    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.path(of: "value")
    }

    private func expect(
        _ reading: KeptValue.Reading, value: UInt64 = 0, code: Int32 = 0, unloaded: Bool = false,
        at location: SourceLocation = #_sourceLocation
    ) {
        #expect(reading.value == value, sourceLocation: location)
        #expect(reading.code == code, sourceLocation: location)
        #expect(reading.unloaded == unloaded, sourceLocation: location)
    }

    @Test func `a value that changes is seen`() throws {
        try directory.write("262144\n", to: "value")
        var value = KeptValue(path)
        expect(value.read(), value: 262_144)
        try directory.write("65536\n", to: "value")

        expect(value.read(), value: 65_536)
    }

    @Test func `a file that was never there is absent, and no unload`() throws {
        var value = KeptValue(path)
        expect(value.read(), code: ENOENT)
        expect(value.read(), code: ENOENT)
        try directory.write("5\n", to: "value")

        expect(value.read(), value: 5)
    }

    @Test func `a file that went is an unload once, and absent from then on`() throws {
        try directory.write("5\n", to: "value")
        var value = KeptValue(path)
        expect(value.read(), value: 5)
        unlink(path)

        expect(value.read(), code: ENOENT, unloaded: true)
        expect(value.read(), code: ENOENT)
    }

    @Test func `gone and back between two looks is an unload once, with the new value`() throws {
        try directory.write("5\n", to: "value")
        var value = KeptValue(path)
        expect(value.read(), value: 5)
        unlink(path)
        try directory.write("7\n", to: "value")

        expect(value.read(), value: 7, unloaded: true)
        expect(value.read(), value: 7)
    }

    @Test func `the same value from a new file is an unload all the same`() throws {
        try directory.write("5\n", to: "value")
        var value = KeptValue(path)
        expect(value.read(), value: 5)
        unlink(path)
        try directory.write("5\n", to: "value")

        expect(value.read(), value: 5, unloaded: true)
    }

    @Test(arguments: ["garbage\n", "-1\n", "", "99999999999999999999999\n"])
    func `garbage is no number and no unload, and goes when the number is back`(_ garbage: String) throws {
        try directory.write("5\n", to: "value")
        var value = KeptValue(path)
        expect(value.read(), value: 5)
        try directory.write(garbage, to: "value")
        expect(value.read(), code: EINVAL)
        try directory.write("6\n", to: "value")

        expect(value.read(), value: 6)
    }

    @Test func `a file that cannot be read says why, and is no unload`() throws {
        mkdir(path, 0o755)
        var value = KeptValue(path)
        expect(value.read(), code: EISDIR)
        rmdir(path)
        symlink("value", path)
        expect(KeptValue(path).readOnce(), code: ELOOP)
    }
}

extension KeptValue {
    fileprivate consuming func readOnce() -> Reading {
        read()
    }
}

/// Count and limit as one record.
@Suite struct TableReaderTests {
    private let directory: TemporaryDirectory
    private let folder = "proc/sys/net/netfilter/"

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write("412\n", to: folder + "nf_conntrack_count")
        try directory.write("262144\n", to: folder + "nf_conntrack_max")
    }

    private var reader: TableReader { TableReader(procfs: directory.path(of: "proc")) }

    @Test func `count and limit come as one record, stamped`() throws {
        var reader = reader
        let record = reader.read()

        #expect(record.kind == UInt8(CNF_TABLE.rawValue))
        #expect(record.entries == 412)
        #expect(record.limit == 262_144)
        #expect([record.entries_errno, record.limit_errno] == [0, 0])
        #expect(record.unloaded == 0)
        #expect(record.time_ns > 0)
    }

    @Test func `either file alone proves the unload`() throws {
        for name in ["nf_conntrack_count", "nf_conntrack_max"] {
            var reader = reader
            _ = reader.read()
            unlink(directory.path(of: folder + name))
            try directory.write("1\n", to: folder + name)
            #expect(reader.read().unloaded == 1, "\(name)")
            #expect(reader.read().unloaded == 0, "\(name)")
        }
    }

    @Test func `sysctls that go while the module stays prove no unload`() throws {
        try directory.write("0\n", to: "sys/module/nf_conntrack/refcnt")
        var reader = TableReader(procfs: directory.path(of: "proc"), sysfs: directory.path(of: "sys"))
        #expect(reader.read().alive == 1)
        for name in ["nf_conntrack_count", "nf_conntrack_max"] { unlink(directory.path(of: folder + name)) }
        let record = reader.read()

        #expect(record.limit_errno == ENOENT)
        #expect(record.unloaded == 0)
        #expect(record.alive == 1)
    }

    @Test func `a refcnt made anew proves the unload once`() throws {
        let name = "sys/module/nf_conntrack/refcnt"
        let refcnt = try directory.write("0\n", to: name)
        var reader = TableReader(procfs: directory.path(of: "proc"), sysfs: directory.path(of: "sys"))
        _ = reader.read()
        unlink(refcnt)
        try directory.write("0\n", to: name)

        #expect(reader.read().unloaded == 1)
        #expect(reader.read().unloaded == 0)
    }

    @Test func `what is built in is never unloaded`() throws {
        try directory.write("65536\n", to: "sys/module/nf_conntrack/parameters/hashsize")
        var reader = TableReader(procfs: directory.path(of: "proc"), sysfs: directory.path(of: "sys"))
        _ = reader.read()
        unlink(directory.path(of: folder + "nf_conntrack_max"))
        let record = reader.read()

        #expect(record.unloaded == 0)
        #expect(record.alive == 1)
    }

    @Test func `where sys shows no modules the sysctl is the proof`() throws {
        try directory.write("", to: "sys/other")
        var reader = TableReader(procfs: directory.path(of: "proc"), sysfs: directory.path(of: "sys"))
        _ = reader.read()
        unlink(directory.path(of: folder + "nf_conntrack_max"))
        let record = reader.read()

        #expect(record.unloaded == 1)
        #expect(record.alive == 0)
    }

    @Test func `a look is absent only when both files are`() throws {
        var reader = reader
        unlink(directory.path(of: folder + "nf_conntrack_count"))
        let half = TableLook(reader.read())
        #expect(!half.absent)
        #expect(half.entries == nil)
        #expect(half.entriesFault == ENOENT)
        #expect(half.limit == 262_144)
        unlink(directory.path(of: folder + "nf_conntrack_max"))

        let none = TableLook(reader.read())
        #expect(none.absent)
        #expect(none.unloaded)
        #expect(none.limit == nil)
        #expect(none.entriesFault == 0)
        #expect(none.limitFault == 0)
    }

    @Test func `a look bears the wall clock's time of its record`() {
        var record = cnf_table()
        record.time_ns = Moment.at(5).monotonic.nanoseconds
        record.wall_offset_ns = Moment.at(0).wallOffset

        #expect(TableLook(record).moment == .at(5))
    }
}
