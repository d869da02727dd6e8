// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// The lists of modules that each init has loaded at boot, once the root file system is there.
enum ModuleLists {
    /// What a line is taken for.
    enum Form {
        /// The name of one module, all of it: systemd, and Void's modules-load.
        case name
        /// The name of a module, and words that nobody looks at: OpenRC's own service.
        case firstWord
        /// A module and its options: Debian's script, Alpine's service, OpenWrt.
        case options
    }

    static func all(of initSystem: InitSystem, in tree: FileTree, commandLine: String) -> [ModuleList] {
        switch initSystem {
        case .systemd: systemd(tree, commandLine)
        case .initscripts: ModuleScripts.lists(in: tree, certainty: .certain)
        case .openrc: openRC(tree)
        case .upstart: upstart(tree)
        case .sysvinit: sysvinit(tree)
        case .busybox: buildroot(tree)
        case .openwrt: openWrt(tree)
        case .runit: runit(tree, commandLine)
        // The option is systemd's, the scripts are Red Hat's: whoever has them may have these.
        case .unknown:
            ModuleScripts.lists(in: tree, certainty: .may) + [option("modules_load=", commandLine, .may)]
        }
    }

    /// How this init takes the lines of modules-load.d; nil where nothing reads them, or where that can't be known.
    static func form(of initSystem: InitSystem, in tree: FileTree) -> Form? {
        switch initSystem {
        case .systemd, .runit: .name
        case .openrc: tree.exists("/etc/alpine-release") ? .options : .firstWord
        case .sysvinit: .options
        case .initscripts, .upstart, .busybox, .openwrt, .unknown: nil
        }
    }

    /// Whether nothing at all reads modules-load.d.
    static func ignoresModulesLoad(_ initSystem: InitSystem) -> Bool {
        initSystem == .initscripts || initSystem == .openwrt
    }

    // MARK: systemd

    private static func systemd(_ tree: FileTree, _ commandLine: String) -> [ModuleList] {
        var list = ModuleList(name: "systemd-modules-load", entries: [], honoursBlacklist: true)
        list.entries = option("modules_load=", commandLine, .certain).entries
        list.entries += ModuleConfiguration.files("modules-load.d", ".conf", in: tree)
            .flatMap { read($0, .name, in: tree) }
        // EL7's and EL8's service for them has no order to systemd-sysctl's.
        return [list] + ModuleScripts.lists(in: tree, certainty: .may)
    }

    /// Modules that the kernel's command line names: systemd takes dashes for underscores.
    static func option(_ key: String, _ commandLine: String, _ certainty: Certainty) -> ModuleList {
        let words = commandLine.split(whereSeparator: \.isWhitespace).filter {
            $0.replacing("-", with: "_").hasPrefix(key)
        }
        let entries = words.flatMap { word in
            word.dropFirst(key.utf8.count).split(separator: ",").map {
                ModuleList.Entry(
                    module: String($0), evidence: Evidence(file: "/proc/cmdline", line: nil, text: String(word)))
            }
        }
        return ModuleList(
            name: "systemd-modules-load", entries: entries, certainty: certainty, honoursBlacklist: true)
    }

    // MARK: OpenRC

    private static func openRC(_ tree: FileTree) -> [ModuleList] {
        let runlevels = OpenRC(tree)
        let names = ["modules", "modules-load", "kmod"]
        let service = runlevels.service(names)
        guard let level = runlevels.level(of: names) else { return openRC(tree, "modules").map(doubted) }
        guard level != .off, let service else { return [] }
        let sysctl = runlevels.level(of: ["sysctl", "procps"]) ?? .off
        return openRC(tree, service.name).map { list in
            var list = list
            if level > sysctl { list.when = .late }
            return list
        }
    }

    private static func openRC(_ tree: FileTree, _ service: String) -> [ModuleList] {
        if service == "kmod" { return [debian(tree)] }
        let name = "OpenRC's \(service) service"
        if tree.exists("/etc/alpine-release") {
            let folders = ["/etc", "/run", "/usr/lib", "/lib"].map { $0 + "/modules-load.d" }
            let files = ["/etc/modules"] + folders.flatMap { conf($0, tree) }
            return [ModuleList(name: name, entries: files.flatMap { read($0, .options, in: tree) })]
        }
        let files = hidden(["/etc", "/run", "/usr/lib"], tree)
        let entries = files.flatMap { read($0, .firstWord, in: tree) } + variable(tree)
        return [ModuleList(name: name, entries: entries, honoursBlacklist: true)]
    }

    /// modules="a b" of /etc/conf.d/modules, and the same for one kernel: modules_6_1="...".
    private static func variable(_ tree: FileTree) -> [ModuleList.Entry] {
        let file = "/etc/conf.d/modules"
        return ModuleConfiguration.lines(of: file, in: tree).flatMap { number, line -> [ModuleList.Entry] in
            let parts = line.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[0] == "modules" || parts[0].hasPrefix("modules_") else { return [] }
            let words = parts[1].prefix { $0 != "#" }.filter { $0 != "\"" && $0 != "'" }.split(separator: " ")
            return words.map {
                ModuleList.Entry(module: String($0), evidence: Evidence(file: file, line: number, text: line))
            }
        }
    }

    // MARK: Debian's script, upstart's job

