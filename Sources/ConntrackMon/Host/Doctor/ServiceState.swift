// SPDX-License-Identifier: GPL-3.0-or-later

/// Whether services are started at boot, as the links of the host's init system say.
enum ServiceState {
    /// nil where the tree holds no links that would tell.
    static func isEnabled(_ name: String, in tree: FileTree) -> Bool? {
        if isMasked(name, in: tree) { return false }
        let answers = [
            systemd(name, in: tree), levels(name, in: tree), openRC(name, in: tree), runit(name, in: tree),
            openWrt(name, in: tree),
        ].compactMap { $0 }
        return answers.isEmpty ? nil : answers.contains(true)
    }

    /// `systemctl mask`: a link to /dev/null, or an empty file, instead of the unit.
    static func isMasked(_ name: String, in tree: FileTree) -> Bool {
        ["/etc/systemd/system", "/run/systemd/system"].contains { folder in
            tree.text("\(folder)/\(name).service")?.isEmpty == true
        }
    }

    /// The targets that a boot reaches; what stands in others waits for somebody to ask.
    private static let targets = [
        "multi-user", "default", "basic", "network-pre", "network", "network-online", "sysinit", "graphical",
        "local-fs",
    ].flatMap { [$0 + ".target.wants", $0 + ".target.requires"] }

    private static func systemd(_ name: String, in tree: FileTree) -> Bool? {
        var isKnown = false
        for folder in ["/etc/systemd/system", "/usr/lib/systemd/system"] {
            guard let names = tree.names(in: folder) else { continue }
            for target in targets where names.contains(target) {
                // What the distribution wants says nothing of services that an administrator enables.
                if folder.hasPrefix("/etc") { isKnown = true }
                if tree.names(in: "\(folder)/\(target)")?.contains(name + ".service") == true { return true }
            }
        }
        return isKnown ? false : nil
    }

    /// EL5's and EL6's, and Debian's, which has rcS.d too. systemd heeds them for services that have no unit.
    private static func levels(_ name: String, in tree: FileTree) -> Bool? {
        let hasUnit = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"].contains {
            tree.exists("\($0)/\(name).service")
        }
        guard !hasUnit else { return nil }
        var isKnown = false
        for folder in ["/etc/rc.d", "/etc"] {
            for level in ["2", "3", "4", "5", "S"] {
                guard let links = tree.names(in: "\(folder)/rc\(level).d") else { continue }
                isKnown = true
                if links.contains(where: { isStart($0, of: name) }) { return true }
            }
        }
        return isKnown && !SysctlReader.hasSystemd(tree) ? false : nil
    }

    private static func openRC(_ name: String, in tree: FileTree) -> Bool? {
        guard let levels = tree.names(in: "/etc/runlevels") else { return nil }
        return levels.contains { tree.names(in: "/etc/runlevels/\($0)")?.contains(name) == true }
    }

    /// Void's. A host of another init system may have runit for programs of its own.
    private static func runit(_ name: String, in tree: FileTree) -> Bool? {
        let folders = ["/etc/runit/runsvdir/default", "/var/service", "/etc/service"].compactMap { tree.names(in: $0) }
        if folders.contains(where: { $0.contains(name) }) { return true }
        return folders.isEmpty || !tree.exists("/etc/runit") || SysctlReader.hasSystemd(tree) ? nil : false
    }

    private static func openWrt(_ name: String, in tree: FileTree) -> Bool? {
        guard tree.exists("/etc/openwrt_release"), let links = tree.names(in: "/etc/rc.d") else { return nil }
        return links.contains { isStart($0, of: name) }
    }

    /// "S19firewall".
    private static func isStart(_ link: String, of name: String) -> Bool {
        link.hasPrefix("S") && link.dropFirst().prefix(2).allSatisfy(\.isNumber) && link.dropFirst(3) == name
    }
}
