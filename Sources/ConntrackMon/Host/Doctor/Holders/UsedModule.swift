// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Which module a use refers to, by the kernel's aliases: `ipt_SNAT` is an alias of xt_nat, `nfct-helper-ftp` of
/// nf_conntrack_ftp. The kernel counts one reference for each.
extension RuleUse {
    /// The first of the module's possible names that is loaded; nil where it is built in, or is no module of its own.
    func module(among loaded: LoadedModules) -> String? {
        candidates.first { loaded[$0] != nil }
    }

    private var candidates: [String] {
        switch kind {
        case .match, .target: extensionModules
        case .helper: [RuleUse.helperModule(name)]
        case .timeout: ["nfnetlink_cttimeout"]
        case .table: [(family == .ipv6 ? "ip6table_" : "iptable_") + table]
        case .expression: RuleUse.expressions[name] ?? ["nft_" + name]
        case .chain: name == "nat" ? RuleUse.natChains(family) : []
        case .object: RuleUse.objects[name] ?? []
        case .flowtable: RuleUse.flowtables(family)
        }
    }

    // MARK: xtables

    /// A module is called like the extension, or has its name as an alias where one module has several.
    private var extensionModules: [String] {
        let own = family == .ipv6 ? "ip6t_" : "ipt_"
        return ["xt_" + name, own + name] + (RuleUse.aliases[name] ?? []).flatMap { ["xt_" + $0, own + $0] }
    }

    /// Extensions that have to do with conntrack and live in a module of another name (net/netfilter, MODULE_ALIAS).
    private static let aliases: [String: [String]] = [
        "SNAT": ["nat"], "DNAT": ["nat"], "CONNMARK": ["connmark"], "NOTRACK": ["CT"],
        "state": ["conntrack"],
    ]

    // MARK: Helpers

    /// Helpers with other ports than their own are called NAME-PORT.
    static func helperModule(_ name: String) -> String {
        var name = name.utf8.allSatisfy { $0 < 0x80 } ? name : ""
        if let dash = name.lastIndex(of: "-"), name[name.index(after: dash)...].allSatisfy(\.isNumber) {
            name = String(name[..<dash])
        }
        switch name {
        case "Q.931", "RAS", "H.245": return "nf_conntrack_h323"
        case "netbios-ns": return "nf_conntrack_netbios_ns"
        case "snmp_trap": return "nf_nat_snmp_basic"
        default: return "nf_conntrack_" + name
        }
    }

    // MARK: nft

    /// Expressions whose module is not called like them.
    private static let expressions: [String: [String]] = [
        "notrack": ["nft_ct"], "masq": ["nft_masq", "nft_masq_ipv4", "nft_masq_ipv6"],
        "redir": ["nft_redir", "nft_redir_ipv4", "nft_redir_ipv6"], "match": ["nft_compat"], "target": ["nft_compat"],
    ]

    private static let objects: [String: [String]] = [
        "ct helper": ["nft_ct"], "ct timeout": ["nft_ct"], "ct expectation": ["nft_ct"],
        "connlimit": ["nft_connlimit"], "synproxy": ["nft_synproxy"],
    ]

    /// One module since 5.1.
    private static func natChains(_ family: Family) -> [String] {
        ["nft_chain_nat", family == .ipv6 ? "nft_chain_nat_ipv6" : "nft_chain_nat_ipv4"]
    }

    /// One module since 5.18.
    private static func flowtables(_ family: Family) -> [String] {
        switch family {
        case .ipv4: ["nf_flow_table_ipv4", "nf_flow_table_inet"]
        case .ipv6: ["nf_flow_table_ipv6", "nf_flow_table_inet"]
        default: ["nf_flow_table_inet"]
        }
    }
}
