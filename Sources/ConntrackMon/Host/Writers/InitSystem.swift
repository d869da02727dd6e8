// SPDX-License-Identifier: GPL-3.0-or-later

/// Which program starts a host, and so who loads modules and applies sysctl configuration at boot.
enum InitSystem: Equatable, Sendable {
    case systemd
    /// EL5's and EL6's rc.sysinit.
    case initscripts
    /// Not to be told from the files: nothing is assumed of the boot then.
    case unknown

    init(of tree: FileTree, procfs: FileTree) {
        let hasSystemd = SysctlReader.hasSystemd(tree)
        self = tree.exists("/etc/rc.d/rc.sysinit") && !hasSystemd ? .initscripts : .systemd
    }
}
