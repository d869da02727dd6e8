// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// Who keeps the module when a firewall stops, on made module lists.
@Suite struct UnloadVerdictTests {
    private static let old = "2.6.32-754.el6.x86_64"
    private static let new = "6.1.0-28-amd64"

    /// A host with EL's iptables service, which unloads.
    private func verdict(
        _ modules: [LoadedModule], files: [(String, String)] = [], builtIn: Bool = false
    ) throws -> UnloadVerdict {
        let directory = try TemporaryDirectory()
        try directory.write("IPTABLES_MODULES_UNLOAD=\"yes\"\n", to: "etc/sysconfig/iptables-config")
        for (name, text) in files { try directory.write(text, to: name) }
        var facts = DoctorFacts(
            root: directory.path, procfs: directory.path(of: "proc"), sysfs: directory.path(of: "sys"))
        facts.modules = LoadedModules(modules: modules, conntrack: builtIn ? .builtIn : .loaded)
        return UnloadVerdict(facts)
    }

    private func module(_ name: String, _ references: Int, _ users: String...) -> LoadedModule {
        LoadedModule(name: name, references: references, users: users)
    }

    private static let tracking = "-A INPUT -m state --state ESTABLISHED -j ACCEPT\n"

    @Test func `what is built in stays`() throws {
        #expect(try verdict([], builtIn: true).wouldUnload == false)
    }

    @Test func `with xt_conntrack alone it goes`() throws {
        let found = try verdict([module("nf_conntrack", 1, "xt_conntrack"), module("xt_conntrack", 3)])
        #expect(found.wouldUnload == true)
        #expect(found.services.map(\.kind) == [.iptables])
    }

    @Test func `an idle nf_conntrack_netlink keeps nothing`() throws {
        let found = try verdict([
            module("nf_conntrack", 2, "xt_conntrack", "nf_conntrack_netlink"), module("xt_conntrack", 3),
            module("nf_conntrack_netlink", 0),
        ])
        #expect(found.wouldUnload == true)
    }

    @Test func `an nft rule keeps it by accident`() throws {
        let found = try verdict([
            module("nf_conntrack", 2, "xt_conntrack", "nft_ct"), module("xt_conntrack", 3), module("nft_ct", 1),
        ])
        #expect(found.wouldUnload == false)
        #expect(found.why.last?.contains("by accident") == true)
    }

    @Test func `before 4_19 ip6tables' references are counted apart`() throws {
        let shared = [
            module("nf_conntrack", 3, "xt_state", "nf_conntrack_ipv4", "nf_conntrack_ipv6"), module("xt_state", 3),
            module("nf_conntrack_ipv4", 3),
        ]
        #expect(try verdict(shared + [module("nf_conntrack_ipv6", 2)]).wouldUnload == false)
        #expect(try verdict(shared + [module("nf_conntrack_ipv6", 0)]).wouldUnload == true)
    }

    @Test func `since 4_19 the rules that are saved tell whether ip6tables holds it`() throws {
        let modules = [
            module("nf_conntrack", 1, "xt_conntrack"), module("xt_conntrack", 3), module("ip6table_filter", 1),
        ]
        let file = "etc/sysconfig/ip6tables"
        #expect(try verdict(modules, files: [(file, Self.tracking)]).wouldUnload == false)
        #expect(try verdict(modules, files: [(file, "-A INPUT -j ACCEPT\n")]).wouldUnload == true)
        #expect(try verdict(modules).wouldUnload == nil)
    }

    @Test func `what is no part of the firewall keeps it`() throws {
        let found = try verdict([
            module("nf_conntrack", 2, "xt_conntrack", "ip_vs"), module("xt_conntrack", 3), module("ip_vs", 4),
        ])
        #expect(found.wouldUnload == false)
        #expect(found.keepers.map(\.module) == ["ip_vs"])
    }

    @Test func `a script without the option unloads nothing`() throws {
        let modules = [module("nf_conntrack", 1, "xt_conntrack"), module("xt_conntrack", 3)]
        let script = ("usr/libexec/iptables/iptables.init", "#!/bin/bash\n# no unloading here\n")
        #expect(try verdict(modules, files: [script]).wouldUnload == false)
    }

    @Test func `firewalld's default depends on its version, which is not known here`() throws {
        let modules = [module("nf_conntrack", 1, "xt_conntrack"), module("xt_conntrack", 3)]
        let off = ("etc/sysconfig/iptables-config", "IPTABLES_MODULES_UNLOAD=no\n")
        func firewalld(_ text: String) throws -> Bool? {
            try verdict(modules, files: [off, ("etc/firewalld/firewalld.conf", text)]).wouldUnload
        }
        #expect(try firewalld("CleanupOnExit=yes\n") == nil)
        #expect(try firewalld("CleanupModulesOnExit=yes\n") == true)
        #expect(try firewalld("CleanupModulesOnExit=no\n") == false)
        #expect(try firewalld("CleanupOnExit=no\nCleanupModulesOnExit=yes\n") == false)
    }

    @Test func `a service that is not enabled does not count`() throws {
        let modules = [module("nf_conntrack", 1, "xt_conntrack"), module("xt_conntrack", 3)]
        let other = ("etc/systemd/system/multi-user.target.wants/sshd.service", "")
        #expect(try verdict(modules, files: [other]).wouldUnload == false)
        let own = ("etc/systemd/system/multi-user.target.wants/iptables.service", "")
        #expect(try verdict(modules, files: [other, own]).wouldUnload == true)
    }
}
