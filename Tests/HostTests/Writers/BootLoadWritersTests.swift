// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// What loads nf_conntrack at boot before sysctl settings are applied.
@Suite struct BootLoadWritersTests {
    private static let systemd = "etc/systemd/system.conf"
    private static let alpine = ["etc/alpine-release = 3.20.0", "etc/runlevels/boot/modules > /etc/init.d/modules"]
    private static let gentoo = ["etc/runlevels/boot/modules"]
    private static let devuan = ["etc/devuan_version", "etc/rcS.d/S08kmod", "etc/rcS.d/S12procps"]
    private static let trusty = "etc/os-release = ID=ubuntu|VERSION_ID=14.04"

    /// "NAME: MODULE MODULE", with "?" before it where it only may, ">" where it comes too late for sysctl settings.
    private static func words(_ writer: Writer) -> String {
        let modules = writer.acts.compactMap { act in
            if case .load(let module, _) = act { module } else { nil }
        }
        return (writer.certainty == .may ? "?" : "") + (writer.when == .late ? ">" : "") + writer.name + ": "
            + modules.joined(separator: " ")
    }

    @Test(
        arguments: [
            // systemd
            (
                [systemd, "etc/modules-load.d/a.conf = # x|nf_conntrack| nf-conntrack-ftp"],
                [
                    "systemd-modules-load: nf_conntrack nf_conntrack_ftp"
                ]
            ),
            ([systemd, "etc/modules-load.d/a.conf = nf_conntrack hashsize=9"], []),
            ([systemd, "etc/modules-load.d/a.conf = br_netfilter|dummy"], []),
            (
                [systemd, "etc/modules-load.d/a.conf = nf_conntrack_ipv4|ip_conntrack"],
                ["systemd-modules-load: ip_conntrack"]
            ),
            ([systemd, "etc/modules-load.d/a = nf_conntrack"], []),
            ([systemd, "etc/modules = nf_conntrack"], []),
            (
                [systemd, "etc/modules = nf_conntrack", "etc/modules-load.d/modules.conf > ../modules"],
                [
                    "systemd-modules-load: nf_conntrack"
                ]
            ),
            ([systemd, "usr/lib/modules-load.d/a.conf = nf_conntrack", "etc/modules-load.d/a.conf > /dev/null"], []),
            (
                [
                    systemd, "etc/modules-load.d/a.conf = nf_conntrack",
                    "etc/modprobe.d/b.conf = blacklist nf-conntrack",
                ], []
            ),
            (
                [systemd, "etc/modules-load.d/a.conf = nf_nat", "etc/modprobe.d/b.conf = blacklist nf_conntrack"],
                [
                    "systemd-modules-load: nf_nat"
                ]
            ),
            ([systemd, "etc/modules-load.d/a.conf = nf_nat", "etc/modprobe.d/b.conf = blacklist nf_nat"], []),
            (
                [
                    systemd,
                    "+etc/sysconfig/modules/ipvs.modules = #!/bin/sh|modprobe -- ip_vs|/sbin/modprobe nf_conntrack",
                ],
                [
                    "?/etc/sysconfig/modules/ipvs.modules: ip_vs nf_conntrack"
                ]
            ),
            // The initramfs
            ([systemd, "etc/initramfs-tools/modules = # x|nf_conntrack"], ["?the initramfs: nf_conntrack"]),
            (
                [systemd, "etc/dracut.conf.d/a.conf = force_drivers+=\" dummy nf_conntrack \""],
                [
                    "?the initramfs: nf_conntrack"
                ]
            ),
            ([systemd, "etc/dracut.conf.d/a.conf = add_drivers+=\" nf_conntrack \""], []),
            ([systemd, "etc/mkinitcpio.conf = MODULES=(ext4 nf_conntrack)"], ["?the initramfs: nf_conntrack"]),
            // EL6
            (
                [
                    "etc/rc.d/rc.sysinit",
                    "+etc/sysconfig/modules/a.modules = #!/bin/sh|modprobe nf_conntrack >/dev/null 2>&1",
                ],
                [
                    "/etc/sysconfig/modules/a.modules: nf_conntrack"
                ]
            ),
            (["+etc/rc.d/rc.sysinit", "etc/sysconfig/modules/a.modules = modprobe nf_conntrack"], []),
            (
                ["etc/rc.d/rc.sysinit", "etc/sysconfig/modules/a.modules = modprobe nf_conntrack"],
                [
                    "?/etc/sysconfig/modules/a.modules: nf_conntrack"
                ]
            ),
            (["etc/rc.d/rc.sysinit", "+etc/sysconfig/modules/a.sh = modprobe nf_conntrack"], []),
            (
                ["etc/rc.d/rc.sysinit", "+etc/rc.modules = modprobe -a dummy nf_conntrack"],
                ["/etc/rc.modules: nf_conntrack"]
            ),
            (["etc/rc.d/rc.sysinit", "etc/modules-load.d/a.conf = nf_conntrack"], []),
            // OpenRC
            (alpine + ["etc/modules = af_packet|nf_conntrack # x"], ["OpenRC's modules service: nf_conntrack"]),
            (alpine + ["lib/modules-load.d/a.conf = nf_conntrack"], ["OpenRC's modules service: nf_conntrack"]),
            (
                alpine + ["etc/modules = nf_conntrack", "etc/modprobe.d/b.conf = blacklist nf_conntrack"],
                [
                    "OpenRC's modules service: nf_conntrack"
                ]
            ),
            (["etc/alpine-release", "etc/runlevels/boot/sysctl", "etc/modules = nf_conntrack"], []),
            (["etc/alpine-release", "etc/modules = nf_conntrack"], ["?OpenRC's modules service: nf_conntrack"]),
            (
                [
                    "etc/alpine-release", "etc/runlevels/boot/sysctl", "etc/runlevels/default/modules",
                    "etc/modules = nf_conntrack",
                ],
                [">OpenRC's modules service: nf_conntrack"]
            ),
            (gentoo + ["etc/modules = nf_conntrack"], []),
            (
                gentoo + ["etc/modules-load.d/a.conf = nf_conntrack hashsize=9"],
                ["OpenRC's modules service: nf_conntrack"]
            ),
            (
                gentoo + ["etc/conf.d/modules = # modules=\"nf_nat\"|modules=\"dummy nf_conntrack\""],
                [
                    "OpenRC's modules service: nf_conntrack"
                ]
            ),
            (
                gentoo + [
                    "etc/conf.d/modules = modules=\"nf_conntrack\"", "etc/modprobe.d/b.conf = blacklist nf_conntrack",
                ], []
            ),
            (["etc/runlevels/sysinit/kmod", "etc/modules = nf_conntrack"], ["the kmod start script: nf_conntrack"]),
            // sysvinit and upstart
            (devuan + ["etc/modules = nf_conntrack"], ["the kmod start script: nf_conntrack"]),
            (
                devuan + ["etc/modules = nf_conntrack", "etc/modules-load.d/modules.conf > ../modules"],
                [
                    "the kmod start script: nf_conntrack"
                ]
            ),
            (["etc/devuan_version", "etc/rcS.d/S12procps", "etc/modules = nf_conntrack"], []),
            (
                ["etc/devuan_version", "etc/rcS.d/S12procps", "etc/rcS.d/S12kmod", "etc/modules = nf_conntrack"],
                [
                    "?the kmod start script: nf_conntrack"
                ]
            ),
            (
                ["etc/devuan_version", "etc/rcS.d/S12procps", "etc/rcS.d/S13kmod", "etc/modules = nf_conntrack"],
                [
                    ">the kmod start script: nf_conntrack"
                ]
            ),
            (
                [
                    "etc/debian_version = 6.0", "etc/rcS.d/S04module-init-tools",
                    "etc/modules-load.d/a.conf = nf_conntrack",
                ], []
            ),
            ([trusty, "etc/modules = nf_conntrack"], ["upstart's kmod job: nf_conntrack"]),
            ([trusty, "etc/modules-load.d/a.conf = nf_conntrack"], ["?upstart's kmod job: nf_conntrack"]),
            // OpenWrt, Void, Buildroot
            (["etc/openwrt_release", "etc/modules.d/42-a = nf_conntrack hashsize=16"], ["kmodloader: nf_conntrack"]),
            (
                ["etc/openwrt_release", "etc/modules-boot.d/a = nf_conntrack", "etc/modules = nf_nat"],
                ["kmodloader: nf_conntrack"]
            ),
            (
                ["etc/runit/core-services/02-kmods.sh", "etc/modules-load.d/a.conf = nf_conntrack"],
                [
                    "runit's modules-load: nf_conntrack"
                ]
            ),
            (
                [
                    "etc/inittab = ::sysinit:/etc/init.d/rcS", "etc/init.d/S02sysctl", "etc/init.d/S11modules",
                    "etc/modules-load.d/a.conf = nf_conntrack",
                ], ["?>the modules start script: nf_conntrack"]
            ),
            // Nothing is assumed of an init that is not known.
            (
                [
                    "etc/os-release = ID=homemade", "etc/modules-load.d/a.conf = nf_conntrack",
                    "etc/modules = nf_conntrack",
                ], []
            ),
        ] as [([String], [String])])
    func `what each init loads is found`(_ files: [String], _ expected: [String]) throws {
        let host = try InitHost(files)
        #expect(BootLoadWriters.all(host.sources()).map(Self.words) == expected, "\(files)")
    }

