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

/// Looks at the table while the module comes and goes, by what /proc and /sys show together.
@Suite struct TornLookTests {
    private let directory: TemporaryDirectory
    private static let count = "proc/sys/net/netfilter/nf_conntrack_count"
    private static let limit = "proc/sys/net/netfilter/nf_conntrack_max"
    private static let refcnt = "sys/module/nf_conntrack/refcnt"

    init() throws {
        directory = try TemporaryDirectory()
        try put("412", Self.count)
        try put("1000", Self.limit)
        try put("2", Self.refcnt)
    }

    /// A new file in the old one's place.
    private func put(_ text: String, _ name: String) throws {
        take(name)
        try directory.write(text + "\n", to: name)
    }

    private func take(_ names: String...) {
        for name in names { unlink(directory.path(of: name)) }
    }

    private func reader() -> TableReader {
        TableReader(procfs: directory.path(of: "proc"), sysfs: directory.path(of: "sys"))
    }

    /// One look, as the judge gets it.
    private func look(_ reader: inout TableReader) -> TableLook {
        TableLook(reader.read())
    }

    @Test func `an unload step by step is absent from its first step and proved once`() throws {
        var reader = reader()
        _ = look(&reader)
        // The kernel's order: the count of a module that goes is -1, then its sysctls go, then its folder.
        try directory.write("-1\n", to: Self.refcnt)
        #expect(look(&reader).limit == 1000)
        take(Self.limit, Self.count)
        let going = look(&reader)
        take(Self.refcnt)
        let gone = look(&reader)

        #expect([going.absent, gone.absent] == [true, true])
        #expect([going.unloaded, gone.unloaded, look(&reader).unloaded] == [false, true, false])
        #expect([going.limitFault, gone.limitFault] == [0, 0])
    }

    @Test func `a load step by step is absent until its sysctls are there, and no fault`() throws {
        var reader = reader()
        _ = look(&reader)
        take(Self.limit, Self.count, Self.refcnt)
        _ = look(&reader)
        try put("0", Self.refcnt)
        let coming = look(&reader)
        #expect(coming.absent)
        #expect(coming.limitFault == 0)
        try put("0", Self.count)
        try put("65536", Self.limit)
        let there = look(&reader)

        #expect(there.limit == 65_536)
        #expect([coming.unloaded, there.unloaded] == [false, false])
    }

    @Test func `so it is when the unload was not seen`() throws {
        var reader = reader()
        _ = look(&reader)
        take(Self.limit, Self.count)
        try put("0", Self.refcnt)
        let coming = look(&reader)

        #expect(coming.absent)
        #expect(coming.unloaded)
        #expect(look(&reader).absent)
    }

    @Test func `sysctls that go while the module stays are missing, and no unload`() {
        var reader = reader()
        _ = look(&reader)
        take(Self.limit, Self.count)

        for _ in 1...3 {
            let look = look(&reader)
            #expect(!look.absent)
            #expect(!look.unloaded)
            #expect([look.limitFault, look.entriesFault] == [ENOENT, ENOENT])
        }
    }

    @Test func `a module that is loaded and shows no sysctls from the start is no absent one`() {
        take(Self.limit, Self.count)
        var reader = reader()

        #expect(!look(&reader).absent)
    }

    @Test func `a reload between two looks is proved once, by whichever file`() throws {
        var reader = reader()
        _ = look(&reader)
        try put("0", Self.count)
        try put("500", Self.limit)
        try put("0", Self.refcnt)
        let back = look(&reader)

        #expect(back.unloaded)
        #expect(back.limit == 500)
        #expect(back.entries == 0)
        #expect(!look(&reader).unloaded)
    }

    @Test func `where sys has no modules, a count made anew has the limit read again`() throws {
        take(Self.refcnt)
        rmdir(directory.path(of: "sys/module/nf_conntrack"))
        var reader = TableReader(procfs: directory.path(of: "proc"), sysfs: directory.path(of: "nowhere"))
        _ = look(&reader)
        try put("0", Self.count)

        #expect(look(&reader).unloaded)
        #expect(!look(&reader).unloaded)
    }

    @Test func `what is built in is alive whatever its sysctls do`() throws {
        take(Self.refcnt)
        try put("65536", "sys/module/nf_conntrack/parameters/hashsize")
        var reader = reader()
        _ = look(&reader)
        try put("1", Self.limit)
        let written = look(&reader)
        take(Self.limit, Self.count)
        let gone = look(&reader)

        #expect([written.unloaded, gone.unloaded] == [false, false])
        #expect([written.absent, gone.absent] == [false, false])
        #expect(gone.limitFault == ENOENT)
    }
}
