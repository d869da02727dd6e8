// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// Which firewalls a host has, and what their stop does to the module.
@Suite struct FirewallServiceTests {
    private func unloads(_ kind: FirewallService.Kind, _ files: [(String, String)]) throws -> Bool?? {
        let host = try ProgramHost(files)
        return host.read(FirewallService.all).first { $0.kind == kind }.map(\.unloads)
    }

    @Test(arguments: [
        ("IPTABLES_MODULES_UNLOAD=\"yes\"\n", "CentOS release 6.10 (Final)\n", true),
        ("IPTABLES_MODULES_UNLOAD='no' # why\n", "CentOS release 6.10 (Final)\n", false),
        ("IPTABLES_MODULES=\"\"\n", "CentOS Linux release 7.9.2009 (Core)\n", true),
        // iptables-services lost it in 1.6.2-2.
        ("IPTABLES_MODULES_UNLOAD=\"yes\"\n", "Red Hat Enterprise Linux release 8.10 (Ootpa)\n", false),
        ("IPTABLES_MODULES=\"\"\n", "AlmaLinux release 9.4 (Seafoam Ocelot)\n", false),
        ("IPTABLES_MODULES_UNLOAD=\"yes\"\n", "", true),
    ])
    func `EL's script of iptables unloads up to EL7`(_ config: String, _ release: String, _ expected: Bool) throws {
        let files = [("etc/sysconfig/iptables-config", config), ("etc/redhat-release", release)]
        #expect(try unloads(.iptables, files) == .some(.some(expected)))
    }

    @Test(
        arguments: [
            ("CleanupOnExit=yes\nCleanupModulesOnExit=no\n", [], false),
            ("CleanupOnExit=yes\nCleanupModulesOnExit=Yes\n", [], true), ("CleanupOnExit=no\n", [], false),
            ("# nothing\n", [], nil),
            ("# nothing\n", [("etc/redhat-release", "CentOS Linux release 7.9.2009 (Core)\n")], true),
            ("# nothing\n", [("etc/redhat-release", "Rocky Linux release 8.9 (Green Obsidian)\n")], true),
            ("# nothing\n", [("etc/redhat-release", "Rocky Linux release 9.3 (Blue Onyx)\n")], false),
            // EL7's does not know the option.
            ("CleanupModulesOnExit=no\n", [("etc/redhat-release", "CentOS Linux release 7.9.2009 (Core)\n")], true),
            (
                "CleanupModulesOnExit=no\n", [("etc/redhat-release", "Rocky Linux release 8.9 (Green Obsidian)\n")],
                false
            ),
            ("# x\n", [("usr/lib/python3.9/site-packages/firewall/config/__init__.py", "VERSION = '1.3.4'\n")], false),
            ("# x\n", [("usr/lib/python3/dist-packages/firewall/config/__init__.py", "VERSION = '0.9.3'\n")], true),
            ("# x\n", [("usr/share/doc/firewalld-0.6.3/README", "")], true),
            // No value that it knows: the default, which depends on the version.
            ("CleanupModulesOnExit=maybe\n", [("etc/redhat-release", "Rocky Linux release 9.3\n")], false),
            ("CleanupModulesOnExit=no\nCleanupModulesOnExit=yes\n", [], false),
        ] as [(String, [(String, String)], Bool?)])
    func `firewalld unloads before 1_0, and where it is told to`(
        _ config: String, _ files: [(String, String)], _ expected: Bool?
    ) throws {
        #expect(try unloads(.firewalld, [("etc/firewalld/firewalld.conf", config)] + files) == .some(expected))
    }

    @Test func `links of the init system tell whether a service starts`() throws {
        let unit = ("etc/systemd/system/multi-user.target.wants/nftables.service", "")
        let other = ("etc/systemd/system/multi-user.target.wants/cron.service", "")
        let cases: [([(String, String)], Bool?)] = [
            ([], nil), ([unit], true), ([other], false), ([("etc/systemd/system/nftables.service", ""), unit], false),
            ([("etc/systemd/system/my.target.wants/nftables.service", ""), other], false),
            ([("etc/rc.d/rc3.d/S08nftables", "")], true), ([("etc/rc.d/rc3.d/K92nftables", "")], false),
            ([("etc/rcS.d/S12nftables", ""), ("etc/rc2.d/S01cron", "")], true),
            ([("etc/rc3.d/S08nftables", ""), ("usr/lib/systemd/system/nftables.service", "x"), other], false),
            ([("etc/runlevels/default/nftables", "")], true), ([("etc/runlevels/boot/sysctl", "")], false),
            ([("etc/runit/runsvdir/default/nftables/run", "")], true),
            ([("etc/runit/runsvdir/default/x/run", "")], false),
            ([("etc/service/x/run", ""), unit], true), ([("etc/service/x/run", "")], nil),
            ([("etc/openwrt_release", ""), ("etc/rc.d/S19nftables", "")], true),
            ([("etc/openwrt_release", ""), ("etc/rc.d/S19firewall", "")], false),
        ]
        for (files, expected) in cases {
            let host = try ProgramHost(files)
            #expect(host.read { ServiceState.isEnabled("nftables", in: $0) } == expected, "\(files)")
        }
    }

    @Test func `a masked service is no firewall of the host`() throws {
        let host = try ProgramHost([("etc/nftables.conf", "flush ruleset\n")])
        #expect(host.read(FirewallService.all).map(\.kind) == [.nftables])
        try host.directory.write("", to: "etc/systemd/system/x")
        try host.link("etc/systemd/system/nftables.service", to: "/dev/null")
        #expect(host.read(FirewallService.all).isEmpty)
    }

    @Test(arguments: [
        ("A=b", "b"), ("A=\"b  c\" # d", "b c"), ("A='b' ; x", "b"), ("A=b # c", "b"), ("A=", ""), ("export A=b", "b"),
        ("A=b\nA=c", "c"), ("AA=b", nil), ("# A=b", nil), ("A=b\"c d\"e", "bc de"),
    ])
    func `an assignment is read as a shell does`(_ text: String, _ value: String?) throws {
        let host = try ProgramHost([("etc/default/x", text + "\n")])
        #expect(host.read { ShellAssignment.last("A", in: "/etc/default/x", of: $0) }?.value == value)
    }
}