    @Test(
        arguments: [
            ([systemd], "ro modules_load=dummy,nf_conntrack", ["systemd-modules-load: nf_conntrack"]),
            ([systemd], "ro modules-load=nf_conntrack", ["systemd-modules-load: nf_conntrack"]),
            ([systemd], "modules_load=nf_conntrack modprobe.blacklist=nf_conntrack", []),
            ([systemd], "rd.modules_load=nf_conntrack", ["?the initramfs: nf_conntrack"]),
            ([systemd], "rd.driver.pre=nf_conntrack,nf_nat", ["?the initramfs: nf_conntrack nf_nat"]),
            ([systemd], "modules=nf_conntrack", []),
            (alpine, "modules=ext4,nf_conntrack", ["?the initramfs: nf_conntrack"]),
            (alpine, "modules_load=nf_conntrack", []),
            (
                ["etc/runit/core-services/02-kmods.sh"], "modules-load=nf_conntrack",
                ["runit's modules-load: nf_conntrack"]
            ),
            (["etc/runit/core-services/02-kmods.sh"], "modules_load=nf_conntrack", []),
            ([], "modules_load=nf_conntrack", ["?systemd-modules-load: nf_conntrack"]),
        ] as [([String], String, [String])])
    func `the kernel's command line may load it`(_ files: [String], _ line: String, _ expected: [String]) throws {
        let host = try InitHost(files + ["proc/cmdline = \(line)"])
        #expect(BootLoadWriters.all(host.sources()).map(Self.words) == expected)
    }

