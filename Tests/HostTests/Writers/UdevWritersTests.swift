// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// udev rules for the load of a module.
@Suite struct UdevWritersTests {
    private static let set = "/sbin/sysctl -w net.netfilter.nf_conntrack_max=5"
    private static let module = "ACTION==\"add\", SUBSYSTEM==\"module\", KERNEL==\"nf_conntrack\""

    private func writers(_ files: [String: String], release: String? = nil) throws -> [String] {
        try ShellHost(files).writers(UdevWriters.all, release: release).map(ShellHost.text)
    }

    private func writers(_ rules: String) throws -> [String] {
        try writers(["etc/udev/rules.d/50-x.rules": rules + "\n"])
    }

    @Test(arguments: [
        "\(module), RUN+=\"\(set)\"", "\(module) RUN+=\"\(set)\"", "KERNEL==\"nf_conntrack\",RUN=\"\(set)\"",
        "ACTION==\"add|change\", SUBSYSTEM==\"module\", KERNEL==\"nf_conn*\", RUN+=\"\(set)\"",
        "ACTION!=\"remove\", DEVPATH==\"/module/nf_conntrack\", RUN{program}+=\"\(set)\"",
        "ENV{ACTION}==\"add\", SUBSYSTEM==\"module\", KERNEL==\"loop|nf_conntrack\", RUN+=\"\(set)\"",
        "\(module), RUN+=\"/bin/sh -c 'sleep 1; sysctl -w net.netfilter.nf_conntrack_max=5'\"",
        "\(module), RUN+=\"/bin/sh -c \\\"echo 5 > /proc/sys/net/nf_conntrack_max\\\"\"",
        "\(module), SYSCTL{net.netfilter.nf_conntrack_max}=\"5\"", "\(module), \\\n  RUN+=\"\(set)\"",
        "\(module), DRIVER==\"\", RUN+=\"\(set)\"",
        "\(module), GOTO=\"x\"\n\(module), RUN+=\"/bin/no\"\nLABEL=\"x\", RUN+=\"\(set)\"",
        "\(module), ENV{N}=\"5\"\n\(module), RUN+=\"/sbin/sysctl -w net.netfilter.nf_conntrack_max=$env{N}\"",
        "\(module), RUN+=\"/sbin/sysctl -w net.netfilter.%k_max=5\"",
        "\(module), TEST==\"/proc/sys/net/netfilter\", RUN+=\"\(set)\"",
    ])
    func `a rule that fits the load sets the limit`(_ rule: String) throws {
        #expect(try writers(rule) == ["uevent nf_conntrack the udev rule: nf_conntrack_max=5"])
    }

    @Test(arguments: [
        "# \(module), RUN+=\"\(set)\"", "ACTION==\"remove\", KERNEL==\"nf_conntrack\", RUN+=\"\(set)\"",
        "ACTION==\"add\", SUBSYSTEM==\"net\", KERNEL==\"nf_conntrack\", RUN+=\"\(set)\"",
        "\(module), DRIVER==\"?*\", RUN+=\"\(set)\"",
        "KERNEL!=\"nf_conntrack\", SUBSYSTEM==\"module\", RUN+=\"\(set)\"",
        // udev runs no shell, and looks for programs in its own folder alone.
        "\(module), RUN+=\"sysctl -w net.netfilter.nf_conntrack_max=5\"",
        "\(module), RUN+=\"/bin/echo 5 > /proc/sys/net/nf_conntrack_max\"",
        "\(module), RUN+=\"/bin/true; \(set)\"", "\(module), RUN+=\"/bin/true && \(set)\"",
        "\(module), RUN+=\"\(set)\"\n\(module), RUN=\"/bin/true\"",
        "\(module), RUN:=\"/bin/true\"\n\(module), RUN+=\"\(set)\"",
        "\(module), RUN+=\"\(set)", "\(module), GOTO=\"x\"\n\(module), RUN+=\"\(set)\"\nLABEL=\"x\"",
        "\(module), RUN+=\"/usr/bin/logger nf_conntrack loaded\"", "\(module), ENV{X}==\"1\", RUN+=\"\(set)\"",
        "ACTION==\"add\", SUBSYSTEM==\"module\", KERNEL==\"bridge\", RUN+=\"/usr/lib/systemd/systemd-sysctl --prefix=/net/bridge\"",
        "SUBSYSTEM==\"net\", KERNEL!=\"lo\", RUN+=\"/usr/lib/systemd/systemd-sysctl --prefix=/net/ipv4/conf/$name\"",
        "\(module), RUN{builtin}+=\"kmod load nf_conntrack\"", "\(module), TAGS==\"\", RUN+=\"\(set)\"",
    ])
    func `a rule that does not fit, or runs nothing that sets it, is no writer`(_ rule: String) throws {
        #expect(try writers(rule) == [])
    }

    @Test(arguments: [
        ("\(module), ATTR{initstate}==\"live\", RUN+=\"\(set)\"", "the udev rule?: nf_conntrack_max=5"),
        ("\(module), PROGRAM==\"/bin/foo\", RUN+=\"\(set)\"", "the udev rule?: nf_conntrack_max=5"),
        ("\(module), PROGRAM==\"\(set)\"", "the udev rule: nf_conntrack_max=5"),
        ("\(module), RUN{builtin}+=\"kmod load nf_conntrack_ftp\"", "the udev rule: load nf_conntrack_ftp"),
        (
            "\(module), RUN+=\"/usr/sbin/sysctl net.netfilter.nf_conntrack_tcp_be_liberal=1\"",
            "the udev rule: nf_conntrack_tcp_be_liberal=1"
        ),
        (
            "\(module), ATTR{x}==\"1\", GOTO=\"e\"\n\(module), RUN+=\"\(set)\"\nLABEL=\"e\"",
            "the udev rule?: nf_conntrack_max=5"
        ),
    ])
    func `what a rule does is told`(_ rule: String, _ found: String) throws {
        #expect(try writers(rule) == ["uevent nf_conntrack " + found])
    }

    @Test func `a file hides another of its name`() throws {
        let rule = "\(UdevWritersTests.module), RUN+=\"\(UdevWritersTests.set)\"\n"
        #expect(try writers(["usr/lib/udev/rules.d/9.rules": rule, "etc/udev/rules.d/9.rules": ""]) == [])
        #expect(try writers(["usr/lib/udev/rules.d/9.rules": rule]).count == 1)
        #expect(try writers(["etc/udev/rules.d/9.rule": rule]) == [])
    }

    @Test func `a program of udev's own folder is found there`() throws {
        let rule = "\(UdevWritersTests.module), RUN+=\"tune 5\"\n"
        let script = "#!/bin/sh\n[ $ACTION = add ] && echo $1 > /proc/sys/net/nf_conntrack_max\n"
        #expect(
            try writers(["etc/udev/rules.d/9.rules": rule, "usr/lib/udev/tune": script])
                == ["uevent nf_conntrack the udev rule: nf_conntrack_max=5"])
    }

    @Test func `before 4_19 the module that brings the timeouts has its own event`() throws {
        let rule = "SUBSYSTEM==\"module\", KERNEL==\"nf_conntrack_ipv4\", RUN+=\"\(UdevWritersTests.set)\"\n"
        #expect(
            try writers(["etc/udev/rules.d/9.rules": rule], release: "3.10.0-1160.el7")
                == ["uevent nf_conntrack_ipv4 the udev rule: nf_conntrack_max=5"])
        #expect(try writers(["etc/udev/rules.d/9.rules": rule], release: "5.10.0") == [])
    }
}
