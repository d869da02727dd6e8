// SPDX-License-Identifier: GPL-3.0-or-later

/// The rules of this network namespace, as the kernel has them.
struct KernelRules: Equatable, Sendable {
    var uses: [RuleUse] = []
    /// Services whose stop returns at once, since their family has no tables: EL's scripts look for
    /// /proc/net/ip_tables_names.
    var idle: [FirewallService.Kind] = []
    /// The iptables that services call writes nft rules: which it flushes is another question.
    var isIPTablesNft = false
    /// firewalld writes its rules with iptables.
    var isFirewalldIPTables = false
    /// Other network namespaces that hold references, as far as they are to be seen. Empty where nobody's are left over.
    var others: [OtherNamespace] = []
}

/// What is known of the rules that a host has now.
enum RuleKnowledge: Equatable, Sendable {
    /// Another host's, or nothing depends on them.
    case notAsked
    /// They are not shown without CAP_NET_ADMIN.
    case noPrivilege
    /// Why they can't be known, and what would make them known.
    case unknown(String)
    case known(KernelRules)
}

/// Another network namespace that has tables of xtables.
struct OtherNamespace: Equatable, Sendable {
    /// A process in it.
    var process: Int
    var command: String
    var tables: [String]
}
