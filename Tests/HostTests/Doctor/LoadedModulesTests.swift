// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// /proc/modules and /sys/module, and what each alone can tell.
@Suite struct LoadedModulesTests {
    private func look(_ files: [(String, String)], isTracking: Bool = true) throws -> LoadedModules {
        let directory = try TemporaryDirectory()
        for (name, text) in files { try directory.write(text, to: name) }
        return LoadedModules(
            procfs: FileTree(root: directory.path(of: "proc")), sysfs: FileTree(root: directory.path(of: "sys")),
            isTracking: isTracking)
    }

    @Test func `proc tells references and users`() throws {
        let text = """
            xt_conntrack 16384 3 - Live 0x0000000000000000
            nf_conntrack 180224 4 xt_conntrack,nf_nat, Live 0x0000000000000000
            nf_nat 20480 0 - Live 0x0000000000000000 (E)
            """
        let found = try look([("proc/modules", text)])
        #expect(found.conntrack == .loaded)
        #expect(
            found["nf_conntrack"]
                == LoadedModule(name: "nf_conntrack", references: 4, users: ["xt_conntrack", "nf_nat"]))
        #expect(found["nf_conntrack"]?.ownReferences == 2)
        #expect(found.aroundConntrack.map(\.name) == ["nf_conntrack", "nf_nat", "xt_conntrack"])
    }

    @Test func `proc tells what is on its way, and what has no way out`() throws {
        let text = """
            nf_conntrack 180224 2 xt_conntrack,[permanent], Live 0x0000000000000000
            xt_conntrack 16384 1 - Unloading 0x0000000000000000
            nf_nat 20480 0 - Loading 0x0000000000000000
            """
        let found = try look([("proc/modules", text)])
        #expect(found["nf_conntrack"]?.users == ["xt_conntrack"])
        #expect(found["nf_conntrack"]?.ownReferences == 1)
        #expect(found["nf_conntrack"]?.isPermanent == true)
        #expect(found["nf_conntrack"]?.isChanging == false)
        #expect(found["xt_conntrack"]?.isChanging == true)
        #expect(found["nf_nat"]?.isChanging == true)
    }

    @Test func `a sysctl without a module means built in, where modules are listed`() throws {
        #expect(try look([("proc/modules", "ext4 1 1 - Live 0x0\n")]).conntrack == .builtIn)
        #expect(try look([("proc/modules", "ext4 1 1 - Live 0x0\n")], isTracking: false).conntrack == .absent)
    }

    @Test func `sys tells the same where proc has no list`() throws {
        let found = try look([
            ("sys/module/nf_conntrack/refcnt", "2\n"), ("sys/module/nf_conntrack/holders/xt_conntrack/x", ""),
            ("sys/module/xt_conntrack/refcnt", "5\n"),
        ])
        #expect(found.conntrack == .loaded)
        #expect(found["nf_conntrack"]?.users == ["xt_conntrack"])
        #expect(found["xt_conntrack"]?.references == 5)
        #expect(try look([("sys/module/nf_conntrack/parameters/hashsize", "1\n")]).conntrack == .builtIn)
    }

    @Test func `nothing is concluded from nothing`() throws {
        let found = try look([])
        #expect(found.conntrack == nil)
        #expect(found.unknown == "neither /proc/modules nor /sys/module is there")
        #expect(try look([], isTracking: false).conntrack == .absent)
    }

    @Test func `modules that use each other are followed once`() throws {
        let text = "nf_conntrack 1 1 a, Live 0x0\na 1 1 b, Live 0x0\nb 1 1 a, Live 0x0\n"
        #expect(try look([("proc/modules", text)]).aroundConntrack.map(\.name) == ["a", "b", "nf_conntrack"])
    }
}
