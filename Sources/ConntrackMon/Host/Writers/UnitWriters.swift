// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Units of systemd that are started at boot, and what their commands and scripts set.
enum UnitWriters {
    /// Other writers look at these.
    private static let others: Set<String> = ["procps.service", "kmod.service", "rc-local.service", "rc.local.service"]
    /// What a boot does not come to.
    private static let ends = [
        "rescue", "emergency", "shutdown", "reboot", "poweroff", "halt", "kexec", "suspend", "hibernate", "sleep",
        "hybrid-sleep", "exit", "factory-reset",
    ]

    static func all(_ sources: WriterSources) -> [Writer] {
        guard sources.initSystem == .systemd else { return [] }
        let folders = Folders(sources.tree)
        return folders.started.prefix(400).flatMap { writers(of: $0.name, $0.certainty, folders, sources) }
    }

    /// Whether there is a unit of a name.
    static func exists(_ name: String, in tree: FileTree) -> Bool {
        Folders.paths(tree).contains { tree.exists($0 + "/" + name) }
    }

    // MARK: Folders

    /// The folders of units, and what is in them.
    struct Folders {
        private let tree: FileTree
        private let names: [(folder: String, names: Set<String>)]
        /// The units that are started at boot. Where no folder says which, those that would be if they were enabled.
        private(set) var started: [(name: String, certainty: Certainty)] = []

        static func paths(_ tree: FileTree) -> [String] {
            let paths = ["/etc", "/run", "/usr/local/lib", "/usr/lib"].map { $0 + "/systemd/system" }
            return tree.isLink("/lib") ? paths : paths + ["/lib/systemd/system"]
        }

        init(_ tree: FileTree) {
            self.tree = tree
            names = Folders.paths(tree).map { ($0, Set(tree.names(in: $0) ?? [])) }
            var wanted: Set<String> = []
            var isKnown = false
            for (folder, names) in names {
                for name in names where name.hasSuffix(".wants") || name.hasSuffix(".requires") {
                    let owner = name.prefix { $0 != "." }
                    guard !UnitWriters.ends.contains(String(owner)) else { continue }
                    if folder.hasPrefix("/etc/") { isKnown = true }
                    wanted.formUnion(tree.names(in: folder + "/" + name) ?? [])
                }
            }
            started = wanted.sorted(by: FileTree.isBefore).map { ($0, .certain) }
            if !isKnown {
                let own = names[0].names.filter { $0.hasSuffix(".service") && !wanted.contains($0) }
                started += own.sorted(by: FileTree.isBefore).map { ($0, .may) }
            }
        }

        /// A unit's file and its drop-ins, in systemd's order; [] for one that is not there.
        func files(of name: String) -> [String] {
            var template = name
            if let at = name.firstIndex(of: "@"), let dot = name.lastIndex(of: ".") {
                template = String(name[...at]) + String(name[dot...])
            }
            var files: [String] = []
            let found = names.first { $0.names.contains(name) } ?? names.first { $0.names.contains(template) }
            if let found { files.append(found.folder + "/" + (found.names.contains(name) ? name : template)) }
            // Saved trees may hold a file where there was a link.
            if files.isEmpty, let folder = wantFolder(of: name) { files.append(folder + "/" + name) }
            var dropIns: [String: String] = [:]
            for (folder, names) in names {
                for owner in Set([name, template]) where names.contains(owner + ".d") {
                    for file in tree.names(in: "\(folder)/\(owner).d") ?? [] where file.hasSuffix(".conf") {
                        if dropIns[file] == nil { dropIns[file] = "\(folder)/\(owner).d/\(file)" }
                    }
                }
            }
            return files + dropIns.sorted { FileTree.isBefore($0.key, $1.key) }.map(\.value)
        }

        private func wantFolder(of name: String) -> String? {
            for (folder, names) in names {
                for want in names.sorted(by: FileTree.isBefore) where want.hasSuffix(".wants") {
                    if tree.exists("\(folder)/\(want)/\(name)") { return "\(folder)/\(want)" }
                }
            }
            return nil
        }
    }

