// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// ufw's two files of variables and what they name.
@Suite struct UfwWritersTests {
    private static let shipped = "IPV6=yes\nIPT_SYSCTL=/etc/ufw/sysctl.conf\nIPT_MODULES=\"\"\n"
    private static let limit = "net/ipv4/conf/all/accept_redirects=0\nnet/netfilter/nf_conntrack_max=524288\n"

    private func writers(
        enabled: String = "ENABLED=yes\n", defaults: String? = UfwWritersTests.shipped,
        sysctl: String = UfwWritersTests.limit,
        more: [(String, String)] = []
    ) throws -> [Writer] {
        let host = try ProgramHost([("etc/ufw/ufw.conf", enabled), ("etc/ufw/sysctl.conf", sysctl)] + more)
        if let defaults { try host.directory.write(defaults, to: "etc/default/ufw") }
        return host.writers(UfwWriters.all)
    }

    @Test func `each start of ufw sets what its own sysctl file says`() throws {
        let found = try writers()
        #expect(found.map(\.short) == [["max=524288"]])
        #expect(found.first?.when == .firewall(.ufw))
        #expect(found.first?.certainty == .certain)
        #expect(found.first?.places == ["/etc/ufw/sysctl.conf:2"])
        #expect(found.first?.evidence.description == "/etc/ufw/ufw.conf:1 ENABLED=yes")
    }

    @Test(arguments: [
        ("ENABLED=no\n", UfwWritersTests.shipped), ("", UfwWritersTests.shipped),
        ("#ENABLED=yes\n", UfwWritersTests.shipped),
        ("ENABLED=yes\n", "IPT_SYSCTL=\n"), ("ENABLED=yes\n", "IPT_SYSCTL=\"\" # none\n"),
        ("ENABLED=yes\n", "IPT_SYSCTL=/etc/other.conf\n"),
    ])
    func `ufw that is off, or that has no such file, sets nothing`(_ enabled: String, _ defaults: String) throws {
        #expect(try writers(enabled: enabled, defaults: defaults).isEmpty)
    }

    @Test func `the file and the modules are those that are named`() throws {
        let found = try writers(
            enabled: "ENABLED='YES'\n",
            defaults: "IPT_SYSCTL=/etc/sysctl.conf\nIPT_MODULES=\"nf_conntrack_ftp  nf_nat_ftp tcp_bbr\"\n",
            more: [("etc/sysctl.conf", "net.netfilter.nf_conntrack_acct = 1\nnet.nf_conntrack_max=9x\n")])
        #expect(found.map(\.short) == [["+nf_conntrack_ftp", "+nf_nat_ftp", "acct=1"]])
    }

    @Test func `a tree without etc default may have another file`() throws {
        #expect(try writers(defaults: nil).map(\.certainty) == [.may])
    }

    @Test func `a file that sets nothing of conntrack makes no writer`() throws {
        #expect(try writers(sysctl: "net/ipv4/ip_forward=1\n# net/netfilter/nf_conntrack_max=5\n").isEmpty)
        #expect(try writers(sysctl: "net/ipv4/nf_conntrack_max=5\n").isEmpty)
    }

    @Test func `a disabled or masked unit does not start it`() throws {
        let host = try ProgramHost([
            ("etc/ufw/ufw.conf", "ENABLED=yes\n"), ("etc/ufw/sysctl.conf", Self.limit),
            ("etc/default/ufw", Self.shipped),
        ])
        try host.enable()
        #expect(host.writers(UfwWriters.all).isEmpty)
        try host.enable("ufw")
        #expect(host.writers(UfwWriters.all).count == 1)
        try host.link("etc/systemd/system/ufw.service", to: "/dev/null")
        #expect(host.writers(UfwWriters.all).isEmpty)
    }
}
