// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter

/// What the rules of one table use, and how often: as `struct cnf_use` has it.
struct RuleUse: Equatable, Sendable {
    enum Kind: UInt8, Sendable {
        case match = 1
        case target, helper, timeout, table, expression, chain, object, flowtable
    }

    /// As linux/netfilter.h numbers them; one that is not here is none of conntrack's.
    enum Family: UInt8, Sendable {
        case inet = 1
        case ipv4 = 2
        case arp = 3
        case netdev = 5
        case bridge = 7
        case ipv6 = 10

        /// nft's word.
        var nft: String {
            switch self {
            case .inet: "inet"
            case .ipv4: "ip"
            case .arp: "arp"
            case .netdev: "netdev"
            case .bridge: "bridge"
            case .ipv6: "ip6"
            }
        }
    }

    var family: Family
    /// A table of nft's; iptables-nft makes them too.
    var isNft: Bool
    var kind: Kind
    var table: String
    /// A match, a target, a helper, an expression...: as the kernel calls it.
    var name: String
    var count: Int

    /// Whose rules these are, as a person would look for them.
    var owner: String {
        if isNft { return "nft's table \(family.nft) \(table)" }
        return family == .ipv6 ? "ip6tables" : "iptables"
    }
}

extension RuleUse {
    /// nil for a kind or a family that is unknown here.
    init?(_ use: cnf_use) {
        guard let family = Family(rawValue: use.family), let kind = Kind(rawValue: use.kind) else { return nil }
        self.init(
            family: family, isNft: use.is_nft != 0, kind: kind, table: withUnsafeBytes(of: use.table, text),
            name: withUnsafeBytes(of: use.name, text), count: Int(use.count))
    }
}

/// What stands before the NUL.
private func text(_ bytes: UnsafeRawBufferPointer) -> String {
    withoutControls(String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
}

/// A name that anybody may have chosen, fit for a terminal.
func withoutControls(_ name: String) -> String {
    let plain = name.unicodeScalars.map { scalar -> Unicode.Scalar in
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: "?"
        default: scalar
        }
    }
    return String(String.UnicodeScalarView(plain))
}
