// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// Which files are given to which sysctl at boot, in which order, where systemd does not start the host.
@Suite struct OtherBootSysctlTests {
    private static let files = [
        "etc/sysctl.conf", "etc/sysctl.d/a.conf", "etc/sysctl.d/b.conf", "etc/sysctl.d/.hidden.conf",
        "etc/sysctl.d/c.txt",
        "run/sysctl.d/b.conf", "usr/lib/sysctl.d/a.conf", "usr/lib/sysctl.d/u.conf", "lib/sysctl.d/l.conf",
    ]
    private static let alpine = ["etc/alpine-release = 3.20.0", "etc/runlevels/boot/sysctl > /etc/init.d/sysctl"]
    private static let gentoo = ["etc/runlevels/boot/sysctl"]
    private static let upstream = "etc/init.d/sysctl = BSD_sysctl() {|}|Linux_sysctl() {|sysctl ${quiet} --system|}"
    private static let busybox = "sbin/sysctl > /bin/busybox"
    private static let procps = "sbin/sysctl = ELF"
    private static let system = "procps --system"

    /// "busybox FILE FILE" for runs on one file each, "procps --system", "procps FILE+FILE" for one run on more.
    private static func words(_ way: [SysctlRun]) -> String {
        guard let reader = way.first?.reader else { return "" }
        let files = way.map { $0.files?.joined(separator: "+") ?? "--system" }
        return "\(reader) " + files.joined(separator: " ")
    }

    @Test(
        arguments: [
            // OpenRC: Alpine's script, OpenRC's own with procps or busybox, and what stood there before.
            (
                alpine + ["etc/init.d/sysctl = veinfo \"Ignoring $f due to /run/sysctl.d/${f##*/}\""],
                [
                    "busybox /lib/sysctl.d/l.conf /usr/lib/sysctl.d/u.conf /etc/sysctl.d/a.conf /etc/sysctl.conf"
                        + " /run/sysctl.d/b.conf"
                ]
            ),
            (alpine + [upstream], ["busybox /etc/sysctl.conf /etc/sysctl.d/a.conf /etc/sysctl.d/b.conf"]),
            (alpine + [upstream, procps], [system]), (gentoo + [upstream], [system]), (gentoo, [system]),
            (gentoo + [upstream, busybox], ["busybox /etc/sysctl.conf /etc/sysctl.d/a.conf /etc/sysctl.d/b.conf"]),
            (
                alpine + ["etc/init.d/sysctl = for i in /run/sysctl.d/*.conf; do|sysctl -p $i|done"],
                [
                    "busybox /run/sysctl.d/b.conf /etc/sysctl.d/a.conf /etc/sysctl.d/b.conf /usr/lib/sysctl.d/a.conf"
                        + " /usr/lib/sysctl.d/u.conf /lib/sysctl.d/l.conf /etc/sysctl.conf"
                ]
            ),
            (["etc/runlevels/sysinit/procps"], [system]),
            // OpenWrt
            (
                ["etc/openwrt_release", "etc/init.d/sysctl = for CONF in /etc/sysctl.d/*.conf /etc/sysctl.conf; do"],
                ["busybox /etc/sysctl.d/a.conf /etc/sysctl.d/b.conf /etc/sysctl.conf"]
            ),
            (
                ["etc/openwrt_release", "etc/init.d/sysctl = for CONF in /etc/sysctl.conf /etc/sysctl.d/*.conf; do"],
                ["busybox /etc/sysctl.conf /etc/sysctl.d/a.conf /etc/sysctl.d/b.conf"]
            ),
            (
                ["etc/openwrt_release"],
                [
                    "busybox /etc/sysctl.d/a.conf /etc/sysctl.d/b.conf /etc/sysctl.conf",
                    "busybox /etc/sysctl.conf /etc/sysctl.d/a.conf /etc/sysctl.d/b.conf",
                ]
            ),
            // Void
            (["etc/runit/core-services/08-sysctl.sh = sysctl --system"], [system]),
            (
                ["etc/runit/core-services/08-sysctl.sh = for i in /run/sysctl.d/*.conf \\|sysctl -p \"$i\""],
                [
                    "procps /run/sysctl.d/b.conf /etc/sysctl.d/a.conf /etc/sysctl.d/b.conf /usr/lib/sysctl.d/a.conf"
                        + " /usr/lib/sysctl.d/u.conf /etc/sysctl.conf"
                ]
            ),
            // Ubuntu 14.04, Debian
            (
                ["etc/os-release = ID=ubuntu|VERSION_ID=14.04"],
                ["procps /etc/sysctl.d/a.conf+/etc/sysctl.d/b.conf+/etc/sysctl.conf"]
            ),
            (
                ["etc/devuan_version", "etc/rcS.d/S12procps", "etc/init.d/procps = $DAEMON $QUIET_SYSCTL --system"],
                [system]
            ),
            (
                [
                    "etc/debian_version = 6.0.10", "etc/rcS.d/S12procps",
                    "etc/init.d/procps = for f in ...; do sysctl -p $f; done",
                ],
                [
                    "procps /etc/sysctl.conf /etc/sysctl.d/a.conf /etc/sysctl.d/b.conf",
                    "procps /etc/sysctl.d/b.conf /etc/sysctl.d/a.conf /etc/sysctl.conf",
                ]
            ),
            // Buildroot
            (
                ["etc/inittab = ::sysinit:/etc/init.d/rcS", "etc/init.d/S02sysctl"],
                [
                    "busybox /etc/sysctl.d/a.conf /etc/sysctl.d/b.conf /usr/lib/sysctl.d/a.conf /usr/lib/sysctl.d/u.conf"
                        + " /lib/sysctl.d/l.conf /etc/sysctl.conf",
                    "busybox /etc/sysctl.d/b.conf /etc/sysctl.d/a.conf /usr/lib/sysctl.d/u.conf /usr/lib/sysctl.d/a.conf"
                        + " /lib/sysctl.d/l.conf /etc/sysctl.conf",
                ]
            ),
        ] as [([String], [String])])
    func `each init reads its files in its order`(_ host: [String], _ ways: [String]) throws {
        let tree = try InitHost(Self.files + host)
        let boot = try #require(BootSysctl(InitSystem(of: tree.tree), in: tree.tree), "\(host)")
        #expect(boot.ways.map(Self.words) == ways, "\(host)")
        #expect(boot.isEnabled == true, "\(host)")
    }

