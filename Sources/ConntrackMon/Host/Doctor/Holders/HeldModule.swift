// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// A module's own references, held against the rules that are known: whose they are, and which of them a stop takes away.
struct HeldModule {
    /// References that have the same owner.
    struct Part: Equatable {
        var owner: String
        var isIPv6: Bool
        var fate: FlushedRules.Fate
        var count: Int
    }

    let module: LoadedModule
    private(set) var parts: [Part] = []

    /// - Parameter modules: Those that rules can refer to.
    init(_ module: LoadedModule, among modules: LoadedModules, _ flushed: FlushedRules) {
        self.module = module
        for use in flushed.rules.uses where use.module(among: modules) == module.name {
            let part = Part(
                owner: use.owner, isIPv6: !use.isNft && use.family == .ipv6, fate: flushed.fate(of: use),
                count: use.count)
            if let index = parts.firstIndex(where: { $0.owner == part.owner && $0.fate == part.fate }) {
                parts[index].count += part.count
            } else {
                parts.append(part)
            }
        }
    }

    private func count(_ fate: FlushedRules.Fate) -> Int {
        parts.reduce(0) { $1.fate == fate ? $0 + $1.count : $0 }
    }

    /// References that no known rule explains.
    var unexplained: Int { max(0, module.ownReferences - parts.reduce(0) { $0 + $1.count }) }

    /// How many are left after the stop; a range where not all is to be seen.
    var left: ClosedRange<Int> {
        let most = max(0, module.ownReferences - count(.flushed))
        return max(0, most - count(.perhaps))...most
    }

    /// More rules refer to it than it counts: then the numbers say nothing.
    var isContradictory: Bool { count(.flushed) > module.ownReferences }

    /// Only rules of ip6tables are left.
    var isIPv6: Bool {
        unexplained == 0 && parts.contains { $0.isIPv6 && $0.fate == .kept }
            && parts.allSatisfy { $0.isIPv6 || $0.fate != .kept }
    }

    // MARK: Words

    /// `xt_conntrack has 5 references: 3 of iptables' rules, which the stop flushes, and 2 of ip6tables' rules`.
    func text(_ others: [OtherNamespace]) -> String {
        var words = parts.map { part in
            let rules = "\(part.count) of \(HeldModule.possessive(part.owner)) rules"
            switch part.fate {
            case .flushed: return rules + ", which the stop flushes"
            case .perhaps: return rules + ", which the stop may flush"
            case .kept: return rules
            }
        }
        if unexplained > 0 { words.append("\(unexplained) of \(stranger(others))") }
        let own = module.ownReferences
        let list =
            words.count < 2
            ? words.joined() : "\(words.dropLast().joined(separator: ", ")), and \(words[words.count - 1])"
        return "\(module.name) has \(own) reference\(own == 1 ? "" : "s"): \(list)"
    }

    private static func possessive(_ name: String) -> String { name.hasSuffix("s") ? name + "'" : name + "'s" }

    /// Who may hold what no rule of this namespace explains.
    private func stranger(_ others: [OtherNamespace]) -> String {
        let name = module.name
        if name.hasPrefix("ip_vs") { return "IPVS, whose services ipvsadm lists" }
        if name == "openvswitch" || name.hasPrefix("vport_") { return "Open vSwitch, whose ports ovs-vsctl lists" }
        if name == "act_ct" || name.hasPrefix("act_") { return "tc filters" }
        if name.hasPrefix("nf_flow_table") { return "flowtables in another network namespace, or tc filters" }
        let isOfRules = ["xt_", "ipt", "ip6t", "nft_", "nf_conntrack_", "nfnetlink_"].contains { name.hasPrefix($0) }
        guard isOfRules else { return "something that is not to be seen from here, such as a BPF program or a probe" }
        guard !others.isEmpty else {
            return "rules in another network namespace, or something that is not to be seen from here"
        }
        let namespaces = others.map {
            "\($0.command) (process \($0.process), \($0.tables.joined(separator: ", ")))"
        }
        return "rules in another network namespace, or something that is not to be seen from here; there are tables in"
            + " the namespace\(namespaces.count == 1 ? "" : "s") of \(namespaces.joined(separator: ", "))"
    }
}
