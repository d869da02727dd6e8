// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// Lines that name conntrack and do nothing, and those that only look so.
@Suite struct ConntrackTextTests {
    private let names = SettingNames(live: ["nf_conntrack_max", "nf_conntrack_vendor_knob"])
    private let old = KernelRelease("2.6.32-504.el6")
    private let new = KernelRelease("6.1.0")

    @Test(arguments: [
        ("net.ipv4.nf_conntrack_max = 7", "there is no setting net.ipv4.nf_conntrack_max"),
        ("net.ipv4.netfilter.nf_conntrack_max = 7", "there is no setting net.ipv4.netfilter.nf_conntrack_max"),
        ("net.netfilter.ip_conntrack_max = 7", "there is no setting net.netfilter.ip_conntrack_max"),
        ("net.netfilter.nf-conntrack-max = 7", "there is no setting net.netfilter.nf-conntrack-max"),
        ("net.nf_conntrack.max = 7", "there is no setting net.nf_conntrack.max"),
        ("net.netfilter/nf_conntrack_max = 7", "there is no setting net.netfilter/nf_conntrack_max"),
        ("/proc/sys/net/netfilter/nf_conntrack_max=7", "there is no setting /proc/sys/net/netfilter/nf_conntrack_max"),
        ("nf_conntrack_max=7", "there is no setting nf_conntrack_max"),
        (
            "net.netfilter.nf_conntrack_count = 7",
            "nf_conntrack_count is read-only, the number of entries; nf_conntrack_max was meant"
        ),
        ("NET.NETFILTER.NF_CONNTRACK_MAX = 7", "names of settings have no capital letters"),
        ("\"net.netfilter.nf_conntrack_max\" = 7", "quotation marks are taken for a part of the name"),
        ("set net.netfilter.nf_conntrack_max=7", "a command stands where only `key = value` is read"),
        ("sysctl -w net.netfilter.nf_conntrack_max=7", "a command stands where only `key = value` is read"),
        (
            "/sbin/sysctl -q -w \"net.netfilter.nf_conntrack_max = 7\"",
            "a command stands where only `key = value` is read"
        ),
        ("sudo sysctl net.netfilter.nf_conntrack_max=7", "a command stands where only `key = value` is read"),
        ("echo 7 > /proc/sys/net/netfilter/nf_conntrack_max", "a command stands where only `key = value` is read"),
        ("net.netfilter.nf_conntrack_max := 7", "the name is not all that stands before the equals sign"),
        ("net.netfilter.nf_conntrack_max: 7", "a colon stands where an equals sign belongs"),
        ("net.netfilter.nf_conntrack_max 7", "an equals sign is missing between name and value"),
        (
            "\u{feff}net.netfilter.nf_conntrack_max = 7",
            "an invisible character (U+FEFF, a byte order mark) is taken for a part of the name"
        ),
        (
            "net.netfilter.nf_conntrack_max\u{a0}= 7",
            "an invisible character (U+00A0, a no-break space) is taken for a part of the name"
        ),
        (
            "net.netfilter.nf_conntrack_max\u{200b} = 7",
            "an invisible character (U+200B) is taken for a part of the name"
        ),
    ])
    func `a line that sets nothing is told with its reason and the line to write`(_ line: String, _ reason: String) {
        let fault = SysctlLine.fault(in: line, names: names)
        #expect(fault?.reason == reason)
        #expect(fault?.cure == "write net.netfilter.nf_conntrack_max = 7")
        #expect(fault?.setting == "nf_conntrack_max")
        #expect(fault?.value == 7)
    }

