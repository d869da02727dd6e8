// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import ConntrackModel
internal import Glibc

/// Reads the rules of this network namespace from the kernel, and the modules as they were at that moment.
///
/// Nothing is loaded by it: the kernel makes a table that is asked for, so that only those are asked for which
/// /proc/net/ip_tables_names lists, which is read again just before; and nf_tables is asked only while it is loaded.
struct RuleReader {
    private enum Failure: Error {
        /// A module or a table came or went meanwhile.
        case changing
        case noPrivilege
        case unknown(String)
    }

    private let procfs: FileTree
    private let sysfs: FileTree
    private let tree: FileTree

    private static let tries = 3
    /// The kernel has five of a family.
    private static let mostTables = 16
    /// CAP_NET_ADMIN of linux/capability.h.
    private static let netAdmin = 12

    init(_ paths: HostPaths) {
        procfs = FileTree(root: paths.procfs)
        sysfs = FileTree(root: paths.sysfs)
        tree = FileTree(root: paths.root)
    }

    /// What is known of the rules; the modules that they are to be held against.
    func read() -> (knowledge: RuleKnowledge, modules: LoadedModules?) {
        guard mayAsk else { return (.noPrivilege, nil) }
        guard isServices else {
            return (
                .unknown("a service flushes the rules of process 1's network namespace: ask there, without --netns"),
                nil
            )
        }
        for _ in 0..<RuleReader.tries {
            let before = look()
            guard before.holdsStill else { continue }
            do throws(Failure) {
                var rules = try rules(before)
                guard look().isSame(as: before) else { continue }
                rules.others = before.explains(rules.uses) ? [] : OtherNamespaces.withTables(procfs)
                return (.known(rules), before)
            } catch {
                switch error {
                case .changing: continue
                case .noPrivilege: return (.noPrivilege, nil)
                case .unknown(let why): return (.unknown(why), nil)
                }
            }
        }
        return (.unknown("the rules or the modules are changing just now: ask again"), nil)
    }

    /// Whether services have this network namespace: process 1's, which is the whole process' and this thread's. Where that
    /// is not to be seen, a name file is not either.
    private var isServices: Bool {
        let first = OtherNamespaces.inode("1", procfs)
        return ["self", "thread-self"].allSatisfy { process in
            OtherNamespaces.inode(process, procfs).map { $0 == first ?? $0 } ?? true
        }
    }

    private func look() -> LoadedModules {
        LoadedModules(procfs: procfs, sysfs: sysfs, isTracking: true)
    }

    private var mayAsk: Bool {
        let lines = procfs.text("/self/status")?.split(separator: "\n") ?? []
        guard let line = lines.first(where: { $0.hasPrefix("CapEff:") }), let word = line.split(separator: "\t").last
        else { return false }
        return UInt64(word, radix: 16).map { $0 >> RuleReader.netAdmin & 1 == 1 } ?? false
    }

    // MARK: Questions

    private func rules(_ modules: LoadedModules) throws(Failure) -> KernelRules {
        var handle: OpaquePointer?
        guard cnf_uses_make(&handle) == 0, let uses = handle else {
            throw .unknown("there is no memory to count rules")
        }
        defer { cnf_uses_free(uses) }

        var rules = KernelRules()
        for family in [RuleUse.Family.ipv4, .ipv6] {
            let names = try names(family)
            for name in names ?? [] { try ask(name, family, uses) }
            guard try self.names(family) == names else { throw .changing }
            let kind: FirewallService.Kind = family == .ipv6 ? .ip6tables : .iptables
            if names == nil, looksForTables(kind) { rules.idle.append(kind) }
        }
        if modules.mayAskNft {
            try check(cnf_nft_read((modules["nft_connlimit"]?.ownReferences ?? 0) > 0 ? 1 : 0, uses), "nft's rules")
        }
        rules.isIPTablesNft = ["/usr/sbin/iptables", "/sbin/iptables"].contains {
            tree.exists($0) && tree.canonical($0).hasSuffix("xtables-nft-multi")
        }
        rules.isFirewalldIPTables =
            tree.text("/etc/firewalld/firewalld.conf").map {
                $0.split(separator: "\n").last { $0.hasPrefix("FirewallBackend=") } == "FirewallBackend=iptables"
            } ?? false
        rules.uses = (0..<cnf_uses_count(uses)).compactMap { cnf_uses_at(uses, $0).flatMap { RuleUse($0.pointee) } }
        return rules
    }

