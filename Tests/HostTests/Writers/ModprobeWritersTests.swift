// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// install and softdep lines of modprobe.d.
@Suite struct ModprobeWritersTests {
    private static let load = "/sbin/modprobe --ignore-install nf_conntrack"
    private static let limit = "/proc/sys/net/nf_conntrack_max"

    private func writers(_ files: [String: String], release: String? = "6.1.0") throws -> [String] {
        try ShellHost(files).writers(ModprobeWriters.all, release: release).map(ShellHost.text)
    }

    @Test(arguments: [
        ("\(load) ; echo 524288 > \(limit)", "nf_conntrack_max=524288"),
        ("\(load) $CMDLINE_OPTS && /sbin/sysctl -w net.netfilter.nf_conntrack_max=5", "nf_conntrack_max=5"),
        ("\(load) hashsize=4096 $CMDLINE_OPTS", "load hashsize=4096"),
        ("echo 5 > \(limit); modprobe -i nf_conntrack; echo 6 > \(limit)", "nf_conntrack_max=6"),
        ("modprobe -i nf_conntrack && modprobe nf_conntrack_ftp", "load nf_conntrack_ftp"),
        ("/usr/local/sbin/load-it", "nf_conntrack_max=unknown?, nf_conntrack_buckets=unknown?"),
        ("{ \(load); echo 5 > \(limit); }", "nf_conntrack_max=5"),
        ("\(load) && sh -c 'sleep 1; echo 5 > \(limit)' &", "nf_conntrack_max=5"),
    ])
    func `an install line acts at each load`(_ command: String, _ acts: String) throws {
        #expect(
            try writers(["etc/modprobe.d/x.conf": "install nf_conntrack \(command)\n"])
                == ["load nf_conntrack modprobe's install line: " + acts])
    }

    @Test(arguments: [
        "/bin/false", "/bin/true", ":", "exit 0", load, "/bin/true # sysctl -w net.netfilter.nf_conntrack_max=5",
        // It never comes to an end.
        "modprobe nf_conntrack; echo 5 > \(limit)",
    ])
    func `an install line that sets nothing is no writer`(_ command: String) throws {
        #expect(try writers(["etc/modprobe.d/x.conf": "install nf_conntrack \(command)\n"]) == [])
    }

    @Test func `firewalld's line applies the configuration that its pattern lets through`() throws {
        let command = "\(ModprobeWritersTests.load) $CMDLINE_OPTS && /usr/sbin/sysctl --quiet"
        let pattern = "--pattern 'net[.]netfilter[.]nf_conntrack.*' --system"
        let files = [
            "etc/modprobe.d/x.conf": "install nf_conntrack \(command) \(pattern)\n",
            "etc/sysctl.d/50.conf": "net.nf_conntrack_max = 9\n",
            "etc/sysctl.conf": "net.netfilter.nf_conntrack_max = 7\n",
        ]
        let writer = try #require(ShellHost(files).writers(ModprobeWriters.all).first)
        #expect(ShellHost.text(writer) == "load nf_conntrack modprobe's install line: nf_conntrack_max=7")
        // What to change stands in sysctl.d.
        #expect(writer.cure == nil)
    }

    @Test func `the first line counts, of files by name`() throws {
        let one = "install nf_conntrack \(ModprobeWritersTests.load); echo 1 > \(ModprobeWritersTests.limit)\n"
        let two = one.replacing("echo 1", with: "echo 2")
        let expected = ["load nf_conntrack modprobe's install line: nf_conntrack_max=1"]
        #expect(try writers(["etc/modprobe.d/a.conf": one + two]) == expected)
        #expect(try writers(["etc/modprobe.d/b.conf": two, "usr/lib/modprobe.d/a.conf": one]) == expected)
        #expect(try writers(["etc/modprobe.d/a.conf": one, "usr/lib/modprobe.d/a.conf": two]) == expected)
        #expect(try writers(["etc/modprobe.d/.a.conf": one, "etc/modprobe.d/a.conf.bak": one]) == [])
        #expect(try writers(["etc/modprobe.d/a.conf": one.replacing("nf_conntrack ", with: "nf-con* ")]) == expected)
    }

    @Test func `a softdep line puts the install line out of force`() throws {
        let install = "install nf_conntrack \(ModprobeWritersTests.load); echo 1 > \(ModprobeWritersTests.limit)\n"
        #expect(try writers(["etc/modprobe.d/a.conf": install + "softdep nf_conntrack pre: loop\n"]) == [])
        #expect(
            try writers(["etc/modprobe.d/a.conf": install + "softdep nf_conntrack post: nf_conntrack_ftp loop\n"])
                == ["load nf_conntrack modprobe's softdep line: load nf_conntrack_ftp"])
        #expect(
            try writers(["etc/modprobe.d/a.conf": "softdep bridge pre: nf_conntrack\n"])
                == ["load bridge modprobe's softdep line: load nf_conntrack"])
        #expect(try writers(["etc/modprobe.d/a.conf": "softdep nf_nat pre: nf_conntrack\n"]) == [])
    }

    @Test func `modules that bring nf_conntrack have install lines too`() throws {
        let text = "install iptable_nat modprobe -i iptable_nat; echo 5 > \(ModprobeWritersTests.limit)\n"
        #expect(
            try writers(["etc/modprobe.d/a.conf": text])
                == ["load iptable_nat modprobe's install line: nf_conntrack_max=5"])
    }

    @Test func `modprobe conf is read by old hosts alone`() throws {
        let text = "install nf_conntrack \(ModprobeWritersTests.load); echo 1 > \(ModprobeWritersTests.limit)\n"
        #expect(try writers(["etc/modprobe.conf": text], release: "2.6.32").count == 1)
        #expect(try writers(["etc/modprobe.conf": text, "etc/systemd/system.conf": ""]) == [])
    }

    @Test func `what to change is the line, or nothing where it only applies the configuration`() throws {
        let text = "install nf_conntrack \(ModprobeWritersTests.load); echo 1 > \(ModprobeWritersTests.limit)\n"
        let writer = try #require(ShellHost(["etc/modprobe.d/a.conf": text]).writers(ModprobeWriters.all).first)
        #expect(writer.cure == "change line 1 of /etc/modprobe.d/a.conf")
        #expect(writer.evidence.line == 1)
    }

    @Test(arguments: [
        ("install nf_conntrack /bin/true\ninstall nf_conntrack modprobe -i nf_conntrack\n", true),
        ("install nf_conntrack modprobe -i nf_conntrack\ninstall nf_conntrack /bin/true\n", false),
        ("install nf_conntrack /bin/false\nsoftdep nf_conntrack pre: loop\n", false),
        ("install nf_* /bin/false\n", true),
    ])
    func `the line that counts forbids the module or does not`(_ text: String, _ isBan: Bool) throws {
        let host = try ShellHost(["etc/modprobe.d/a.conf": text])
        let found = withExtendedLifetime(host.directory) {
            ModuleConfiguration(tree: FileTree(root: host.directory.path), commandLine: nil)
        }
        #expect((found.ban != nil) == isBan)
    }
}