    @Test(arguments: [
        ("nf_conntrack_tcp_timeout_timewait", "nf_conntrack_tcp_timeout_time_wait"),
        ("nf_conntrack_tcp_timeout_establish", "nf_conntrack_tcp_timeout_established"),
        ("nf_conntrack_tcp_established_timeout", "nf_conntrack_tcp_timeout_established"),
        ("nf_contrack_max", "nf_conntrack_max"), ("nf_conntrak_udp_timeout", "nf_conntrack_udp_timeout"),
        ("nf_conntrack_bucket", "nf_conntrack_buckets"),
    ])
    func `a slip is told with the nearest name, and as a guess`(_ wrong: String, _ right: String) {
        let fault = SysctlLine.fault(in: "net.netfilter.\(wrong) = 5", names: names)
        #expect(fault?.reason == "there is no setting net.netfilter.\(wrong)")
        #expect(fault?.cure == "write net.netfilter.\(right) = 5, if that was meant")
    }

    @Test(arguments: [
        "# net.ipv4.nf_conntrack_max = 7", "; nf_conntrack_max 7", "\u{feff}# nf_conntrack_max = 7",
        "net.netfilter.nf_conntrack_max = 7", "net/netfilter/nf_conntrack_max=7", "net.nf_conntrack_max = 7",
        "/net//netfilter/nf_conntrack_max = 7", "-net.netfilter.nf_conntrack_nothing = 7",
        "-net.netfilter.nf_conntrack_max", "net.netfilter.nf_conntrack_* = 7", "net.netfilter.nf_conntrack_helper = 0",
        "net.netfilter.nf_conntrack_dccp_loose = 1", "net.netfilter.nf_conntrack_frag6_timeout = 7",
        "net.netfilter.nf_conntrack_icmpv6_timeout = 7", "net.netfilter.nf_conntrack_vendor_knob = 7",
        "net.ipv4.netfilter.ip_conntrack_max = 7", "net.ipv4.ip_conntrack_max = 7", "net.ipv4.vs.conntrack = 1",
        "net.ipv4.conf.conntrack0.rp_filter = 2", "kernel.core_pattern = |/usr/bin/conntrack %p", "[conntrack]",
        "conntrack settings of the gateway", "Lines as net.netfilter.nf_conntrack_max", "net.core.somaxconn 7",
        "net.netfilter.nf_conntrack_max = \"7\"", "net.ipv4.contact_me = 1", "net.vendor.contract_length = 1",
    ])
    func `an ordinary line is not told`(_ line: String) {
        #expect(SysctlLine.fault(in: line, names: names) == nil)
    }

    @Test func `a name of another kernel is not told where nothing is live to compare with`() {
        let line = "net.netfilter.nf_conntrack_proxy_arp_depth = 1"
        #expect(SysctlLine.fault(in: line, names: SettingNames(live: [])) == nil)
        #expect(SysctlLine.fault(in: line, names: names)?.cure.contains("take the line out") == true)
        #expect(SysctlLine.fault(in: line, names: names)?.isCertain == false)
    }

    @Test func `options of a module do nothing in sysctl_d`() {
        let fault = SysctlLine.fault(in: "options nf_conntrack hashsize=5", names: names)
        #expect(fault?.cure == "write the line to /etc/modprobe.d/conntrack.conf")
    }

