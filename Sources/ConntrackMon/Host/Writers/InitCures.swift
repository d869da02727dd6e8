// SPDX-License-Identifier: GPL-3.0-or-later

/// What a person writes, and where, on a host that this init starts. Each is what this program then foretells by itself.
extension InitSystem {
    /// What has a module loaded before sysctl settings are applied at boot, to stand behind "write" or alone:
    /// "nf_conntrack in /etc/modules".
    func bootLoadCure(_ module: String, in tree: FileTree) -> String {
        switch self {
        case .systemd, .runit: return "\(module) in /etc/modules-load.d/conntrack.conf"
        case .initscripts: return "modprobe \(module) in /etc/sysconfig/modules/conntrack.modules, made executable"
        case .upstart, .sysvinit: return "\(module) in /etc/modules"
        case .openwrt: return "\(module) in /etc/modules.d/conntrack"
        case .openrc:
            let isAlpine = tree.exists("/etc/alpine-release")
            let place = isAlpine ? "/etc/modules" : "/etc/modules-load.d/conntrack.conf"
            let isOff = OpenRC(tree).level(of: ["modules", "modules-load", "kmod"]) == .off
            return "\(module) in \(place)" + (isOff ? ", with `rc-update add modules boot`" : "")
        case .busybox: return "modprobe \(module) in /etc/init.d/rcS, before the start scripts"
        case .unknown: return "\(module) loaded at boot before sysctl settings are applied"
        }
    }

    /// Where a person writes a setting. Without systemd it is the file that is read last, or the only one.
    var sysctlFile: String { self == .systemd ? "/etc/sysctl.d/90-conntrack.conf" : "/etc/sysctl.conf" }

    /// The rule that has systemd-sysctl put settings back, whoever loads the module.
    static let rule =
        #"ACTION=="add", SUBSYSTEM=="module", KERNEL=="nf_conntrack", RUN+="/usr/lib/systemd/systemd-sysctl"#
        + #" --prefix=/net/netfilter --prefix=/net/nf_conntrack_max""#

    /// What puts settings back after each load of the module, whoever causes it.
    /// - Parameter files: Those that hold the settings, where systemd does not find them by itself.
    func restoreCure(files: [String] = ["/etc/sysctl.conf"], in tree: FileTree) -> String {
        let files = files.joined(separator: " ")
        switch self {
        case .systemd: return "in /etc/udev/rules.d/50-conntrack.rules: \(InitSystem.rule)"
        case .initscripts:
            return "IPTABLES_SYSCTL_LOAD_LIST=\"nf_conntrack\" in /etc/sysconfig/iptables-config puts back what"
                + " /etc/sysctl.conf holds"
        case .openwrt, .busybox, .openrc, .upstart, .sysvinit, .runit, .unknown: break
        }
        switch ModprobeProgram(of: tree, initSystem: self).runsInstallLines {
        case true: return "in /etc/modprobe.d/conntrack.conf: \(InitSystem.install(files))"
        case false: return "in /etc/rc.local: sysctl -e -p \(files), which helps at boot only"
        case nil:
            return "where modprobe is kmod's, in /etc/modprobe.d/conntrack.conf: \(InitSystem.install(files));"
                + " busybox's modprobe runs no such line"
        }
    }

    private static func install(_ files: String) -> String {
        "install nf_conntrack /sbin/modprobe --ignore-install nf_conntrack $CMDLINE_OPTS && /sbin/sysctl -e -p \(files)"
    }

    /// What has sysctl settings applied at boot at all; nil where they are, or where that can't be known.
    func bootSysctlCure(in tree: FileTree) -> String? {
        guard BootSysctl(self, in: tree)?.isEnabled == false else { return nil }
        switch self {
        case .openrc: return "rc-update add sysctl boot"
        case .openwrt: return "/etc/init.d/sysctl enable"
        case .sysvinit: return "update-rc.d procps defaults"
        case .upstart: return "rm /etc/init/procps.override"
        case .systemd, .initscripts, .busybox, .runit, .unknown: return nil
        }
    }

    /// What is to be said of a host whose init is not known; nil for others.
    var doubt: String? {
        self == .unknown
            ? "which program starts this host is not to be told from its files: nothing is assumed of its boot" : nil
    }
}
