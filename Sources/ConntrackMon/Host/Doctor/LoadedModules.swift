// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// One loaded module.
struct LoadedModule: Equatable, Sendable {
    var name: String
    /// References of all kinds.
    var references: Int
    /// The modules that use it.
    var users: [String]
    /// It is loading or unloading.
    var isChanging = false
    /// It has no way out, whatever refers to it.
    var isPermanent = false

    /// References that are no module's: rules, sockets, tables.
    var ownReferences: Int { max(0, references - users.count) }
}

/// What is loaded, as /proc/modules says, or where that is missing, /sys/module.
struct LoadedModules: Equatable, Sendable {
    /// How nf_conntrack is there; nil where it can't be known.
    var conntrack: ConntrackModule?
    /// Why it can't be known.
    var unknown: String?
    /// By name. Empty where only /sys/module speaks and nf_conntrack is not a module.
    private(set) var modules: [String: LoadedModule] = [:]

    /// - Parameter isTracking: Whether nf_conntrack_max is there.
    init(procfs: FileTree, sysfs: FileTree, isTracking: Bool) {
        if let text = procfs.text("/modules") {
            modules = LoadedModules.parse(text)
            conntrack = modules["nf_conntrack"] != nil ? .loaded : isTracking ? .builtIn : .absent
            return
        }
        guard sysfs.isFolder("/module") else {
            // A sysctl that is there does not tell a module from a part of the kernel.
            unknown = isTracking ? "neither /proc/modules nor /sys/module is there" : nil
            conntrack = isTracking ? nil : .absent
            return
        }
        let folder = "/module/nf_conntrack"
        guard sysfs.isFolder(folder) else {
            unknown = isTracking ? "/sys/module has no nf_conntrack, though it tracks" : nil
            conntrack = isTracking ? nil : .absent
            return
        }
        conntrack = sysfs.exists(folder + "/refcnt") ? .loaded : .builtIn
        collect("nf_conntrack", from: sysfs)
    }

    init(modules: [LoadedModule], conntrack: ConntrackModule?) {
        self.modules = Dictionary(modules.map { ($0.name, $0) }) { first, _ in first }
        self.conntrack = conntrack
    }

    subscript(name: String) -> LoadedModule? { modules[name] }

    /// Whether any module's name begins like this.
    func contains(prefix: String) -> Bool { modules.keys.contains { $0.hasPrefix(prefix) } }

    /// nf_conntrack and all that use it, directly or not, by name.
    var aroundConntrack: [LoadedModule] {
        var pending = ["nf_conntrack"]
        var found: [String: LoadedModule] = [:]
        while let name = pending.popLast() {
            guard found[name] == nil, let module = modules[name] else { continue }
            found[name] = module
            pending += module.users
        }
        return found.values.sorted { FileTree.isBefore($0.name, $1.name) }
    }

    /// `NAME SIZE REFERENCES USERS STATE ADDRESS`; users are "a,b," or "-", and "[permanent]," stands among them for a
    /// module without a way out. A kernel that can't unload has "-" twice.
    private static func parse(_ text: String) -> [String: LoadedModule] {
        var modules: [String: LoadedModule] = [:]
        for line in text.split(separator: "\n").prefix(4096) {
            let words = line.split(separator: " ")
            guard words.count >= 4 else { continue }
            let name = String(words[0])
            let listed = words[3] == "-" ? [] : words[3].split(separator: ",")
            let users = listed.filter { $0 != "[permanent]" }.map(String.init)
            modules[name] = LoadedModule(
                name: name, references: Int(words[2]) ?? users.count, users: users,
                isChanging: words.count > 4 && ["Loading", "Unloading"].contains(words[4]),
                isPermanent: users.count < listed.count)
        }
        return modules
    }

    private mutating func collect(_ name: String, from sysfs: FileTree) {
        guard modules.count < 4096, modules[name] == nil, let text = sysfs.text("/module/\(name)/refcnt") else {
            return
        }
        let users = sysfs.names(in: "/module/\(name)/holders") ?? []
        let count = text.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) } ?? users.count
        modules[name] = LoadedModule(name: name, references: count, users: users)
        for user in users { collect(user, from: sysfs) }
    }
}
