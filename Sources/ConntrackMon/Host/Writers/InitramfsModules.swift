// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What loads modules before the root file system is there. None is certain: the initramfs holds what was configured when
/// it was made last, and only if the module was put in.
enum InitramfsModules {
    static func lists(in tree: FileTree, commandLine: String, initSystem: InitSystem) -> [ModuleList] {
        var entries = options(commandLine, initSystem)
        if initSystem != .openwrt && initSystem != .unknown {
            entries += ModuleLists.read("/etc/initramfs-tools/modules", .options, in: tree)
            let folders = ["/etc/dracut.conf.d", "/usr/lib/dracut/dracut.conf.d"]
            let files = folders.flatMap { folder in
                (tree.names(in: folder) ?? []).filter { $0.hasSuffix(".conf") }.map { "\(folder)/\($0)" }
            }
            for file in ["/etc/dracut.conf"] + files { entries += assigned("force_drivers", in: file, tree) }
            entries += assigned("MODULES", in: "/etc/mkinitcpio.conf", tree)
        }
        return entries.isEmpty ? [] : [ModuleList(name: "the initramfs", entries: entries, certainty: .may)]
    }

    /// Words of the kernel's command line for what runs in there: systemd's and dracut's, Alpine's.
    private static func options(_ commandLine: String, _ initSystem: InitSystem) -> [ModuleList.Entry] {
        var keys = ["rd.modules_load=", "rd.driver.pre=", "rd.driver.post="]
        if initSystem == .openrc { keys.append("modules=") }
        return keys.flatMap { ModuleLists.option($0, commandLine, .may).entries }
    }

    /// The words of `NAME+=" a b "` or `NAME=(a b)`.
    private static func assigned(_ name: String, in file: String, _ tree: FileTree) -> [ModuleList.Entry] {
        guard let text = tree.text(file), occurs("conntrack", in: text) || occurs("nf_nat", in: text) else { return [] }
        return ModuleConfiguration.lines(of: text).flatMap { number, line -> [ModuleList.Entry] in
            let parts = line.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[0] == name || parts[0] == name + "+" else { return [] }
            let words = parts[1].prefix { $0 != "#" }.split { "\"'() ".contains($0) }
            return words.map {
                ModuleList.Entry(module: String($0), evidence: Evidence(file: file, line: number, text: line))
            }
        }
    }
}
