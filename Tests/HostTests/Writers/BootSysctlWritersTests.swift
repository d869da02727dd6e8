// SPDX-License-Identifier: GPL-3.0-or-later

import ConntrackModel
import TestKit
import Testing

@testable import ConntrackHost

/// What applies sysctl configuration at boot.
@Suite struct BootSysctlWritersTests {
    private static let line = "net.netfilter.nf_conntrack_max = 5"
    private static let systemd = ("etc/systemd/system.conf", "")
    private static let conf = ("etc/sysctl.d/50-a.conf", line)
    private static let sysinit = ("etc/rc.d/rc.sysinit", "")
    private static let network = "the network service"

    private func writers(_ files: [(String, String)], release: String? = "6.1.0") throws -> [String] {
        try SysctlTree(files, release: release).read(BootSysctlWriters.all).map { writer in
            let doubt = writer.certainty == .certain ? "" : "?"
            return "\(writer.name)\(doubt): \(writer.acts.map(\.shown).joined(separator: " "))"
        }
    }

    @Test func `systemd-sysctl applies what it reads`() throws {
        let tree = try SysctlTree([Self.systemd, Self.conf])
        let evidence = Evidence(file: "/etc/sysctl.d/50-a.conf", line: 1, text: Self.line)
        #expect(
            tree.read(BootSysctlWriters.all) == [
                Writer(
                    name: "systemd-sysctl", when: .boot, acts: [.set("nf_conntrack_max", 5, evidence)],
                    evidence: evidence)
            ])
    }

    @Test(arguments: [
        [("etc/sysctl.conf", line)], [("etc/sysctl.d/a.conf", "net.ipv4.ip_forward = 1")],
        [conf, ("etc/systemd/system/systemd-sysctl.service", "-> /dev/null")],
        [conf, ("run/systemd/system/systemd-sysctl.service", "")],
    ])
    func `a boot that sets nothing of conntrack has no writer`(_ files: [(String, String)]) throws {
        #expect(try writers([Self.systemd] + files) == [])
    }

    @Test func `a unit of the host's own runs what it says`() throws {
        let unit = (
            "etc/systemd/system/systemd-sysctl.service",
            "[Service]\nExecStart=-/usr/lib/systemd/systemd-sysctl --prefix=net.ipv4\n"
        )
        #expect(try writers([Self.systemd, Self.conf, unit]) == [])
    }

    @Test func `a drop-in adds a command, or takes the others away`() throws {
        let file = "etc/systemd/system/systemd-sysctl.service.d/a.conf"
        let main = ("etc/sysctl.conf", "net.nf_conntrack_max = 9")
        let added = (file, "[Service]\nExecStart=/sbin/sysctl -p\n")
        let reset = (file, "[Service]\nExecStart=\nExecStart=/sbin/sysctl -p\n")
        #expect(
            try writers([Self.systemd, Self.conf, main, added]) == [
                "systemd-sysctl: nf_conntrack_max=5 nf_conntrack_max=9"
            ])
        #expect(try writers([Self.systemd, Self.conf, main, reset]) == ["systemd-sysctl: nf_conntrack_max=9"])
    }

    @Test func `EL6 applies sysctl conf before sysctl d, and again with the network`() throws {
        let files = [
            Self.sysinit, Self.conf, ("etc/sysctl.conf", "net.nf_conntrack_max = 9"), ("etc/rc.d/rc3.d/S10network", ""),
        ]
        #expect(
            try writers(files, release: "2.6.32-754.el6")
                == ["rc.sysinit: nf_conntrack_max=5", "\(Self.network): nf_conntrack_max=5"])
    }

    @Test(arguments: [
        ("etc/rc.d/rc3.d/S10network", "", "\(network): "), ("etc/rc.d/rc3.d/K90network", "", "\(network)?: "),
        ("etc/rc.d/rc3.d/S08iptables", "", nil), ("etc/sysconfig/network", "NETWORKING=yes", "\(network)?: "),
        ("etc/sysconfig/network", "NETWORKING=no", nil),
    ])
    func `the network service of EL6 acts where it is started`(_ file: String, _ text: String, _ start: String?) throws
    {
        let found = try writers([Self.sysinit, Self.conf, (file, text)], release: "2.6.32-754.el6")
        #expect(found == ["rc.sysinit: nf_conntrack_max=5"] + (start.map { [$0 + "nf_conntrack_max=5"] } ?? []))
    }

    @Test(arguments: [
        (["etc/rc.d/rc3.d/S10network"], "\(network): "), (["etc/rc.d/init.d/network"], "\(network)?: "), ([], nil),
        (["etc/rc.d/rc3.d/S99x", "etc/rc.d/init.d/network"], nil),
    ])
    func `the network service of EL7 runs systemd-sysctl`(_ scripts: [String], _ start: String?) throws {
        let found = try writers([Self.systemd, Self.conf] + scripts.map { ($0, "") }, release: "3.10.0-1160.el7")
        #expect(found == ["systemd-sysctl: nf_conntrack_max=5"] + (start.map { [$0 + "nf_conntrack_max=5"] } ?? []))
    }
}
