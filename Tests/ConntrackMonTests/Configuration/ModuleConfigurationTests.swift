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
