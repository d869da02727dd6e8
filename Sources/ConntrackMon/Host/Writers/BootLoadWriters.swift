// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What loads modules at boot before sysctl configuration is applied.
enum BootLoadWriters {
    static func all(_ sources: WriterSources) -> [Writer] {
        all(
            in: sources.tree, commandLine: sources.procfs.text("/cmdline"), release: sources.release,
            initSystem: sources.initSystem)
    }

    /// The same from its parts.
    static func all(
        in tree: FileTree, commandLine: String?, release: KernelRelease?, initSystem: InitSystem
    ) -> [Writer] {
        let blacklist = ModuleBlacklist(tree, commandLine: commandLine)
        let lists =
            InitramfsModules.lists(in: tree, commandLine: commandLine ?? "", initSystem: initSystem)
            + ModuleLists.all(of: initSystem, in: tree, commandLine: commandLine ?? "")
        return lists.flatMap { list in
            writers(list, except: list.honoursBlacklist ? blacklist.names : [], release: release)
        }
    }

    private static func writers(
        _ list: ModuleList, except blacklist: Set<String>, release: KernelRelease?
    ) -> [Writer] {
        let entries = list.entries.filter { entry in
            ModuleNames.brings(entry.module, release: release) && !blacklist.contains(entry.name)
        }
        // Without its version nobody knows whether the kernel still has the module.
        let (old, others) = (entries.filter { isOld($0, release) }, entries.filter { !isOld($0, release) })
        return [(others, list.certainty), (old, Certainty.may)].compactMap { entries, certainty in
            entries.first.map { first in
                Writer(
                    name: list.name, when: list.when, acts: entries.flatMap { acts($0, release) },
                    evidence: first.evidence, certainty: certainty)
            }
        }
    }

    private static func isOld(_ entry: ModuleList.Entry, _ release: KernelRelease?) -> Bool {
        release == nil && ModuleNames.wasMerged(entry.module)
    }

    /// A hash size that stands behind the module is given at load, and makes the limit 8 times as large.
    private static func acts(_ entry: ModuleList.Entry, _ release: KernelRelease?) -> [Writer.Act] {
        let load = Writer.Act.load(module: entry.name, entry.evidence)
        let option = entry.arguments.last { $0.hasPrefix("hashsize=") }
        guard entry.name == "nf_conntrack", let release,
            let size = option.flatMap({ SysctlSyntax.number(String($0.dropFirst("hashsize=".utf8.count))) }), size > 0
        else { return [load] }
        let defaults = KernelDefaults(memory: 0, release: release, hashsize: size)
        return [
            load, .set(SettingNames.buckets, defaults.buckets, entry.evidence),
            .set("nf_conntrack_max", defaults.limit, entry.evidence),
        ]
    }
}

/// A list of modules that something loads at boot.
struct ModuleList: Equatable {
    struct Entry: Equatable {
        /// As it is written.
        var module: String
        /// The words behind it that modprobe is given.
        var arguments: [String] = []
        var evidence: Evidence

        /// As the kernel calls it.
        var name: String { module.replacing("-", with: "_") }
    }

    /// Who loads them, to stand in a sentence.
    var name: String
    var entries: [Entry]
    var when = Writer.Moment.early
    var certainty = Certainty.certain
    var honoursBlacklist = false
}

/// Modules that modprobe.d or the command line keeps from being loaded by their own names, with those who honour that.
struct ModuleBlacklist {
    private(set) var names: Set<String> = []

    init(_ tree: FileTree, commandLine: String?) {
        for file in ["/etc/modprobe.conf"] + ModuleConfiguration.files("modprobe.d", ".conf", in: tree) {
            guard let text = tree.text(file), occurs("blacklist", in: text) else { continue }
            for (_, line) in ModuleConfiguration.lines(of: text) where line.hasPrefix("blacklist ") {
                add(line.dropFirst("blacklist ".utf8.count))
            }
        }
        for word in (commandLine ?? "").split(whereSeparator: \.isWhitespace) {
            for key in ["modprobe.blacklist=", "module_blacklist="] where word.hasPrefix(key) {
                word.dropFirst(key.utf8.count).split(separator: ",").forEach { add($0) }
            }
        }
    }

    private mutating func add(_ name: Substring) {
        names.insert(String(name).replacing("-", with: "_"))
    }
}
