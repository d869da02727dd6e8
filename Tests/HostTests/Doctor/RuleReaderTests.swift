// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// When the kernel is asked for rules, and what is said where it is not: on made-up /proc folders, in which no table is
/// named, so that none is asked for.
@Suite struct RuleReaderTests {
    private static let privileged = ("proc/self/status", "Name:\tx\nCapEff:\t0000000000001000\nCapBnd:\t0\n")
    private static let modules = (
        "proc/modules", "nf_conntrack 16384 1 xt_conntrack, Live 0x0\nxt_conntrack 1 2 - Live 0x0\n"
    )

    private func read(_ files: [(String, String)]) throws -> RuleKnowledge {
        let directory = try TemporaryDirectory()
        for (name, text) in files { try directory.write(text, to: name) }
        return RuleReader(
            HostPaths(procfs: directory.path(of: "proc"), sysfs: directory.path(of: "sys"), root: directory.path)
        ).read().knowledge
    }

    @Test func `where no family has tables there are no rules`() throws {
        #expect(try read([Self.privileged, Self.modules]) == .known(KernelRules()))
    }

    @Test(arguments: ["CapEff:\t0000003fffffefff\n", "CapEff:\tx\n", ""])
    func `without CAP_NET_ADMIN nothing is asked`(_ status: String) throws {
        #expect(try read([("proc/self/status", status), Self.modules]) == .noPrivilege)
    }

    @Test(arguments: ["ip", "ip6"]) func `names that can't be read leave it unknown, with what would help`(
        _ family: String
    ) throws {
        // A folder is no file; root could read whatever file it were.
        let knowledge = try read([Self.privileged, Self.modules, ("proc/net/\(family)_tables_names/x", "")])
        #expect(
            knowledge
                == .unknown(
                    "/proc/net/\(family)_tables_names can't be read (not a regular file): run this as root, or with root"
                        + " as a supplementary group"))
    }

    @Test(arguments: ["Loading", "Unloading"]) func `while a module is on its way nothing is concluded`(_ state: String)
        throws
    {
        let modules = Self.modules.1 + "iptable_nat 16384 0 - \(state) 0x0\n"
        let changing = RuleKnowledge.unknown("the rules or the modules are changing just now: ask again")
        #expect(try read([Self.privileged, ("proc/modules", modules)]) == changing)
        let other = Self.modules.1 + "e1000 16384 0 - \(state) 0x0\n"
        #expect(try read([Self.privileged, ("proc/modules", other)]) == .known(KernelRules()))
    }

    @Test(arguments: ["self", "thread-self"])
    func `rules of a namespace that services do not have are not asked for`(_ process: String) throws {
        let directory = try TemporaryDirectory()
        for (name, text) in [Self.privileged, Self.modules] { try directory.write(text, to: name) }
        func read(_ inode: Int) throws -> RuleKnowledge {
            for (process, inode) in [("1", 1), (process, inode)] {
                try directory.write("", to: "proc/\(process)/ns/x")
                let link = directory.path(of: "proc/\(process)/ns/net")
                unlink(link)
                try #require(symlink("net:[\(inode)]", link) == 0)
            }
            return RuleReader(
                HostPaths(procfs: directory.path(of: "proc"), sysfs: directory.path(of: "sys"), root: directory.path)
            ).read().knowledge
        }
        #expect(try read(1) == .known(KernelRules()))
        guard case .unknown(let why) = try read(2) else { throw TestKitError("it was asked") }
        #expect(why.contains("process 1's network namespace"))
    }

    @Test func `this host is this host however its root is written`() {
        #expect(HostPaths().isThisHost)
        #expect(HostPaths(root: "/").isThisHost)
        #expect(!HostPaths(root: "/srv/tree").isThisHost)
        #expect(!HostPaths(procfs: "/srv/tree/proc").isThisHost)
    }

    @Test func `a script that looks for its tables does nothing without them`() throws {
        let text = "IPV=${IPTABLES%tables}\nPROC_IPTABLES_NAMES=/proc/net/${IPV}_tables_names\n"
        let script = ("usr/libexec/iptables/iptables.init", text)
        #expect(try read([Self.privileged, Self.modules, script]) == .known(KernelRules(idle: [.iptables])))
        #expect(
            try read([Self.privileged, Self.modules, script, ("proc/net/ip_tables_names", "")]) == .known(KernelRules())
        )
    }

    @Test func `firewalld's backend is what its last line says`() throws {
        let nftables = ("etc/firewalld/firewalld.conf", "FirewallBackend=iptables\nFirewallBackend=nftables\n")
        let iptables = ("etc/firewalld/firewalld.conf", "FirewallBackend=nftables\nFirewallBackend=iptables\n")
        #expect(try read([Self.privileged, Self.modules, nftables]) == .known(KernelRules()))
        #expect(try read([Self.privileged, Self.modules, iptables]) == .known(KernelRules(isFirewalldIPTables: true)))
    }

    @Test func `namespaces with tables are found by a process in them, each once`() throws {
        let directory = try TemporaryDirectory()
        for (process, inode, tables) in [
            ("self", 1, ""), ("10", 1, "filter\n"), ("20", 2, "nat\nfilter\n"), ("21", 2, "nat\n"), ("30", 3, ""),
        ] {
            try directory.write(tables, to: "proc/\(process)/net/ip_tables_names")
            // Whoever runs a process calls it as he likes.
            try directory.write("en\u{1b}voy\n", to: "proc/\(process)/comm")
            try directory.write("", to: "proc/\(process)/ns/x")
            try #require(symlink("net:[\(inode)]", directory.path(of: "proc/\(process)/ns/net")) == 0)
        }
        let found = OtherNamespaces.withTables(FileTree(root: directory.path(of: "proc")))
        #expect(found == [OtherNamespace(process: 20, command: "en?voy", tables: ["nat", "filter"])])
    }
}
