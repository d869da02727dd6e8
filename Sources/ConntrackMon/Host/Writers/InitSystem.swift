// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Which program starts a host, and so who loads modules and applies sysctl configuration at boot.
enum InitSystem: Equatable, Sendable {
    case systemd
    /// EL5's and EL6's rc.sysinit; EL6's and Amazon Linux 1's upstart runs it too.
    case initscripts
    /// Alpine's and Gentoo's.
    case openrc
    /// Ubuntu's before 15.04.
    case upstart
    /// Debian's sysvinit-core, Devuan's, Debian's before 8: links in /etc/rcS.d.
    case sysvinit
    /// busybox's, with start scripts as Buildroot has them: /etc/init.d/S??*.
    case busybox
    /// OpenWrt's procd.
    case openwrt
    /// Void's runit.
    case runit
    /// Not to be told from the files: nothing is assumed of the boot then.
    case unknown

    /// - Parameter procfs: Whose process 1 tells it where its name can be only one thing. In a container it may be any
    ///   program, and then the files tell.
    init(of tree: FileTree, procfs: FileTree? = nil) {
        let marks = InitMarks(tree: tree)
        self =
            procfs.flatMap(InitMarks.process) ?? marks.program ?? marks.ownFiles ?? marks.distribution
            ?? (marks.hasFoldersOfSystemd ? .systemd : marks.kernel ?? .unknown)
    }
}

/// What in the files of a host tells its init. What is surer stands before.
struct InitMarks {
    let tree: FileTree

    // MARK: The program

    static func process(in procfs: FileTree) -> InitSystem? {
        switch procfs.text("/1/comm")?.trimmed {
        case "systemd": .systemd
        case "procd": .openwrt
        case "runit": .runit
        case "openrc-init": .openrc
        // "init" is sysvinit, upstart or busybox.
        default: nil
        }
    }

    /// What /sbin/init leads to, and the folder by which sd_booted(3) tells.
    var program: InitSystem? {
        if tree.isFolder("/run/systemd/system") { return .systemd }
        guard tree.isLink("/sbin/init") || tree.exists("/sbin/init") else { return nil }
        switch tree.canonical("/sbin/init").split(separator: "/").last {
        case "systemd": return .systemd
        case "procd": return .openwrt
        case "runit", "runit-init": return .runit
        case "openrc-init": return .openrc
        // Alpine's starts OpenRC.
        case "busybox": return isOpenRC || isAlpine ? .openrc : .busybox
        default: return nil
        }
    }

    /// /sbin/init is a program of its own, and so not systemd, which is linked to. A copy may have followed the link.
    private var hasOtherInit: Bool {
        let isOwn = tree.exists("/sbin/init") && tree.canonical("/sbin/init").hasSuffix("/init")
        let systemd = ["/usr/lib/systemd/systemd", "/lib/systemd/systemd"]
        return isOwn && (tree.root.isEmpty || !systemd.contains(where: tree.exists))
    }

    // MARK: Files of its own

    private var isAlpine: Bool { tree.exists("/etc/alpine-release") }
    private var isOpenRC: Bool {
        ["sysinit", "boot", "default"].contains { tree.names(in: "/etc/runlevels/\($0)")?.isEmpty == false }
    }

    /// What only hosts of one kind have.
    var ownFiles: InitSystem? {
        if ["/etc/openwrt_release", "/etc/openwrt_version"].contains(where: tree.exists) { return .openwrt }
        if tree.isFolder("/etc/runit/core-services") { return .runit }
        let hasSystemd = SysctlReader.hasSystemd(tree) && !hasOtherInit
        // Packages bring runlevels to hosts that never use them.
        if isAlpine || isOpenRC && !hasSystemd { return .openrc }
        if tree.exists("/etc/rc.d/rc.sysinit") && !hasSystemd { return .initscripts }
        // Ubuntu 14.04 has much of systemd's, and hosts that came from it have jobs of upstart's.
        let hasJobs = tree.exists("/etc/init/rc-sysinit.conf")
        if release.isUbuntuWithUpstart ?? (hasJobs && !hasSystemd) { return .upstart }
        // Its packages bring units to hosts without systemd.
        if tree.exists("/etc/devuan_version") { return .sysvinit }
        return hasSystemd ? .systemd : initOfTable
    }

    /// By /etc/inittab: busybox has lines without a name. EL7 has one with nothing but a remark in it.
    private var initOfTable: InitSystem? {
        let lines = (tree.text("/etc/inittab") ?? "").split(whereSeparator: \.isNewline)
            .map { $0.drop(while: \.isWhitespace) }
        let entries = lines.filter { line in line.first != "#" && line.filter { $0 == ":" }.count >= 3 }
        return entries.isEmpty ? nil : entries.contains { $0.hasPrefix("::") } ? .busybox : .sysvinit
    }

    // MARK: The distribution

    private var release: Distribution { Distribution(of: tree) }

    /// What the distribution has come with since this version; `.unknown` for one that leaves a choice.
    var distribution: InitSystem? { hasOtherInit ? .unknown : release.initSystem }

    /// systemd's own folders of configuration, in a saved tree that holds little. Whoever else reads them has files of
    /// its own, which are looked for before.
    var hasFoldersOfSystemd: Bool {
        ["modules-load.d", "sysctl.d", "tmpfiles.d", "udev/rules.d"].contains { name in
            ["/etc/", "/run/", "/usr/local/lib/", "/usr/lib/", "/lib/"].contains { tree.isFolder($0 + name) }
        }
    }

    /// By a distribution's name for its kernel, where a saved tree tells nothing else: "3.10.0-1160.el7.x86_64",
    /// "6.8.0-1021-azure".
    var kernel: InitSystem? {
        let text = tree.text("/proc/sys/kernel/osrelease")?.trimmed ?? ""
        guard let release = KernelRelease(text) else { return nil }
        if [".el5", ".el6", ".amzn1."].contains(where: text.contains) { return .initscripts }
        if [".el7", ".el8", ".el9", ".el10", ".amzn2", ".fc", "-pve"].contains(where: text.contains) {
            return .systemd
        }
        // Ubuntu's from 16.04 on, Debian's from 9 on.
        let flavours = [
            "-generic", "-azure", "-aws", "-gcp", "-gke", "-oracle", "-kvm", "-lowlatency", "-amd64", "-arm64",
        ]
        return release >= KernelRelease(4, 4) && flavours.contains(where: text.hasSuffix) ? .systemd : nil
    }
}
