// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Who holds nf_conntrack when a service stops: arithmetic, where the rules are known. Pure.
///
/// EL's script and firewalld unload whatever uses nf_conntrack, then itself. A module goes when its users have gone and
/// nothing else refers to it; so what keeps nf_conntrack are references, to it or to any of its users, that are neither
/// modules nor rules that the stop flushes first.
struct Holders {
    let facts: DoctorFacts
    let service: FirewallService

    // MARK: Rules that are known

    /// What the stop leaves, with the numbers.
    func keepers(_ rules: KernelRules) -> [UnloadVerdict.Keeper] {
        held(rules).compactMap { held in
            let name = held.module.name
            if held.module.isPermanent {
                return UnloadVerdict.Keeper(module: name, text: "\(name) can never be unloaded")
            }
            let text = held.text(rules.others)
            if held.isContradictory {
                return UnloadVerdict.Keeper(
                    module: name, text: "more rules refer to \(name) than it counts: \(text)", isCertain: false)
            }
            guard held.left.upperBound > 0 else { return nil }
            let end = "the module survives a restart of \(service.kind.rawValue) by accident"
            let isCertain = held.left.lowerBound > 0
            return UnloadVerdict.Keeper(
                module: name, text: isCertain ? "\(text): \(end)" : text, isIPv6: held.isIPv6, isCertain: isCertain)
        }
    }

    /// The numbers of a module list that the stop clears.
    func numbers(_ rules: KernelRules) -> [String] {
        held(rules).filter { $0.module.ownReferences > 0 }.map { $0.text(rules.others) }
    }

    private func held(_ rules: KernelRules) -> [HeldModule] {
        let flushed = FlushedRules(service: service, rules: rules)
        // A dump holds nf_conntrack_netlink, and is gone in a moment.
        return facts.modules.aroundConntrack.filter { $0.name != "nf_conntrack_netlink" }.map {
            HeldModule($0, among: facts.modules, flushed)
        }
    }

    // MARK: Rules that are not known

    /// What is left whatever the rules are, and what may be.
    func keepersWithoutRules() -> [UnloadVerdict.Keeper] {
        facts.modules.aroundConntrack.compactMap { module in
            let (name, count) = (module.name, module.ownReferences)
            if module.isPermanent {
                return UnloadVerdict.Keeper(module: name, text: "\(name) can never be unloaded")
            }
            guard count > 0, name != "nf_conntrack_netlink" else { return nil }
            let references = "\(count) reference\(count == 1 ? "" : "s")"
            if mayBeFlushed(name) {
                let text = "which rules hold \(name) (\(references)) can't be known"
                return UnloadVerdict.Keeper(module: name, text: text, isCertain: false)
            }
            let text = "\(name) has \(references), none of which the stop of \(service.kind.rawValue) takes away"
            return UnloadVerdict.Keeper(module: name, text: text, isIPv6: name.hasPrefix("ip6"))
        }
    }

    /// Whether rules that the service flushes can refer to the module.
    private func mayBeFlushed(_ name: String) -> Bool {
        let isIPv6 = name.hasPrefix("ip6")
        let isIPv4 = name.hasPrefix("ipt")
        switch service.kind {
        case .iptables where isIPv6, .ip6tables where isIPv4: return false
        case .iptables, .ip6tables:
            return isIPv4 || isIPv6 || name.hasPrefix("xt_") || name.hasPrefix("nf_conntrack_")
                || name == "nf_nat_snmp_basic" || name == "nfnetlink_cttimeout"
        case .firewalld:
            return isIPv4 || isIPv6
                || ["xt_", "nft_", "nf_conntrack_", "nf_nat_", "nf_flow_table"].contains {
                    name.hasPrefix($0)
                }
        case .nftables, .ufw, .persistent: return false
        }
    }
}

extension DoctorFacts {
    /// Asks the kernel for this host's rules, where a verdict depends on them, and takes the modules as they were then.
    mutating func readRules(_ paths: HostPaths) {
        guard paths.isThisHost, modules.conntrack == .loaded, modules["nf_conntrack"] != nil,
            // Before 4.19 rules count on the modules of their families as well, which nobody needs to read here.
            modules["nf_conntrack_ipv4"] == nil, modules["nf_conntrack_ipv6"] == nil,
            firewalls.contains(where: { $0.unloads != false })
        else { return }
        let (knowledge, modules) = RuleReader(paths).read()
        kernelRules = knowledge
        if let modules, modules.conntrack == .loaded { self.modules = modules }
    }
}

extension HostPaths {
    /// Nothing of another host's is looked at: this kernel can be asked.
    var isThisHost: Bool { procfs == "/proc" && sysfs == "/sys" && ["", "/"].contains(root) }
}
