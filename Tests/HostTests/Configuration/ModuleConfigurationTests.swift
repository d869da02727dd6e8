// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// modprobe.d, modules-load.d, udev rules and the kernel's command line.
@Suite struct ModuleConfigurationTests {
    private func read(_ files: [(String, String)], commandLine: String? = nil) throws -> ModuleConfiguration {
        let directory = try TemporaryDirectory()
        for (name, text) in files { try directory.write(text, to: name) }
        return ModuleConfiguration(tree: FileTree(root: directory.path), commandLine: commandLine)
    }

    @Test func `the hash size given at load is found with its place`() throws {
        let found = try read([("etc/modprobe.d/x.conf", "# hash\noptions nf-conntrack  hashsize=0x2000 acct=1\n")])
        #expect(found.hashsize == 8192)
        #expect(
            found.hashsizeEvidence?.description
                == "/etc/modprobe.d/x.conf:2 options nf-conntrack hashsize=0x2000 acct=1")
        #expect(try read([("etc/modprobe.d/x.conf", "options nf_nat hashsize=1\n")]).hashsize == nil)
        #expect(try read([], commandLine: "ro nf_conntrack.hashsize=4096").hashsize == 4096)
    }

    @Test func `an install line may set the limit or apply the configuration`() throws {
        let limit = try read([
            (
                "etc/modprobe.d/x.conf",
                "install nf_conntrack modprobe -i nf_conntrack && \\\n sysctl -qw net.netfilter.nf_conntrack_max=777777\n"
            )
        ])
        #expect(limit.installLimit == 777_777)
        #expect(!limit.restoresConfiguration)
        let all = try read([
            ("etc/modprobe.d/x.conf", "install nf_conntrack modprobe -i nf_conntrack; sysctl --system\n")
        ])
        #expect(all.installLimit == nil)
        #expect(all.restoresConfiguration)
    }

    @Test(arguments: [
        ("/bin/false", true), ("/usr/bin/true", true), (":", true), ("exit 0", true), ("/bin/false # hardening", true),
        ("/bin/true; /sbin/modprobe --ignore-install nf_conntrack", false), ("/usr/local/sbin/load-conntrack", false),
        ("/sbin/modprobe -i nf_conntrack", false),
    ])
    func `an install line may keep modprobe from loading it`(_ command: String, _ isBan: Bool) throws {
        let found = try read([("etc/modprobe.d/x.conf", "install nf_conntrack \(command)\n")])
        #expect((found.ban != nil) == isBan)
        #expect((found.install == nil) == isBan)
    }

    @Test(arguments: [
        ("ro module_blacklist=nf_conntrack quiet", "module_blacklist=nf_conntrack"),
        ("module_blacklist=dccp,nf_conntrack", "module_blacklist=dccp,nf_conntrack"),
        ("module_blacklist=nf_conntrack module_blacklist=dccp", nil), ("module_blacklist=nf_conntrack_ftp", nil),
        ("modprobe.blacklist=nf_conntrack", nil), ("ro", nil),
    ])
    func `the kernel may be told to refuse it whoever loads it`(_ commandLine: String, _ word: String?) throws {
        let found = try read([], commandLine: commandLine)
        #expect(found.ban?.text == word)
        #expect(found.ban.map { $0.file == "/proc/cmdline" } ?? true)
    }

    @Test(arguments: [("etc/systemd/system.conf", 0), ("etc/inittab", 1)])
    func `options in etc modules are for scripts, not for systemd`(_ mark: String, _ count: Int) throws {
        let directory = try TemporaryDirectory()
        try directory.write("si::sysinit:/etc/init.d/rcS\n", to: mark)
        try directory.write("nf_conntrack hashsize=5\n", to: "etc/modules")
        try directory.write("", to: "etc/modules-load.d/x.conf")
        symlink("../modules", directory.path(of: "etc/modules-load.d/modules.conf"))
        let tree = FileTree(root: directory.path)
        #expect(ModuleConfiguration(tree: tree, commandLine: nil).loaders.count == count)
        let text = ConntrackText(
            tree: tree, reader: .systemd, names: SettingNames(live: []), release: KernelRelease("6.1.0"))
        #expect(text.lines.count == 1 - count)
    }

    @Test(arguments: [
        ("nf_conntrack_ipv4", "4.15.0", "4.19.0"), ("nf_nat_ipv4", "4.19.0", "5.4.0"),
        ("nf_conntrack_ipv6", "4.18.0-25-generic", "4.18.0-553.el8.x86_64"),
    ])
    func `a module that became a part of another loads nothing`(_ name: String, _ before: String, _ since: String)
        throws
    {
        let directory = try TemporaryDirectory()
        try directory.write(name + "\n", to: "etc/modules-load.d/x.conf")
        let counts = [before, since].map { release in
            ModuleConfiguration(
                tree: FileTree(root: directory.path), commandLine: nil, release: KernelRelease(release)
            ).loaders.count
        }
        #expect(counts == [1, 0])
    }

    @Test func `what is on the blacklist is loaded by what depends on it only`() throws {
        let blacklist = ("etc/modprobe.d/x.conf", "blacklist nf-conntrack\n")
        let found = try read([blacklist, ("etc/modules-load.d/x.conf", "nf_conntrack\n")])
        #expect(found.blacklist?.line == 1)
        #expect(found.loaders.isEmpty)
        #expect(try read([blacklist, ("etc/modules-load.d/x.conf", "nf_conntrack_ftp\n")]).loaders.count == 1)
    }

    @Test(arguments: [
        ("nf_conntrack", true), ("nf-conntrack", true), ("nf_conntrack_ftp", true), ("xt_conntrack", true),
        ("br_netfilter", false), ("# nf_conntrack", false), ("nfs", false),
    ])
    func `modules-load names modules that bring nf_conntrack`(_ line: String, _ brings: Bool) throws {
        #expect(try read([("usr/lib/modules-load.d/x.conf", line + "\n")]).loaders.isEmpty == !brings)
        #expect(try read([("etc/modules-load.d/x.txt", line + "\n")]).loaders.isEmpty)
    }

    @Test func `EL6's module scripts and the command line load it too`() throws {
        #expect(
            try read([("etc/sysconfig/modules/a.modules", "#!/bin/sh\nmodprobe nf_conntrack\n")]).loaders.count == 1)
        #expect(try read([], commandLine: "ro modules_load=dummy,nf_conntrack").loaders.count == 1)
        #expect(try read([], commandLine: "ro modules_load=dummy").loaders.isEmpty)
    }

    @Test func `a udev rule restores only when it runs sysctl`() throws {
        let rule = #"ACTION=="add", SUBSYSTEM=="module", KERNEL=="nf_conntrack", RUN+=""#
        let name = "etc/udev/rules.d/50-x.rules"
        #expect(try read([(name, rule + "/usr/lib/systemd/systemd-sysctl\"\n")]).restoresConfiguration)
        #expect(try !read([(name, rule + "/bin/logger loaded\"\n")]).restoresConfiguration)
        #expect(try !read([(name, "# " + rule + "/usr/lib/systemd/systemd-sysctl\"\n")]).restoresConfiguration)
    }
}
