// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Which rules the stop of a service takes away.
struct FlushedRules {
    enum Fate: Sendable {
        case flushed, kept
        /// It depends on what is not to be seen.
        case perhaps
    }

    let service: FirewallService
    let rules: KernelRules

    private static let chains = ["filter", "nat", "mangle", "raw", "security"]

    func fate(of use: RuleUse) -> Fate {
        switch service.kind {
        case .iptables: tables(use, .ipv4)
        case .ip6tables: tables(use, .ipv6)
        case .firewalld: firewalld(use)
        case .nftables, .ufw, .persistent: .kept
        }
    }

    /// EL's script flushes each table of /proc/net/ip_tables_names: those of its family, in this namespace.
    private func tables(_ use: RuleUse, _ family: RuleUse.Family) -> Fate {
        guard use.family == family else { return .kept }
        if rules.isIPTablesNft { return isIPTables(use) ? .perhaps : .kept }
        return use.isNft ? .kept : .flushed
    }

    /// It deletes its own nft tables, or with iptables as its backend all rules of both families. With nftables it flushes
    /// those too, up to 0.9 always, since then only where it has direct rules; and the iptables that it calls may be either.
    private func firewalld(_ use: RuleUse) -> Fate {
        if use.isNft, use.table == "firewalld" { return .flushed }
        guard isIPTables(use) else { return .kept }
        guard rules.isFirewalldIPTables else { return .perhaps }
        return use.isNft == rules.isIPTablesNft ? .flushed : .kept
    }

    /// Whether an iptables or ip6tables can have made the rule.
    private func isIPTables(_ use: RuleUse) -> Bool {
        guard use.family == .ipv4 || use.family == .ipv6 else { return false }
        return !use.isNft || FlushedRules.chains.contains(use.table)
    }
}
