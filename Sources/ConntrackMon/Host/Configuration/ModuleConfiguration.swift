// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// How a host's files have nf_conntrack loaded, and what they do when it is.
struct ModuleConfiguration: Equatable, Sendable {
    /// `options nf_conntrack hashsize=N`, or nf_conntrack.hashsize=N on the kernel's command line.
    var hashsize: UInt64?
    var hashsizeEvidence: Evidence?
    /// `install nf_conntrack ...` of modprobe.d.
    var install: Evidence?
    /// What loads it before systemd-sysctl runs: modules-load.d, EL6's /etc/sysconfig/modules.
    var loaders: [Evidence] = []
    /// udev rules that name nf_conntrack.
    var rules: [Evidence] = []
    /// `install nf_conntrack /bin/false`, or module_blacklist= on the kernel's command line: no modprobe and no rule loads it.
    var ban: Evidence?
    /// `blacklist nf_conntrack`: modules-load.d does not load it; what depends on it does.
    var blacklist: Evidence?
    private let release: KernelRelease?

    /// - Parameter release: Which modules there are to load; nil for any.
    init(tree: FileTree, commandLine: String?, release: KernelRelease? = nil) {
        self.release = release
        readModprobe(tree)
        readLoaders(tree, commandLine)
        readRules(tree)
        readCommandLine(commandLine ?? "")
    }

    /// The limit that an install line sets by itself: `... && sysctl -w net.netfilter.nf_conntrack_max=777777`.
    var installLimit: UInt64? {
        guard let text = install?.text, let name = text.firstRange(of: "nf_conntrack_max=") else { return nil }
        return UInt64(text[name.upperBound...].prefix(while: \.isNumber))
    }

    /// Whether a load, whoever causes it, is followed by the settings of sysctl.d.
    var restoresConfiguration: Bool {
        rules.contains { $0.text.contains("sysctl") }
            || install.map { $0.text.contains("sysctl") && installLimit == nil } ?? false
    }

    // MARK: modprobe.d

    private mutating func readModprobe(_ tree: FileTree) {
        let module = "nf_conntrack"
        let directives = ModprobeDirectives(tree: tree)
        // Whatever is named here is not loaded by its own name or alias; what depends on it loads it all the same.
        blacklist =
            (directives.of(.blacklist, module)
            + directives.of(.alias, module).filter { $0.rest.first == "off" }).last?.evidence
        if let line = directives.install(of: module) {
            let isBan = ModuleConfiguration.isBan([line.kind.rawValue, line.module] + line.rest)
            (install, ban) = isBan ? (nil, line.evidence) : (line.evidence, nil)
        }
        // The kernel takes one after the other.
        for line in directives.of(.options, module) {
            guard let size = ModuleConfiguration.option("hashsize", in: line.rest) else { continue }
            (hashsize, hashsizeEvidence) = (size, line.evidence)
        }
    }

    /// Whether an install line runs what loads nothing.
    private static func isBan(_ words: [String]) -> Bool {
        let command = words[2].split(separator: "/").last ?? ""
        let loads = words.dropFirst(2).contains { $0.contains("modprobe") || $0.contains("insmod") }
        return ["false", "true", ":", "exit"].contains(command) && !loads
    }

    private mutating func readCommandLine(_ text: String) {
        let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        // The kernel itself refuses these, whoever asks for them (kernel/module/main.c, blacklisted()).
        let refused = words.last { $0.hasPrefix("module_blacklist=") }
        if let refused, ModuleConfiguration.names(refused).contains("nf_conntrack") {
            ban = Evidence(file: "/proc/cmdline", line: nil, text: refused)
        }
        for word in words where word.hasPrefix("nf_conntrack.hashsize=") {
            guard let size = ModuleConfiguration.option("nf_conntrack.hashsize", in: [word]) else { continue }
            (hashsize, hashsizeEvidence) = (size, Evidence(file: "/proc/cmdline", line: nil, text: word))
        }
    }

    /// The modules of `KEY=NAME,NAME`.
    private static func names(_ word: String) -> [Substring] {
        word.split(separator: "=").dropFirst().flatMap { $0.split(separator: ",") }
    }

    /// The kernel takes 0x and 0 for other bases here too.
    private static func option(_ name: String, in words: [String]) -> UInt64? {
        words.last { $0.hasPrefix(name + "=") }.flatMap {
            SysctlSyntax.number(String($0.dropFirst(name.utf8.count + 1)))
        }
    }

    // MARK: Loading at boot

    /// What BootLoadWriters finds, without the moment and the certainty.
    private mutating func readLoaders(_ tree: FileTree, _ commandLine: String?) {
        let writers = BootLoadWriters.all(
            in: tree, commandLine: commandLine, release: release, initSystem: InitSystem(of: tree))
        loaders = writers.filter { $0.when == .early }.flatMap(\.acts).compactMap { act in
            if case .load(_, let evidence) = act { evidence } else { nil }
        }
    }

    private mutating func readRules(_ tree: FileTree) {
        for file in ModuleConfiguration.files("udev/rules.d", ".rules", in: tree) {
            for (number, line) in mentions(of: file, in: tree) where line.contains("nf_conntrack") {
                rules.append(Evidence(file: file, line: number, text: line))
            }
        }
    }

    // MARK: Files

    /// The lines of a file that names conntrack; most do not, and are not taken apart.
    private func mentions(of file: String, in tree: FileTree) -> [(number: Int, text: String)] {
        guard let text = tree.text(file), occurs("conntrack", in: text) else { return [] }
        return ModuleConfiguration.lines(of: text)
    }

    /// The files of /etc/NAME, /run/NAME and so on, by name; a name in an earlier folder hides the same in a later one.
    static func files(_ name: String, _ suffix: String, in tree: FileTree) -> [String] {
        var folders = ["/etc/", "/run/", "/usr/local/lib/", "/usr/lib/"]
        if !tree.isLink("/lib") { folders.append("/lib/") }
        var paths: [String: String] = [:]
        for folder in folders {
            for file in tree.names(in: folder + name) ?? [] where file.hasSuffix(suffix) && paths[file] == nil {
                paths[file] = folder + name + "/" + file
            }
        }
        return paths.sorted { FileTree.isBefore($0.key, $1.key) }.map(\.value)
    }

    /// Lines that say something, stripped, with the number of their first one; a backslash at the end joins lines.
    static func lines(of file: String, in tree: FileTree) -> [(number: Int, text: String)] {
        guard let text = tree.text(file) else { return [] }
        return lines(of: text)
    }

    /// By bytes: rule files may have thousands of lines, and characters are slow to tell apart.
    static func lines(of text: String) -> [(number: Int, text: String)] {
        var lines: [(number: Int, text: String)] = []
        var open: (number: Int, text: String)?
        for (index, part) in text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
            let isContinued = part.last == UInt8(ascii: "\\")
            guard isContinued || open != nil else {
                lines.append((index + 1, String(Substring(part))))
                continue
            }
            var line = open ?? (index + 1, "")
            line.text += Substring(isContinued ? part.dropLast() : part)
            open = isContinued ? line : nil
            if !isContinued { lines.append(line) }
        }
        return (lines + (open.map { [$0] } ?? [])).compactMap { number, text in
            let words = text.utf8.split { $0 == 0x20 || $0 >= 0x09 && $0 <= 0x0d }
            guard let first = words.first?.first, first != UInt8(ascii: "#"), first != UInt8(ascii: ";") else {
                return nil
            }
            return (number, words.map { String(Substring($0)) }.joined(separator: " "))
        }
    }
}
