// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What firewalls and other programs do to the module and its settings.
extension Examination {
    mutating func findFirewalls() {
        guard facts.modules.conntrack != .builtIn else { return }
        for service in facts.firewalls where service.unloads != false {
            let name = service.kind.rawValue
            switch service.kind {
            case .iptables, .ip6tables: findTables(service, name)
            case .firewalld:
                let what = service.unloads == true && verdict.wouldUnload != nil ? "unloads" : "may unload"
                add(
                    "firewalld_cleanup", lossSeverity,
                    "stopping firewalld \(what) the netfilter modules: settings are lost and all connections forgotten",
                    evidence: [service.evidence], cure: service.cure)
            case .nftables, .ufw, .persistent: break
            }
        }
        findAccidents()
    }

    /// The module survives today because of somebody who may be gone tomorrow.
    private mutating func findAccidents() {
        guard verdict.wouldUnload == false else { return }
        let effect = "without them the same restart resets the limit to \(text(outlook.limit?.afterReload))"
        let keepers = verdict.keepers.filter(\.isCertain)
        let (others, ipv6) = (keepers.filter { !$0.isIPv6 }, keepers.filter(\.isIPv6))
        func names(_ keepers: [UnloadVerdict.Keeper]) -> String {
            Set(keepers.map(\.module)).sorted().joined(separator: ", ")
        }
        let unloading = facts.firewalls.filter { $0.unloads != false }
        let cure = "do not rely on it: " + unloading.map(\.cure).joined(separator: "; ")
        if others.isEmpty, !ipv6.isEmpty {
            add(
                "ipv6_only_holds", lossSeverity,
                "only the rules of ip6tables (\(names(ipv6))) keep nf_conntrack loaded when iptables stops: \(effect)",
                evidence: facts.ipv6Rules.tracking.map { [$0] } ?? [], cure: cure)
        } else if !others.isEmpty {
            let services = unloading.map(\.kind.rawValue).joined(separator: " or ")
            add(
                "others_hold", lossSeverity,
                "only the references of \(names(keepers)) keep nf_conntrack loaded when \(services) stops: \(effect)",
                evidence: unloading.map(\.evidence), cure: cure)
        }
    }

    /// Losing what is at its default anyway only forgets connections.
    private var lossSeverity: FindingSeverity {
        let loses = outlook.rows.contains { row in
            guard let now = row.now, let after = row.afterReload else { return false }
            return now != after
        }
        return loses ? .warning : .info
    }

    private mutating func findTables(_ service: FirewallService, _ name: String) {
        let prefix = name.uppercased()
        let config = "/etc/sysconfig/\(name)-config"
        add(
            "modules_unload", lossSeverity,
            "stopping or restarting \(name) unloads the netfilter modules: all settings are lost and connections forgotten",
            evidence: [service.evidence], cure: service.cure)
        let isRead = facts.timeline.writers.contains { $0.when == .firewall(service.kind) && !$0.keys.isEmpty }
        guard !isRead else { return }
        let isIdle = service.restores && !facts.configuration.all.isEmpty
        add(
            "sysctl_load_list", facts.configuration.all.isEmpty ? .info : .warning,
            isIdle
                ? "no word of \(prefix)_SYSCTL_LOAD_LIST is found in a line that sets what is configured: \(name) puts nothing"
                    + " back when it starts"
                : "\(name) does not put configured nf_conntrack settings back when it starts",
            evidence: [service.loadList].compactMap { $0 }.map {
                $0.line == nil ? Evidence(file: $0.file, line: nil, text: "\(prefix)_SYSCTL_LOAD_LIST is not set") : $0
            },
            cure: "\(prefix)_SYSCTL_LOAD_LIST=\"nf_conntrack\" in \(config)")
    }
}