    private func ask(_ name: String, _ family: RuleUse.Family, _ uses: OpaquePointer) throws(Failure) {
        guard try names(family)?.contains(name) == true else { throw .changing }
        let program = family == .ipv6 ? "ip6tables" : "iptables"
        try check(cnf_xtables_read(family.rawValue, name, uses), "\(program)' table \(name)")
    }

    private func check(_ status: Int32, _ what: String) throws(Failure) {
        switch -status {
        case 0: return
        case EPERM: throw .noPrivilege
        case EAGAIN, ENOENT, ENOPROTOOPT: throw .changing
        default: throw .unknown("\(what) can't be read: \(SystemError.text(-status))")
        }
    }

    /// The tables of a family in this namespace; nil where the kernel has no such tables now.
    private func names(_ family: RuleUse.Family) throws(Failure) -> [String]? {
        let file = "/net/\(family == .ipv6 ? "ip6" : "ip")_tables_names"
        switch procfs.read(file) {
        case .missing: return nil
        case .text(let text):
            let names = text.split(separator: "\n").map(String.init)
            guard names.count <= RuleReader.mostTables else { throw .unknown("/proc\(file) names too many tables") }
            return names
        case .unreadable(let why):
            throw .unknown(
                "/proc\(file) can't be read (\(why)): run this as root, or with root as a supplementary group")
        }
    }

    /// Whether the service's script does nothing where its family has no tables. All of EL's look for the file of their
    /// names when they stop: `[ -e "$PROC_IPTABLES_NAMES" ] || return`.
    private func looksForTables(_ kind: FirewallService.Kind) -> Bool {
        let name = kind.rawValue
        let scripts = ["/etc/init.d/\(name)", "/etc/rc.d/init.d/\(name)", "/usr/libexec/iptables/\(name).init"]
        return scripts.contains { tree.text($0)?.contains("tables_names") ?? false }
    }
}

extension LoadedModules {
    /// nf_tables is there, or is built in: then what needs it can be a module all the same. Listing its rules would load it.
    fileprivate var mayAskNft: Bool {
        self["nf_tables"] != nil || contains(prefix: "nft_") || contains(prefix: "nf_flow_table")
    }

    /// No module that rules refer to is just coming or going.
    fileprivate var holdsStill: Bool {
        !modules.values.contains { $0.isChanging && LoadedModules.isNetfilter($0.name) }
    }

    /// Nothing came, went, or counts otherwise. A dump holds nf_conntrack_netlink while it is read.
    fileprivate func isSame(as other: LoadedModules) -> Bool {
        let names = { (modules: LoadedModules) in Set(modules.modules.keys.filter(LoadedModules.isNetfilter)) }
        let counts = { (modules: LoadedModules) in
            modules.aroundConntrack.filter { $0.name != "nf_conntrack_netlink" }
        }
        return names(self) == names(other) && counts(self) == counts(other)
    }

    /// Whether these rules are all that holds the modules around nf_conntrack.
    fileprivate func explains(_ uses: [RuleUse]) -> Bool {
        var counts: [String: Int] = [:]
        for use in uses { if let name = use.module(among: self) { counts[name, default: 0] += use.count } }
        return aroundConntrack.allSatisfy { $0.ownReferences <= counts[$0.name] ?? 0 }
    }

    private static func isNetfilter(_ name: String) -> Bool {
        ["nf", "xt_", "x_tables", "ip_", "ipt", "ip6"].contains { name.hasPrefix($0) }
    }
}