    @Test func `an old name loads nothing on a new kernel, and may where the kernel is not known`() throws {
        let host = try InitHost([Self.systemd, "etc/modules-load.d/a.conf = nf_conntrack_ipv4|nf_nat"])
        func found(_ release: String?) -> [String] {
            BootLoadWriters.all(host.sources(release: release)).map(Self.words)
        }
        #expect(found("4.15.0-20-generic") == ["systemd-modules-load: nf_conntrack_ipv4 nf_nat"])
        #expect(found("4.18.0-553.el8.x86_64") == ["systemd-modules-load: nf_nat"])
        #expect(found("6.1.0") == ["systemd-modules-load: nf_nat"])
        #expect(found(nil) == ["systemd-modules-load: nf_nat", "?systemd-modules-load: nf_conntrack_ipv4"])
    }

    @Test func `a hash size behind the module is given at its load`() throws {
        let host = try InitHost(Self.alpine + ["etc/modules = # x|nf_conntrack hashsize=16384"])
        let writer = try #require(BootLoadWriters.all(host.sources()).first)
        let line = Evidence(file: "/etc/modules", line: 2, text: "nf_conntrack hashsize=16384")
        #expect(writer.evidence == line)
        #expect(
            writer.acts == [
                .load(module: "nf_conntrack", line), .set("nf_conntrack_buckets", 16384, line),
                .set("nf_conntrack_max", 131_072, line),
            ])
    }

    @Test func `lists of any length are read in bounds`() throws {
        let many = String(repeating: "dummy|", count: 300_000)
        let host = try InitHost([Self.systemd, "etc/modules-load.d/a.conf = nf_conntrack|\(many)"])
        #expect(BootLoadWriters.all(host.sources()).map(Self.words) == ["systemd-modules-load: nf_conntrack"])
    }

    // MARK: Saved hosts

    @Test(arguments: [
        ("13-modules-load-old-name", []), ("14-timeouts-need-ipv4-module", ["systemd-modules-load: nf_conntrack"]),
        ("17-alpine", ["OpenRC's modules service: nf_conntrack"]), ("19-openwrt", ["kmodloader: nf_conntrack"]),
        ("30-udev-rule-one-setting", []), ("34-buckets-live-differs", ["systemd-modules-load: nf_conntrack"]),
        ("28-load-list-does-not-match", []),
    ])
    func `a saved host's loads are found`(_ name: String, _ expected: [String]) {
        let root = "\(Repository.root)/Tests/Fixtures/doctor/cases/\(name)"
        let procfs = FileTree(root: root + "/proc")
        let sources = WriterSources(
            tree: FileTree(root: root), procfs: procfs,
            release: procfs.text("/sys/kernel/osrelease").flatMap { KernelRelease($0) }, cores: nil,
            names: SettingNames(live: []))
        #expect(BootLoadWriters.all(sources).map(Self.words) == expected)
    }
}