    @Test(arguments: [("4.4.0-210-generic", true), ("4.8.0-58-generic", false), ("3.10.0-1160.el7.x86_64", false)])
    func `the buckets are given at load before 4.8`(_ release: String, _ areFixed: Bool) {
        let names = SettingNames(live: ["nf_conntrack_max"], release: KernelRelease(release))
        let fault = SysctlLine.fault(in: "net.netfilter.nf_conntrack_buckets = 65536", names: names)
        #expect(names.isSetting("nf_conntrack_buckets") == !areFixed)
        #expect((fault != nil) == areFixed)
        #expect(fault.map { $0.reason == "nf_conntrack_buckets is read-only before 4.8" } ?? true)
        #expect(
            fault.map { $0.cure == "write options nf_conntrack hashsize=65536 to /etc/modprobe.d/conntrack.conf" }
                ?? true)
    }

    @Test(arguments: [
        ("nf_conntrack_ipv4", "write nf_conntrack"), ("nf-conntrack-ipv6", "write nf_conntrack"),
        ("nf_contrack", "write nf_conntrack"), ("NF_CONNTRACK", "write nf_conntrack"),
        ("conntrack", "write nf_conntrack"), ("nf_conntrack.ko", "write nf_conntrack"),
        ("nf_conntracks", "write nf_conntrack"),
        ("nf_conntrack_proto_gre", "write nf_conntrack"),
        ("\"nf_conntrack\"", "write nf_conntrack"), ("nf_conntrack\u{a0}", "write nf_conntrack"),
        ("nf_conntrack hashsize=5", "write nf_conntrack alone; options stand in /etc/modprobe.d"),
        ("modprobe nf_conntrack", "write nf_conntrack alone; options stand in /etc/modprobe.d"),
        ("net.netfilter.nf_conntrack_max = 7", "write the line to a file of /etc/sysctl.d"),
    ])
    func `a line of modules-load that loads nothing is told`(_ line: String, _ cure: String) {
        #expect(ModuleLine.fault(ofLoad: line, names: names, release: new)?.cure == cure)
    }

    @Test(arguments: [
        "nf_conntrack", "nf-conntrack", "ip_conntrack", "nf_conntrack_ftp", "nf_conntrack_rtsp", "br_netfilter",
    ])
    func `a module, or one that may be somebody's, is not told`(_ line: String) {
        #expect(ModuleLine.fault(ofLoad: line, names: names, release: new) == nil)
    }

    @Test func `nf_conntrack_ipv4 is gone since 4.19 and EL8's 4.18`() {
        for (release, isGone) in [
            ("4.18.0-553.el8.x86_64", true), ("4.19.0-27-amd64", true), ("4.18.0-25-generic", false),
            ("3.10.0-1160.el7.x86_64", false),
        ] {
            let fault = ModuleLine.fault(ofLoad: "nf_conntrack_ipv4", names: names, release: KernelRelease(release))
            #expect((fault != nil) == isGone)
        }
        #expect(ModuleLine.fault(ofLoad: "nf_conntrack_ipv4", names: names, release: nil) == nil)
    }

    @Test(arguments: [
        ("hashsize = 262144", "hashsize has no value: blanks part it from what follows", "hashsize=262144"),
        ("hashsize 262144", "hashsize has no value: blanks part it from what follows", "hashsize=262144"),
        ("hashsize= 262144", "hashsize has no value: blanks part it from what follows", "hashsize=262144"),
        (
            "acct=1 hashsize =262144", "hashsize has no value: blanks part it from what follows",
            "acct=1 hashsize=262144"
        ),
        (
            "hashsize=8192 expect_hashsize = 512", "expect_hashsize has no value: blanks part it from what follows",
            "hashsize=8192 expect_hashsize=512"
        ),
        ("hashsize", "hashsize has no value", "hashsize=N, with a number for N"),
        ("hashsize=256k", "256k is no number for hashsize", "hashsize=N, with a number for N"),
        ("hashsize=262144;", "262144; is no number for hashsize", "hashsize=262144"),
    ])
    func `an option by which the module does not load is told`(_ options: String, _ reason: String, _ cure: String) {
        let fault = ModuleLine.fault(ofModprobe: "options nf_conntrack \(options)", names: names, release: new)
        #expect(fault?.failsLoad == true)
        #expect(fault?.reason == reason + " (EINVAL)")
        #expect(fault?.cure == "write options nf_conntrack \(cure)")
    }

    @Test(arguments: [
        ("options nf_conntrack hashsiz=5", "write options nf_conntrack hashsize=5"),
        (
            "options nf_conntrack nf_conntrack_max=5",
            "take nf_conntrack_max=5 out, and write net.netfilter.nf_conntrack_max = 5 to a file of /etc/sysctl.d"
        ),
        (
            "options nf_conntrack max=5",
            "take max=5 out, and write net.netfilter.nf_conntrack_max = 5 to a file of /etc/sysctl.d"
        ),
        ("options nf_conntrack_ipv4 hashsize=5", "write options nf_conntrack hashsize=5"),
        ("options nf_contrack hashsize=5", "write options nf_conntrack hashsize=5"),
        ("option nf_conntrack hashsize=5", "write options nf_conntrack hashsize=5"),
        ("nf_conntrack hashsize=5", "write options nf_conntrack hashsize=5"),
        ("net.netfilter.nf_conntrack_max=7", "write the line to a file of /etc/sysctl.d"),
    ])
    func `a line of modprobe_d that nobody heeds is told`(_ line: String, _ cure: String) {
        let fault = ModuleLine.fault(ofModprobe: line, names: names, release: new)
        #expect(fault?.failsLoad == false)
        #expect(fault?.cure == cure)
    }

    @Test func `before 3.10 a parameter that is not there fails the load`() {
        let line = "options nf_conntrack hashsiz=5"
        #expect(ModuleLine.fault(ofModprobe: line, names: names, release: old)?.failsLoad == true)
    }

    @Test(arguments: [
        "options nf_conntrack hashsize=262144", "options nf-conntrack hashsize=\"262144\" expect_hashsize=512 acct",
        "options nf_conntrack tstamp=1 nf_conntrack_helper=0 # hashsize = 1", "options nf_conntrack_ftp ports=21,2121",
        "install nf_conntrack /sbin/modprobe -i nf_conntrack", "blacklist nf_conntrack_sip",
        "softdep nf_conntrack pre: x", "alias x nf_conntrack", "options nf_nat hashsize = 1",
    ])
    func `an ordinary line of modprobe_d is not told`(_ line: String) {
        #expect(ModuleLine.fault(ofModprobe: line, names: names, release: new) == nil)
    }

    @Test(arguments: [
        ("\"60\"", 60), ("\u{a0}60", 60), ("20;", 20), ("= 20", 20), ("1,048,576", 1_048_576), ("12k", nil),
        ("many", nil),
    ])
    func `a number is found in a value that the kernel refuses`(_ value: String, _ number: UInt64?) {
        #expect(SysctlLine.number(in: value) == number)
    }

    // MARK: Files

    private func files(
        _ names: [String], text: String = "net.netfilter.nf_conntrack_max = 7\n", release: String = "6.1.0"
    )
        throws -> [String]
    {
        let directory = try TemporaryDirectory()
        for name in names { try directory.write(text, to: name) }
        let tree = FileTree(root: directory.path)
        return ConntrackText(
            tree: tree, reader: .atBoot(of: tree), names: self.names, release: KernelRelease(release)
        ).files.map(\.file)
    }

    @Test func `a file without conf at its end is not read`() throws {
        #expect(try files(["etc/sysctl.d/90-conntrack"]) == ["/etc/sysctl.d/90-conntrack"])
        #expect(try files(["etc/sysctl.d/90.cfg"]) == ["/etc/sysctl.d/90.cfg"])
        #expect(try files(["etc/sysctl.d/90.conf.txt"]) == ["/etc/sysctl.d/90.conf.txt"])
        #expect(try files(["etc/modules-load.d/x"], text: "nf_conntrack\n") == ["/etc/modules-load.d/x"])
        let options = "options nf_conntrack hashsize=5\n"
        #expect(try files(["etc/modprobe.d/x"], text: options) == ["/etc/modprobe.d/x"])
        #expect(try files(["etc/modprobe.d/x"], text: options, release: "2.6.32") == [])
    }

    @Test(arguments: [
        "README", "README.sysctl", "90-x.conf", "90-x.conf.bak", "90-x.conf.dpkg-old", "90-x.rpmsave", "90-x.disabled",
        "90-x~", ".90-x", "90-x.conf-off",
    ])
    func `a file that was put aside is not told`(_ name: String) throws {
        #expect(try files(["etc/sysctl.d/\(name)"]) == [])
    }

    @Test func `EL6's start scripts take every file of sysctl_d`() throws {
        #expect(try files(["etc/rc.d/rc.sysinit", "etc/sysctl.d/90-conntrack"]) == [])
    }
}
