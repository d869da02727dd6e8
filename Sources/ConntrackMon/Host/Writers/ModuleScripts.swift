// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Red Hat's scripts that load modules at boot: /etc/sysconfig/modules/*.modules and /etc/rc.modules. Those that are not
/// executable are passed over.
enum ModuleScripts {
    /// - Parameter certainty: How sure it is that they are run in time.
    static func lists(in tree: FileTree, certainty: Certainty) -> [ModuleList] {
        files(in: tree).compactMap { file in
            let entries = entries(file, in: tree)
            switch isRun(file, in: tree) {
            case false: return nil
            case true: return ModuleList(name: file, entries: entries, certainty: certainty)
            case nil: return ModuleList(name: file, entries: entries, certainty: .may)
            }
        }
    }

    static func files(in tree: FileTree) -> [String] {
        (tree.names(in: "/etc/sysconfig/modules") ?? []).filter { $0.hasSuffix(".modules") && !$0.hasPrefix(".") }
            .map { "/etc/sysconfig/modules/" + $0 } + ["/etc/rc.modules"]
    }

    /// Whether it is executable; nil where a saved tree may have lost that of all files.
    static func isRun(_ file: String, in tree: FileTree) -> Bool? {
        if tree.isExecutable(file) { return true }
        let scripts = ["/etc/rc.d/rc.sysinit", "/etc/rc.d/rc", "/etc/rc.d/init.d/network", "/etc/rc.d/init.d/sshd"]
        return tree.root.isEmpty || scripts.contains(where: tree.isExecutable) ? false : nil
    }

    /// The commands that load a module: `modprobe -- nf_conntrack && ...`.
    static func entries(_ file: String, in tree: FileTree) -> [ModuleList.Entry] {
        ModuleConfiguration.lines(of: file, in: tree).flatMap { number, line in
            let commands = line.prefix { $0 != "#" }.split { ";&|".contains($0) }
            return commands.flatMap { command -> [ModuleList.Entry] in
                let words = command.split { " {}".contains($0) }.map(String.init)
                guard let program = words.firstIndex(where: { ["modprobe", "/sbin/modprobe"].contains($0) }) else {
                    return []
                }
                let rest = words[(program + 1)...].filter { !$0.hasPrefix("-") }.prefix { !$0.contains(">") }
                // With -a all are modules, else what follows the first are options.
                let isAll = words[(program + 1)...].contains { $0 == "-a" || $0 == "--all" }
                return (isAll ? Array(rest) : Array(rest.prefix(1))).map {
                    ModuleList.Entry(
                        module: $0, arguments: isAll ? [] : Array(rest.dropFirst()),
                        evidence: Evidence(file: file, line: number, text: line))
                }
            }
        }
    }
}
