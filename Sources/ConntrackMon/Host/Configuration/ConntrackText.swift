// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// A line that does nothing.
struct IdleLine: Equatable, Sendable {
    var evidence: Evidence
    var fault: TextFault
    /// The same file by other names: /etc/sysctl.d/99-sysctl.conf is often a link to /etc/sysctl.conf.
    var otherNames: [String] = []

    /// Whether it is the line at a place.
    func isAt(_ file: String, _ line: Int?) -> Bool {
        line == evidence.line && (file == evidence.file || otherNames.contains(file))
    }
}

/// A file that nobody reads, for want of .conf at the end of its name.
struct IdleFile: Equatable, Sendable {
    var file: String
    /// The lines that were meant to count.
    var lines: [Evidence]
    /// The settings they would set.
    var settings: [String: UInt64] = [:]
}

/// What a host's files say of conntrack to nobody.
struct ConntrackText: Equatable, Sendable {
    private(set) var lines: [IdleLine] = []
    private(set) var files: [IdleFile] = []

    private static let lineLimit = 100
    private let names: SettingNames
    private let release: KernelRelease?
    private let reader: SysctlReader
    private let initSystem: InitSystem

    init(tree: FileTree, reader: SysctlReader, names: SettingNames, release: KernelRelease?) {
        (self.names, self.release, self.reader) = (names, release, reader)
        initSystem = InitSystem(of: tree)
        readSysctl(tree)
        readModulesLoad(tree)
        readUnreadLists(tree)
        readModprobe(tree)
    }

    static func == (left: Self, right: Self) -> Bool { left.lines == right.lines && left.files == right.files }

    // MARK: What is read

    /// What the boot reads, and what `sysctl --system` reads.
    private mutating func readSysctl(_ tree: FileTree) {
        var paths = reader.files(in: tree)
        let isBusybox = reader.isBusybox
        // `sysctl --system` is procps'.
        if !isBusybox { paths += SysctlReader.procps.files(in: tree).filter { !paths.contains($0) } }
        judge(paths, in: tree) { [names] in
            (isBusybox ? BusyboxLine.fault(in: $0, names: names) : nil) ?? SysctlLine.fault(in: $0, names: names)
        }
        // EL6's start scripts take every file of the folder.
        guard reader != .initscripts else { return }
        for file in ConntrackText.withoutSuffix("sysctl.d", in: tree) {
            addFile(file, in: tree) { [names] text in
                guard let assignment = SysctlSyntax.parse(text).assignments.first, let value = assignment.value,
                    !assignment.isGlob, SysctlSyntax.number(value) != nil, names.exists(assignment.key)
                else { return nil }
                return (assignment.key.split(separator: "/").last.map(String.init), SysctlSyntax.number(value))
            }
        }
    }

    private mutating func readModulesLoad(_ tree: FileTree) {
        guard let form = ModuleLists.form(of: initSystem, in: tree) else { return }
        var files = ModuleConfiguration.files("modules-load.d", ".conf", in: tree)
        if form == .options, !files.contains(where: { tree.canonical($0) == tree.canonical("/etc/modules") }) {
            files.append("/etc/modules")
        }
        judge(files, in: tree) { [names, release] text in
            // Where options may follow, the name is the first word.
            let line = form == .name ? text : String(text.prefix { $0 != " " && $0 != "\t" })
            return ModuleLine.fault(ofLoad: line, names: names, release: release)
        }
        for file in ConntrackText.withoutSuffix("modules-load.d", in: tree) {
            addFile(file, in: tree) { [release] in ModuleNames.brings($0, release: release) ? (nil, nil) : nil }
        }
    }

    /// Lists of modules that this host's init does not look at, where nothing else loads the module.
    private mutating func readUnreadLists(_ tree: FileTree) {
        guard let cure = unreadLists(tree).isEmpty ? nil : initSystem.bootLoadCure("nf_conntrack", in: tree),
            BootLoadWriters.all(in: tree, commandLine: nil, release: release, initSystem: initSystem).isEmpty
        else { return }
        for (files, reason) in unreadLists(tree) {
            judge(files, in: tree) { [release] text in
                let words = text.split { " \t;&|".contains($0) }.map(String.init)
                guard words.contains(where: { ModuleNames.brings($0, release: release) }) else { return nil }
                return TextFault(reason: reason, cure: "write \(cure)")
            }
        }
    }

    private func unreadLists(_ tree: FileTree) -> [(files: [String], reason: String)] {
        let folder = ModuleConfiguration.files("modules-load.d", ".conf", in: tree)
        if ModuleLists.ignoresModulesLoad(initSystem) {
            let scripts = ModuleScripts.files(in: tree).filter { ModuleScripts.isRun($0, in: tree) == false }
            return [
                (folder, "nothing on this host reads modules-load.d"),
                (
                    initSystem == .initscripts ? scripts.filter(tree.exists) : [],
                    "the start scripts pass the file over, since it is not executable"
                ),
            ].filter { !$0.0.isEmpty }
        }
        // Debian has a link to it in /etc/modules-load.d.
        let isLinked = folder.contains { tree.canonical($0) == tree.canonical("/etc/modules") }
        guard initSystem == .systemd, tree.exists("/etc/modules"), tree.isFolder("/etc/modules-load.d"), !isLinked
        else {
            return []
        }
        return [(["/etc/modules"], "systemd reads /etc/modules-load.d only, and no link there leads to /etc/modules")]
    }