    @Test(
        arguments: [
            (["etc/alpine-release", "etc/runlevels/boot/modules"], false), (["etc/alpine-release"], nil),
            (["etc/alpine-release", "etc/runlevels/default/sysctl"], true),
            (["etc/openwrt_release"], true), (["etc/openwrt_release", "etc/rc.d/S10boot"], false),
            (["etc/devuan_version"], nil), (["etc/devuan_version", "etc/rcS.d/S01hostname.sh"], false),
            (["etc/os-release = ID=ubuntu|VERSION_ID=14.04", "etc/init/procps.override = manual"], false),
            (["etc/os-release = ID=ubuntu|VERSION_ID=14.04", "etc/init/networking.conf"], false),
            (["etc/runit/core-services/02-kmods.sh"], false), (["etc/inittab = ::sysinit:/etc/init.d/rcS"], false),
        ] as [([String], Bool?)])
    func `a service that is off applies nothing`(_ files: [String], _ isEnabled: Bool?) throws {
        let host = try InitHost(files + ["etc/sysctl.conf = net.netfilter.nf_conntrack_max=7"])
        let boot = try #require(BootSysctl(InitSystem(of: host.tree), in: host.tree))
        #expect(boot.isEnabled == isEnabled)
        if isEnabled == false { #expect(OtherBootSysctl.all(host.sources()).isEmpty) }
    }

    @Test func `OpenRC's own service does nothing for busybox without etc sysctl.conf`() throws {
        let host = try InitHost(Self.gentoo + [Self.upstream, Self.busybox, "etc/sysctl.d/a.conf"])
        #expect(BootSysctl(.openrc, in: host.tree)?.ways == [[]])
    }

    @Test func `what depends on a script that is not there only may be`() {
        func write(_ key: String, _ value: UInt64) -> Writer.Act { .set(key, value) }
        let ways = [[write("a", 1), write("b", 2), write("a", 3)], [write("a", 3), write("b", 2), write("a", 1)]]
        let merged = OtherBootSysctl.merged(ways)
        let certainties = merged.map { act in
            if case .write(let write) = act { "\(write.key) \(write.certainty)" } else { "" }
        }
        #expect(certainties == ["a may", "b certain", "a may"])
        #expect(OtherBootSysctl.merged([ways[0], ways[0]]) == ways[0])
        #expect(OtherBootSysctl.merged([]) == [])
    }

    // MARK: What is configured

    @Test(
        arguments: [
            (["etc/alpine-release = 3.20.0"], 9), (["etc/openwrt_release"], 9), (["etc/systemd/system.conf"], 7),
            (["etc/devuan_version"], 9), (["etc/os-release = ID=homemade"], 9),
        ] as [([String], UInt64)])
    func `what is configured is what that boot reads`(_ files: [String], _ limit: UInt64) throws {
        let key = "net.netfilter.nf_conntrack_max"
        let host = try InitHost(files + ["etc/sysctl.conf = \(key)=9", "etc/sysctl.d/a.conf = \(key)=7"])
        #expect(SysctlConfiguration(host.tree)["nf_conntrack_max"]?.number == limit)
    }

    @Test(arguments: [("17-alpine", 524_288), ("19-openwrt", 16384)] as [(String, UInt64)])
    func `saved hosts without systemd have their limit configured`(_ name: String, _ limit: UInt64) {
        let tree = FileTree(root: "\(Repository.root)/Tests/Fixtures/doctor/cases/\(name)")
        let configuration = SysctlConfiguration(tree)
        #expect(configuration["nf_conntrack_max"]?.file == "/etc/sysctl.conf")
        #expect(configuration["nf_conntrack_max"]?.number == limit)
        #expect(configuration.whatProcpsDoes == [])
    }
}
