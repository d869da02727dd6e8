// SPDX-License-Identifier: GPL-3.0-or-later

import ConntrackModel
import TestKit
import Testing

@testable import ConntrackHost

/// IPTABLES_SYSCTL_LOAD_LIST of EL's iptables service.
@Suite struct LoadListWritersTests {
    private static let config = "etc/sysconfig/iptables-config"
    private static let list = "IPTABLES_SYSCTL_LOAD_LIST="
    private static let main = ("etc/sysctl.conf", "net.netfilter.nf_conntrack_max = 2100000\n")
    private static let el6 = [("etc/rc.d/rc.sysinit", ""), ("etc/redhat-release", "CentOS release 6.10 (Final)\n")]

    private func acts(_ files: [(String, String)]) throws -> [String] {
        try SysctlTree(files).read(LoadListWriters.all).flatMap(\.acts).map(\.shown)
    }

    private static func script(_ line: String, list: String = "") -> (String, String) {
        (
            "usr/libexec/iptables/iptables.init",
            """
            IPTABLES_MODULES_UNLOAD="yes"
            IPTABLES_SYSCTL_LOAD_LIST="\(list)"
            [ -f "$IPTABLES_CONFIG" ] && . "$IPTABLES_CONFIG"
                    for item in $IPTABLES_SYSCTL_LOAD_LIST; do
                        \(line) | sysctl -p - >/dev/null
                    done
            """
        )
    }

    @Test func `a start of iptables sets what the list matches`() throws {
        let files = Self.el6 + [Self.main, (Self.config, "# x\n\(Self.list)\".nf_conntrack .bridge-nf\"\n")]
        let evidence = Evidence(
            file: "/etc/sysctl.conf", line: 1, text: "net.netfilter.nf_conntrack_max = 2100000")
        #expect(
            try SysctlTree(files).read(LoadListWriters.all) == [
                Writer(
                    name: "the iptables service", when: .firewall(.iptables),
                    acts: [.set("nf_conntrack_max", 2_100_000, evidence)],
                    evidence: Evidence(
                        file: "/etc/sysconfig/iptables-config", line: 2,
                        text: "\(Self.list)\".nf_conntrack .bridge-nf\""))
            ])
    }

    /// "net.nf_conntrack" is no part of "net.netfilter.nf_conntrack_max".
    @Test(arguments: ["\"net.nf_conntrack\"", "", "\"\"", "conntrak", "\"nf_conntrack_udp\"", "\"NF_CONNTRACK\""])
    func `a list that matches no line sets nothing`(_ list: String) throws {
        #expect(try acts(Self.el6 + [Self.main, (Self.config, Self.list + list)]) == [])
    }

    @Test func `ip6tables has a list of its own`() throws {
        let files =
            Self.el6 + [Self.main, ("etc/sysconfig/ip6tables-config", "IP6TABLES_SYSCTL_LOAD_LIST=nf_conntrack")]
        let writers = try SysctlTree(files).read(LoadListWriters.all)
        #expect(writers.map(\.when) == [.firewall(.ip6tables)])
        #expect(writers.map(\.name) == ["the ip6tables service"])
    }

    @Test func `a service that is not started sets nothing`() throws {
        let files =
            Self.el6 + [
                Self.main, (Self.config, Self.list + "nf_conntrack"), ("etc/rc.d/rc3.d/S08ip6tables", ""),
            ]
        #expect(try acts(files) == [])
    }

    // MARK: Which files

    private static let dropIn = ("etc/sysctl.d/50-a.conf", "net.nf_conntrack_max = 7\n")
    private static let backup = ("etc/sysctl.d/60-a.conf.rpmsave", "net.nf_conntrack_max = 8\n")

    @Test(arguments: [
        ("fgrep $item /etc/sysctl.conf", "2100000"), ("fgrep -hs $item /etc/sysctl.d/*", "8"),
        ("fgrep -hs \"$item\" /etc/sysctl.d/*.conf", "7"),
        ("grep -F -hs $item /etc/sysctl.d/* /etc/sysctl.conf", "2100000"),
    ])
    func `the script says which files are searched`(_ line: String, _ value: String) throws {
        let files = [Self.main, Self.dropIn, Self.backup, Self.script(line), (Self.config, Self.list + "nf_conntrack")]
        #expect(try acts(files) == ["nf_conntrack_max=\(value)"])
    }

    @Test func `a list may stand in the script itself`() throws {
        let script = Self.script("fgrep $item /etc/sysctl.conf", list: "net.netfilter")
        #expect(try acts([Self.main, script]) == ["nf_conntrack_max=2100000"])
        #expect(try acts([Self.main, script, (Self.config, Self.list + "\"\"")]) == [])
        #expect(try acts([Self.main, script, (Self.config, "#" + Self.list + "\"\"")]) == ["nf_conntrack_max=2100000"])
    }

    @Test func `a script that knows no list heeds none`() throws {
        let script = ("usr/libexec/iptables/iptables.init", "IPTABLES_MODULES_UNLOAD=yes\n")
        #expect(try acts([Self.main, script, (Self.config, Self.list + "nf_conntrack")]) == [])
    }

    @Test(arguments: [
        ("CentOS release 6.10 (Final)", ["2100000"]), ("CentOS Linux release 7.9.2009 (Core)", ["2100000?", "7?"]),
        ("Rocky Linux release 9.4 (Blue Onyx)", ["7"]), ("Fedora release 40 (Forty)", ["7"]), ("", ["2100000?", "7?"]),
    ])
    func `without a script the release tells, as far as it does`(_ release: String, _ values: [String]) throws {
        let files = [
            Self.main, Self.dropIn, ("etc/redhat-release", release), (Self.config, Self.list + "nf_conntrack"),
        ]
        #expect(try acts(files) == values.map { "nf_conntrack_max=\($0)" })
    }

    /// EL7 links /etc/sysctl.d/99-sysctl.conf to it.
    @Test func `ways that end alike leave no doubt`() throws {
        let files = [
            Self.main, ("etc/sysctl.d/99-sysctl.conf", "-> ../sysctl.conf"),
            ("etc/redhat-release", "CentOS Linux release 7.9"),
            (Self.config, Self.list + "nf_conntrack"),
        ]
        #expect(try acts(files) == ["nf_conntrack_max=2100000"])
    }
}