    private mutating func readModprobe(_ tree: FileTree) {
        judge(ModuleConfiguration.files("modprobe.d", ".conf", in: tree), in: tree) { [names, release] in
            ModuleLine.fault(ofModprobe: $0, names: names, release: release)
        }
        // module-init-tools read them without; kmod took its place in 2012.
        guard let release, release >= KernelRelease(3, 8) else { return }
        for file in ConntrackText.withoutSuffix("modprobe.d", in: tree) {
            addFile(file, in: tree) { text in
                let words = text.split(whereSeparator: \.isWhitespace)
                guard words.count > 2, words[0] == "options" || words[0] == "install" else { return nil }
                return words[1].replacing("-", with: "_") == "nf_conntrack" ? (nil, nil) : nil
            }
        }
    }

    private mutating func judge(_ files: [String], in tree: FileTree, by fault: (String) -> TextFault?) {
        var seen: [String: [Int]] = [:]
        for file in files {
            let path = tree.canonical(file)
            if let known = seen[path] {
                for index in known { lines[index].otherNames.append(file) }
                continue
            }
            var indices: [Int] = []
            for (number, text) in ConntrackText.mentions(in: file, of: tree) {
                guard lines.count < ConntrackText.lineLimit, let fault = fault(text) else { continue }
                indices.append(lines.count)
                let evidence = Evidence(file: file, line: number, text: InvisibleText.shown(text))
                lines.append(IdleLine(evidence: evidence, fault: fault))
            }
            seen[path] = indices
        }
    }

    // MARK: What is not read

    /// - Parameter meaning: The setting and value of a line that would count if the file were read; nil for others.
    private mutating func addFile(
        _ file: String, in tree: FileTree, meaning: (String) -> (setting: String?, value: UInt64?)?
    ) {
        var idle = IdleFile(file: file, lines: [])
        for (number, text) in ConntrackText.mentions(in: file, of: tree) {
            guard idle.lines.count < ConntrackText.lineLimit, let meant = meaning(text) else { continue }
            idle.lines.append(Evidence(file: file, line: number, text: text))
            if let setting = meant.setting, let value = meant.value { idle.settings[setting] = value }
        }
        if !idle.lines.isEmpty { files.append(idle) }
    }

    /// Put aside on purpose, or by a package's update.
    private static let asideSuffixes = [
        ".bak", ".backup", ".old", ".orig", ".save", ".saved", ".disabled", ".disable", ".off", ".sample", ".example",
        ".template", ".in", ".rpmsave", ".rpmnew", ".rpmorig", ".pacsave", ".pacnew", ".swp", ".tmp", ".md", "~",
    ]

    /// The files of /etc/NAME whose names do not end as they must. Those of /usr/lib are a package's own affair.
    private static func withoutSuffix(_ name: String, in tree: FileTree) -> [String] {
        let folder = "/etc/\(name)"
        return (tree.names(in: folder) ?? []).filter { file in
            let lower = file.lowercased()
            let isAside =
                asideSuffixes.contains(where: lower.hasSuffix) || lower.hasPrefix("readme") || lower.hasPrefix(".")
                || lower.contains(".dpkg-") || lower.contains(".ucf-") || lower.contains(".conf.")
                || lower.contains(".conf-") || lower.contains(".conf_")
            // Some editors put .txt behind every name.
            return !file.hasSuffix(".conf") && (!isAside || lower.hasSuffix(".conf.txt"))
                && !tree.isFolder("\(folder)/\(file)")
        }.map { "\(folder)/\($0)" }
    }

    // MARK: Lines

    /// The lines of a file that name conntrack and are no comments, as they stand.
    private static func mentions(in file: String, of tree: FileTree) -> [(number: Int, text: String)] {
        guard let text = tree.text(file) else { return [] }
        // Only modprobe.d knows lines that go on.
        if file.contains("/modprobe.d/") {
            return ModuleConfiguration.lines(of: text).filter { namesConntrack($0.text) }
        }
        var found: [(number: Int, text: String)] = []
        for (index, part) in text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
            // Most lines are other programs'.
            guard part.count < 1024, mayMention(part) else { continue }
            let line = String(Substring(part.last == 0x0d ? part.dropLast() : part)).trimmedBlanks
            guard let first = InvisibleText.cleaned(line).first, first != "#", first != ";", namesConntrack(line) else {
                continue
            }
            found.append((index + 1, line))
        }
        return found
    }

    private static func mayMention(_ bytes: Substring.UTF8View) -> Bool {
        var last: (UInt8, UInt8) = (0, 0)
        for byte in bytes {
            let lower = byte | 0x20
            if last == (0x63, 0x6f), lower == 0x6e { return true }
            last = (last.1, lower)
        }
        return false
    }
}

extension String {
    /// Without blanks and tabs at its ends: other characters that show as blanks stay.
    fileprivate var trimmedBlanks: String {
        var text = self[...].drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }
}
