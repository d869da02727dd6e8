// SPDX-License-Identifier: GPL-3.0-or-later

/// Which services OpenRC starts, and when.
struct OpenRC {
    /// In the order in which they come at boot.
    enum Level: Int, Comparable {
        case sysinit, boot, normal
        /// In no runlevel.
        case off

        static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    private let tree: FileTree

    init(_ tree: FileTree) {
        self.tree = tree
    }

    /// The level in which the first of these services stands that stands in one; nil where there are no runlevels to
    /// look at.
    func level(of services: [String]) -> Level? { service(services)?.level ?? (hasRunlevels ? .off : nil) }

    /// The first of these that stands in a runlevel.
    func service(_ services: [String]) -> (name: String, link: String, level: Level)? {
        let named: [(String, Level)] = [("sysinit", .sysinit), ("boot", .boot)]
        let others = (tree.names(in: "/etc/runlevels") ?? []).filter {
            !["sysinit", "boot", "shutdown", "single", "nonetwork"].contains($0)
        }
        for (folder, level) in named + others.map({ ($0, .normal) }) {
            for name in services {
                let link = "/etc/runlevels/\(folder)/\(name)"
                if tree.isLink(link) || tree.exists(link) { return (name, link, level) }
            }
        }
        return nil
    }

    private var hasRunlevels: Bool { tree.isFolder("/etc/runlevels") }
}
