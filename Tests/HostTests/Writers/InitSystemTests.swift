// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// Which program starts a host, and what is written where on it.
@Suite struct InitSystemTests {
    private static let table: [(String, [String], InitSystem)] = [
        // Process 1, where its name can be one thing only.
        ("a process", ["proc/1/comm = systemd", "etc/hostname"], .systemd),
        ("a process of OpenWrt", ["proc/1/comm = procd", "etc/hostname"], .openwrt),
        ("a process of Void", ["proc/1/comm = runit"], .runit),
        ("openrc-init", ["proc/1/comm = openrc-init"], .openrc),
        ("a container's process", ["proc/1/comm = nginx", "etc/alpine-release = 3.20.0"], .openrc),
        ("a container of which nothing is known", ["proc/1/comm = nginx", "etc/hostname"], .unknown),
        ("an init that may be any", ["proc/1/comm = init", "etc/systemd/system.conf"], .systemd),
        // /sbin/init.
        ("Debian's link", ["sbin/init > /lib/systemd/systemd", "etc/inittab = si::sysinit:/etc/init.d/rcS"], .systemd),
        ("Alpine's link", ["sbin/init > /bin/busybox", "etc/alpine-release = 3.20.0"], .openrc),
        ("Buildroot's link", ["sbin/init > ../bin/busybox", "etc/os-release = ID=buildroot"], .busybox),
        ("Void's link", ["sbin/init > runit-init", "etc/os-release = ID=void"], .runit),
        (
            "Debian with sysvinit-core",
            [
                "+sbin/init = ELF", "lib/systemd/system/ssh.service", "etc/debian_version = 12.7",
                "etc/inittab = si::sysinit:/etc/init.d/rcS",
            ], .sysvinit
        ),
        (
            "a copy that followed the link", ["+sbin/init = ELF", "+lib/systemd/systemd = ELF", "etc/sysctl.d/a.conf"],
            .systemd
        ),
        // Files of its own.
        ("OpenWrt", ["etc/openwrt_release = DISTRIB_ID='OpenWrt'", "etc/sysctl.d/a.conf"], .openwrt),
        ("Gentoo", ["etc/os-release = ID=gentoo", "etc/runlevels/boot/modules > /etc/init.d/modules"], .openrc),
        (
            "Gentoo with systemd",
            ["etc/os-release = ID=gentoo", "etc/runlevels/boot/modules", "etc/systemd/system.conf"],
            .systemd
        ),
        ("Gentoo with neither", ["etc/os-release = ID=gentoo", "etc/sysctl.d/a.conf"], .unknown),
        ("Void", ["etc/runit/core-services/08-sysctl.sh", "etc/os-release = ID=\"void\""], .runit),
        ("EL6", ["etc/rc.d/rc.sysinit", "etc/inittab = id:3:initdefault:", "etc/sysctl.d/a.conf"], .initscripts),
        (
            "Ubuntu 14.04, which has much of systemd's",
            [
                "etc/os-release = ID=ubuntu|VERSION_ID=\"14.04\"", "etc/systemd/logind.conf",
                "lib/systemd/systemd-udevd",
            ],
            .upstart
        ),
        (
            "Ubuntu 16.04 that was 14.04",
            ["etc/os-release = ID=ubuntu|VERSION_ID=\"16.04\"", "etc/init/rc-sysinit.conf"], .systemd
        ),
        ("Devuan", ["etc/devuan_version = daedalus", "etc/debian_version = 12.0", "lib/systemd/system/a"], .sysvinit),
        ("busybox alone", ["etc/inittab = # x|::sysinit:/etc/init.d/rcS|::askfirst:-/bin/sh"], .busybox),
        ("Yocto", ["etc/inittab = si::sysinit:/etc/init.d/rcS", "etc/os-release = ID=poky"], .sysvinit),
        // The distribution.
        (
            "EL7's remark", ["etc/inittab = # inittab is gone:a:b:c", "etc/redhat-release = CentOS release 7.9"],
            .systemd
        ),
        ("EL6 by its name", ["etc/redhat-release = CentOS release 6.6 (Final)", "etc/sysctl.d/a.conf"], .initscripts),
        ("Amazon Linux 1", ["etc/system-release = Amazon Linux AMI release 2018.03"], .initscripts),
        ("Amazon Linux 2", ["etc/system-release = Amazon Linux release 2 (Karoo)"], .systemd),
        ("Amazon Linux 2023", ["etc/os-release = ID=\"amzn\"|VERSION_ID=\"2023\""], .systemd),
        ("Fedora before EL's numbers", ["etc/redhat-release = Fedora release 41 (Forty One)"], .systemd),
        ("Debian 12", ["etc/debian_version = 12.7"], .systemd),
        ("Debian to come", ["etc/debian_version = trixie/sid"], .systemd),
        ("Debian 7", ["etc/debian_version = 7.11"], .sysvinit),
        ("a relative of Ubuntu's", ["etc/os-release = ID=neon|ID_LIKE=\"ubuntu debian\""], .systemd),
        ("a relative of Arch's with another init", ["etc/os-release = ID=artix|ID_LIKE=arch"], .unknown),
        ("nobody's distribution", ["etc/os-release = ID=homemade", "etc/sysctl.d/a.conf"], .unknown),
        ("Slackware", ["etc/os-release = ID=slackware", "etc/sysctl.conf"], .unknown),
        // Little was saved.
        ("a folder of systemd's", ["etc/modules-load.d/a.conf"], .systemd),
        ("another one", ["etc/udev/rules.d/a.rules"], .systemd),
        ("a kernel of EL8's", ["etc/hostname", "proc/sys/kernel/osrelease = 4.18.0-553.el8.x86_64"], .systemd),
        ("a kernel of EL6's", ["etc/sysctl.conf", "proc/sys/kernel/osrelease = 2.6.32-504.el6.x86_64"], .initscripts),
        ("a kernel of Ubuntu's", ["etc/hostname", "proc/sys/kernel/osrelease = 6.8.0-1021-azure"], .systemd),
        ("a kernel of anybody's", ["etc/hostname", "proc/sys/kernel/osrelease = 6.6.31"], .unknown),
        ("one file", ["etc/sysctl.conf"], .unknown),
        ("nothing", [], .unknown),
    ]