    private static func sysvinit(_ tree: FileTree) -> [ModuleList] {
        let link = BootSysctl.link("/etc/rcS.d", ["kmod", "module-init-tools"], tree)
        guard tree.isFolder("/etc/rcS.d") else { return [doubted(debian(tree))] }
        guard let link else { return [] }
        var list = link.path.hasSuffix("kmod") ? debian(tree) : onlyModules(tree, "the module-init-tools start script")
        let sysctl = BootSysctl.link("/etc/rcS.d", ["procps", "procps.sh"], tree)?.number ?? Int.max
        if link.number > sysctl { list.when = .late }
        // Scripts with one number start together.
        if link.number == sysctl { list.certainty = .may }
        return [list]
    }

    private static func debian(_ tree: FileTree) -> ModuleList {
        let files = hidden(["/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib"], tree)
        let isLinked = files.contains { tree.canonical($0) == tree.canonical("/etc/modules") }
        let entries = (files + (isLinked ? [] : ["/etc/modules"])).flatMap { read($0, .options, in: tree) }
        return ModuleList(name: "the kmod start script", entries: entries)
    }

    private static func onlyModules(_ tree: FileTree, _ name: String) -> ModuleList {
        ModuleList(name: name, entries: read("/etc/modules", .options, in: tree))
    }

    /// kmod's job reads modules-load.d too, module-init-tools' before it does not. Both come before the network, with
    /// which sysctl settings are applied once more.
    private static func upstart(_ tree: FileTree) -> [ModuleList] {
        let name = "upstart's kmod job"
        guard let job = tree.text("/etc/init/kmod.conf") else {
            var list = debian(tree)
            list.name = name
            return [onlyModules(tree, name), without("/etc/modules", doubted(list))]
        }
        var list = occurs("modules-load.d", in: job) ? debian(tree) : onlyModules(tree, name)
        list.name = name
        return [list]
    }

    private static func without(_ file: String, _ list: ModuleList) -> ModuleList {
        var list = list
        list.entries.removeAll { $0.evidence.file == file }
        return list
    }

    // MARK: Others

    /// Buildroot's script for them, where its version has one. It may come after what applies sysctl settings.
    private static func buildroot(_ tree: FileTree) -> [ModuleList] {
        guard let link = BootSysctl.link("/etc/init.d", ["modules"], tree) else { return [] }
        let sysctl = BootSysctl.link("/etc/init.d", ["sysctl"], tree)?.number ?? Int.max
        let files = hidden(["/etc", "/usr/local/lib", "/usr/lib", "/lib"], tree) + ["/etc/modules"]
        let entries = files.flatMap { read($0, .firstWord, in: tree) }
        return [
            ModuleList(
                name: "the modules start script", entries: entries, when: link.number > sysctl ? .late : .early,
                certainty: .may)
        ]
    }

    /// kmodloader, run by procd before the scripts of /etc/rc.d.
    private static func openWrt(_ tree: FileTree) -> [ModuleList] {
        let entries = ["/etc/modules-boot.d", "/etc/modules.d"].flatMap { folder in
            (tree.names(in: folder) ?? []).filter { !$0.hasPrefix(".") }.flatMap {
                read("\(folder)/\($0)", .options, in: tree)
            }
        }
        return [ModuleList(name: "kmodloader", entries: entries)]
    }

    /// void-runit's modules-load.
    private static func runit(_ tree: FileTree, _ commandLine: String) -> [ModuleList] {
        let dashed = commandLine.split(whereSeparator: \.isWhitespace).filter { !$0.hasPrefix("modules_load") }
        var list = option("modules_load=", dashed.joined(separator: " "), .certain)
        list.name = "runit's modules-load"
        list.entries += hidden(["/etc", "/run", "/usr/lib"], tree).flatMap { read($0, .name, in: tree) }
        return [list]
    }

    // MARK: Parts

    private static func doubted(_ list: ModuleList) -> ModuleList {
        var list = list
        list.certainty = .may
        return list
    }

    private static func conf(_ folder: String, _ tree: FileTree) -> [String] {
        (tree.names(in: folder) ?? []).filter { $0.hasSuffix(".conf") && !$0.hasPrefix(".") }.map { "\(folder)/\($0)" }
    }

    /// *.conf of modules-load.d in these folders by name; a name in an earlier folder hides the same in a later one.
    private static func hidden(_ folders: [String], _ tree: FileTree) -> [String] {
        var paths: [String: String] = [:]
        for folder in folders {
            for path in conf(folder + "/modules-load.d", tree) {
                let name = path.split(separator: "/").last.map(String.init) ?? path
                if paths[name] == nil { paths[name] = path }
            }
        }
        return paths.sorted { FileTree.isBefore($0.key, $1.key) }.map(\.value)
    }

    private static let entryLimit = 1024

    static func read(_ file: String, _ form: Form, in tree: FileTree) -> [ModuleList.Entry] {
        guard let text = tree.text(file) else { return [] }
        // A line ends where it ends here, unlike in modprobe.d.
        let lines = text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated()
        return lines.lazy.filter { (1..<256).contains($0.element.count) }.compactMap { index, part in
            let line = String(Substring(part)).trimmed
            guard let first = line.first, first != "#", first != ";" else { return nil }
            let evidence = Evidence(file: file, line: index + 1, text: line)
            if form == .name { return ModuleList.Entry(module: line, evidence: evidence) }
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace).map(String.init)
            return words.first.map { module in
                ModuleList.Entry(
                    module: module, arguments: form == .options ? Array(words.dropFirst()) : [], evidence: evidence)
            }
        }.prefix(entryLimit).map { $0 }
    }
}
