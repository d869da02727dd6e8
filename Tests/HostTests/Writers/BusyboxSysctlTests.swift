// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// busybox's sysctl takes lines otherwise than procps.
@Suite struct BusyboxSysctlTests {
    private static let max = "net.netfilter.nf_conntrack_max"
    private static let table: [(String, String?)] = [
        ("\(max)=7", "7"), (" \(max) \t=\t 7 ", "7"), ("net/netfilter/nf_conntrack_max = 7", "7"),
        ("\(max)=7\r", "7"), ("\(max) = 7 # x", "7 # x"), ("\(max) = \\\n7", "7"), ("\(max) == 7", "= 7"),
        ("#\(max)=7", nil), (" ;\(max)=7", nil), ("-\(max)=7", nil), ("/net/netfilter/nf_conntrack_max=7", nil),
        ("net.netfilter.nf_conntrack_ma*=7", nil), ("\(max): 7", nil), ("\(max) 7", nil), ("=\(max)=7", nil),
    ]

    @Test(arguments: table)
    func `a line is taken as busybox takes it`(_ text: String, _ value: String?) {
        let found = SysctlSyntax.parse(text + "\n", by: .busybox).assignments.last {
            $0.key == "net/netfilter/nf_conntrack_max"
        }
        #expect(found?.value == value)
    }

    /// The real one, before files of its own in place of /proc/sys.
    @Test(.enabled(if: Requirement.met(.networkNamespace) && access("/bin/busybox", X_OK) == 0), arguments: table)
    func `busybox itself takes it so`(_ text: String, _ value: String?) throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(text + "\n", to: "a.conf")
        try directory.write("before", to: "sys/net/netfilter/nf_conntrack_max")
        let script = "mount --bind \(directory.path)/sys /proc/sys && busybox sysctl -p \(file); exit 0"
        let outcome = try Command("/usr/bin/env", "unshare", "-m", "sh", "-c", script).run()
        try #require(outcome.status == .exited(0), "\(outcome)")
        #expect(try directory.read("sys/net/netfilter/nf_conntrack_max") == value ?? "before", "\(outcome)")
    }

    @Test(arguments: [
        ("-\(max) = 7", "dash", "write \(max) = 7"),
        ("/net/netfilter/nf_conntrack_max=7", "slash", "nf_conntrack_max = 7"),
        ("net.netfilter.nf_conntrack_*_timeout = 7", "wildcards", "write each setting by its name"),
        ("net.ipv4.nf_conntrack_max = 7", "there is no setting", "write \(max) = 7"),
    ])
    func `a line that only others understand is told`(_ text: String, _ reason: String, _ cure: String) throws {
        let host = try InitHost(["etc/alpine-release = 3.20.0", "etc/sysctl.conf = \(text)|\(Self.max) = 9"])
        let found = ConntrackText(
            tree: host.tree, reader: .atBoot(of: host.tree), names: SettingNames(live: []),
            release: KernelRelease("6.6.31"))
        #expect(found.lines.map(\.evidence.line) == [1])
        #expect(found.lines.first?.fault.reason.contains(reason) == true)
        #expect(found.lines.first?.fault.cure.contains(cure) == true)
    }

    /// Lists of modules that the init does not look at, and those that it does.
    @Test(
        arguments: [
            (
                ["etc/rc.d/rc.sysinit", "etc/modules-load.d/a.conf = nf_conntrack"],
                "nothing on this host reads modules-load.d"
            ),
            (
                ["etc/openwrt_release", "etc/modules-load.d/a.conf = nf_conntrack"],
                "nothing on this host reads modules-load.d"
            ),
            (["+etc/rc.d/rc.sysinit", "etc/sysconfig/modules/a.modules = modprobe nf_conntrack"], "not executable"),
            (
                ["etc/systemd/system.conf", "etc/modules-load.d/a.conf = dummy", "etc/modules = nf_conntrack"],
                "no link there"
            ),
            (
                ["etc/systemd/system.conf", "etc/modules-load.d/a.conf = nf_conntrack", "etc/modules = nf_conntrack"],
                nil
            ),
            (["etc/systemd/system.conf", "etc/modules-load.d/m.conf > ../modules", "etc/modules = nf_conntrack"], nil),
            (
                ["etc/openwrt_release", "etc/modules.d/a = nf_conntrack", "etc/modules-load.d/a.conf = nf_conntrack"],
                nil
            ),
            (["etc/rc.d/rc.sysinit", "+etc/sysconfig/modules/a.modules = modprobe nf_conntrack"], nil),
            (["etc/alpine-release", "etc/modules = nf_conntrack hashsize=9"], nil),
            (["etc/alpine-release", "etc/modules = nf_contrack"], "there is no module nf_contrack"),
            (
                [
                    "etc/os-release = ID=homemade", "etc/modules = nf_contrack",
                    "etc/modules-load.d/a.conf = nf_contrack",
                ], nil
            ),
        ] as [([String], String?)])
    func `a list that nobody reads is told`(_ files: [String], _ reason: String?) throws {
        let host = try InitHost(files)
        let found = ConntrackText(
            tree: host.tree, reader: .atBoot(of: host.tree), names: SettingNames(live: []),
            release: KernelRelease("6.6.31"))
        #expect(found.lines.count == (reason == nil ? 0 : 1))
        if let reason { #expect(found.lines.first?.fault.reason.contains(reason) == true, "\(found.lines)") }
    }
}