    // MARK: Units

    private static func writers(
        of name: String, _ certainty: Certainty, _ folders: Folders, _ sources: WriterSources
    ) -> [Writer] {
        if name.hasSuffix(".timer") || name.hasSuffix(".path") {
            return activated(by: name, certainty, folders, sources)
        }
        guard name.hasSuffix(".service"), !name.hasPrefix("systemd-"), !others.contains(name) else { return [] }
        let unit = unit(name, folders, sources)
        let before = unit.values("Before").flatMap { $0.value.split(separator: " ") }
        if let kind = FirewallService.Kind(rawValue: String(name.dropLast(".service".count))) {
            return writer(name, unit, .firewall(kind), certainty, sources)
        }
        let isEarly = before.contains("systemd-sysctl.service")
        return writer(name, unit, isEarly ? .early : .late, certainty, sources)
    }

    private static func unit(_ name: String, _ folders: Folders, _ sources: WriterSources) -> UnitFile {
        let stem = name.prefix { $0 != "." }
        let instance = stem.firstIndex(of: "@").map { String(stem[stem.index(after: $0)...]) } ?? ""
        return UnitFile(folders.files(of: name), instance: instance, in: sources.tree)
    }

    /// What a timer or a path starts.
    private static func activated(
        by name: String, _ certainty: Certainty, _ folders: Folders, _ sources: WriterSources
    ) -> [Writer] {
        let trigger = unit(name, folders, sources)
        let stem = name.prefix { $0 != "." }
        let service = trigger.values("Unit").last?.value ?? stem + ".service"
        guard !service.hasPrefix("systemd-") else { return [] }
        let isRepeated = ["OnCalendar", "OnUnitActiveSec", "OnUnitInactiveSec"].contains {
            !trigger.values($0).isEmpty
        }
        // How often is not read: it may be long until then.
        let isSure = name.hasSuffix(".timer") && !isRepeated
        return writer(
            service, unit(service, folders, sources), isRepeated ? .always : .late, isSure ? certainty : .may, sources)
    }

    private static func writer(
        _ name: String, _ unit: UnitFile, _ moment: Writer.Moment, _ certainty: Certainty, _ sources: WriterSources
    ) -> [Writer] {
        var keys = ["ExecStartPre", "ExecStart", "ExecStartPost"]
        // The firewalls' own programs are looked at elsewhere.
        if case .firewall = moment { keys.remove(at: 1) }
        // Only root may set anything.
        let user = unit.values("User").last?.value ?? "root"
        let isRoot = user == "root" || user == "0"
        var acts: [Writer.Act] = []
        var evidence: Evidence?
        for key in keys {
            for (words, isPrivileged, line) in unit.commands(key, in: sources.tree) where isRoot || isPrivileged {
                let found = ShellText.acts(ofWords: words, at: line, sources: sources)
                if evidence == nil, !found.isEmpty { evidence = line }
                acts += found
            }
        }
        guard let evidence else { return [] }
        let isConditional = unit.entries.contains { entry in
            guard entry.section == "[Unit]", entry.key.hasPrefix("Condition") || entry.key.hasPrefix("Assert") else {
                return false
            }
            return !isTrue(entry, sources)
        }
        let writer = ScriptWriters.writer(
            name, moment, acts, evidence, isConditional ? min(.may, certainty) : certainty, in: [evidence.file])
        return writer.map { [$0] } ?? []
    }

    private static func isTrue(_ entry: UnitFile.Entry, _ sources: WriterSources) -> Bool {
        let isPath = ["ConditionPathExists", "AssertPathExists", "ConditionFileIsExecutable"].contains(entry.key)
        guard isPath, !entry.value.hasPrefix("!"), !entry.value.hasPrefix("|") else { return false }
        let settings = ["/proc/sys/net", "/proc/sys"]
        return settings.contains(where: entry.value.hasPrefix) || sources.tree.exists(entry.value)
    }
}
