// SPDX-License-Identifier: GPL-3.0-or-later

/// Which modprobe a host has. The kernel runs it too, when a rule needs a module.
enum ModprobeProgram: Equatable, Sendable {
    /// kmod's, and module-init-tools' before it.
    case kmod
    /// Takes `options`, `alias` and `blacklist` of modprobe.d; runs no `install` line (1.35, tried).
    case busybox
    /// OpenWrt's, which reads nothing of modprobe.d: options stand in /etc/modules.d.
    case kmodloader
    case unknown

    init(of tree: FileTree, initSystem: InitSystem) {
        let path = ["/sbin/modprobe", "/usr/sbin/modprobe", "/bin/modprobe", "/usr/bin/modprobe"].first {
            tree.isLink($0) || tree.exists($0)
        }
        switch path.map({ tree.canonical($0) })?.split(separator: "/").last {
        case "busybox": self = .busybox
        case "kmodloader": self = .kmodloader
        case .some: self = .kmod
        case nil: self = ModprobeProgram.usual(of: initSystem, tree)
        }
    }

    private static func usual(of initSystem: InitSystem, _ tree: FileTree) -> ModprobeProgram {
        switch initSystem {
        case .systemd, .initscripts, .upstart, .sysvinit, .runit: .kmod
        case .openwrt: .kmodloader
        // Alpine has busybox's until something brings kmod, as the tools for its initramfs do.
        case .openrc: tree.exists("/etc/alpine-release") ? .unknown : .kmod
        case .busybox, .unknown: .unknown
        }
    }

    /// Whether it runs the `install` lines of modprobe.d; nil where that can't be known.
    var runsInstallLines: Bool? {
        switch self {
        case .kmod: true
        case .busybox, .kmodloader: false
        case .unknown: nil
        }
    }
}