    @Test(arguments: table)
    func `files tell which program starts a host`(_ what: String, _ files: [String], _ expected: InitSystem) throws {
        let host = try InitHost(files)
        #expect(InitSystem(of: host.tree, procfs: host.procfs) == expected, "\(what)")
    }

    @Test func `saved hosts of which little is there are judged as before`() {
        let others: [String: InitSystem] = [
            "el6": .initscripts, "el6-ip6tables-holds": .initscripts, "cases/28-load-list-does-not-match": .initscripts,
            "cases/06-count-instead-of-max": .sysvinit, "cases/17-alpine": .openrc, "cases/19-openwrt": .openwrt,
            "built-in": .unknown, "text-quiet": .sysvinit,
        ]
        let fixtures = FileTree(root: "\(Repository.root)/Tests/Fixtures/doctor")
        let trees =
            (fixtures.names(in: "/") ?? []).filter { $0 != "cases" }
            + (fixtures.names(in: "/cases") ?? []).map { "cases/\($0)" }
        #expect(trees.count > 40)
        for tree in trees {
            let root = "\(fixtures.root)/\(tree)"
            let found = InitSystem(of: FileTree(root: root), procfs: FileTree(root: root + "/proc"))
            #expect(found == others[tree] ?? .systemd, "\(tree)")
        }
    }

    // MARK: Words

    @Test(arguments: [
        (["etc/alpine-release = 3.20.0", "etc/runlevels/boot/modules"], "nf_conntrack in /etc/modules"),
        (
            ["etc/alpine-release = 3.20.0", "etc/runlevels/boot/sysctl"],
            "nf_conntrack in /etc/modules, with `rc-update add modules boot`"
        ),
        (["etc/runlevels/boot/modules"], "nf_conntrack in /etc/modules-load.d/conntrack.conf"),
        (["etc/openwrt_release"], "nf_conntrack in /etc/modules.d/conntrack"),
        (["etc/devuan_version"], "nf_conntrack in /etc/modules"),
        (["etc/runit/core-services/02-kmods.sh"], "nf_conntrack in /etc/modules-load.d/conntrack.conf"),
        (["etc/rc.d/rc.sysinit"], "modprobe nf_conntrack in /etc/sysconfig/modules/conntrack.modules, made executable"),
    ])
    func `each init has its place for modules`(_ files: [String], _ cure: String) throws {
        let host = try InitHost(files)
        let initSystem = InitSystem(of: host.tree)
        #expect(initSystem.bootLoadCure("nf_conntrack", in: host.tree) == cure)
    }

    /// What the cures say to write is then found to load the module.
    @Test(arguments: [
        (["etc/alpine-release = 3.20.0", "etc/runlevels/boot/modules"], "etc/modules = nf_conntrack"),
        (["etc/runlevels/boot/modules"], "etc/modules-load.d/conntrack.conf = nf_conntrack"),
        (["etc/openwrt_release"], "etc/modules.d/conntrack = nf_conntrack"),
        (["etc/devuan_version", "etc/rcS.d/S08kmod"], "etc/modules = nf_conntrack"),
        (["etc/os-release = ID=ubuntu|VERSION_ID=14.04"], "etc/modules = nf_conntrack"),
        (["etc/runit/core-services/02-kmods.sh"], "etc/modules-load.d/conntrack.conf = nf_conntrack"),
        (["etc/rc.d/rc.sysinit"], "+etc/sysconfig/modules/conntrack.modules = modprobe nf_conntrack"),
        (["etc/systemd/system.conf"], "etc/modules-load.d/conntrack.conf = nf_conntrack"),
    ])
    func `a cure that loads the module is believed`(_ files: [String], _ cure: String) throws {
        let (before, after) = (try InitHost(files), try InitHost(files + [cure]))
        #expect(BootLoadWriters.all(before.sources()).isEmpty)
        let writers = BootLoadWriters.all(after.sources())
        #expect(writers.map(\.when) == [.early])
        #expect(writers.map(\.certainty) == [.certain])
    }

    @Test(arguments: [
        (["etc/alpine-release = 3.20.0", "sbin/modprobe > /bin/busybox"], "in /etc/rc.local", false),
        (
            ["etc/alpine-release = 3.20.0", "sbin/modprobe > ../bin/kmod"],
            "in /etc/modprobe.d/conntrack.conf: install", true
        ),
        (["etc/alpine-release = 3.20.0"], "where modprobe is kmod's", true),
        (["etc/devuan_version"], "in /etc/modprobe.d/conntrack.conf: install", true),
        (["etc/openwrt_release"], "in /etc/rc.local", false),
    ])
    func `settings are put back by what the host's modprobe knows`(
        _ files: [String], _ begin: String, _ installs: Bool
    ) throws {
        let host = try InitHost(files)
        let initSystem = InitSystem(of: host.tree)
        let cure = initSystem.restoreCure(files: ["/etc/sysctl.d/a.conf"], in: host.tree)
        #expect(cure.hasPrefix(begin), "\(cure)")
        #expect(cure.contains("--ignore-install nf_conntrack $CMDLINE_OPTS") == installs)
        #expect(cure.contains("sysctl -e -p /etc/sysctl.d/a.conf"))
        for word in [cure, initSystem.sysctlFile, initSystem.bootLoadCure("nf_conntrack", in: host.tree)] {
            #expect(!word.contains("systemd") && !word.contains("udev"))
        }
    }

    @Test(
        arguments: [
            (["etc/alpine-release", "etc/runlevels/boot/modules"], "rc-update add sysctl boot"),
            (["etc/alpine-release", "etc/runlevels/boot/sysctl"], nil), (["etc/alpine-release"], nil),
            (["etc/openwrt_release", "etc/rc.d/S10boot"], "/etc/init.d/sysctl enable"),
            (["etc/openwrt_release", "etc/rc.d/S11sysctl"], nil), (["etc/openwrt_release"], nil),
            (["etc/systemd/system.conf"], nil),
        ] as [([String], String?)])
    func `a service that is off is told with what turns it on`(_ files: [String], _ cure: String?) throws {
        let host = try InitHost(files)
        #expect(InitSystem(of: host.tree).bootSysctlCure(in: host.tree) == cure)
    }

    // MARK: OpenVZ

    @Test(
        arguments: [
            (["proc/user_beancounters"], .container), (["proc/vz/vestat", "proc/bc/0"], .node), (["proc/meminfo"], nil),
        ] as [([String], OpenVZ?)])
    func `OpenVZ's limits are told apart`(_ files: [String], _ expected: OpenVZ?) throws {
        let host = try InitHost(files + ["etc/debian_version = 12"])
        #expect(OpenVZ(host.procfs) == expected)
        let writers = OpenVZWriters.all(host.sources())
        #expect(writers.count == (expected == .container ? 1 : 0))
        #expect(
            writers.allSatisfy {
                $0.acts == [.write(Write(key: "nf_conntrack_max", change: .unknown))] && $0.when == .always
            })
    }
}
