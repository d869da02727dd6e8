// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Would a firewall restart unload nf_conntrack?
struct UnloadVerdict: Equatable, Sendable {
    /// nil where it can't be known.
    var wouldUnload: Bool?
    var why: [String]
    /// The services whose restart would do it.
    var services: [FirewallService] = []
    /// What keeps the module though a service tries to unload it.
    var keepers: [Keeper] = []

    /// A reference that outlives the stop of a firewall.
    struct Keeper: Equatable, Sendable {
        var module: String
        var text: String
        var isIPv6 = false
        /// False when the reference may be one that the stop takes away.
        var isCertain = true
    }

    init(wouldUnload: Bool?, why: [String]) {
        self.wouldUnload = wouldUnload
        self.why = why
    }

    /// The judgement. Pure.
    init(_ facts: DoctorFacts) {
        switch facts.modules.conntrack {
        case .builtIn:
            self.init(wouldUnload: false, why: ["nf_conntrack is built into the kernel"])
        case .absent:
            self.init(wouldUnload: false, why: ["nf_conntrack is not loaded: there is nothing to unload"])
        case nil:
            self.init(wouldUnload: nil, why: [facts.modules.unknown ?? "how nf_conntrack is loaded is not to be seen"])
        case .loaded:
            self.init(loaded: facts)
        }
    }

    private init(loaded facts: DoctorFacts) {
        self.init(wouldUnload: false, why: [])
        let unloading = facts.firewalls.filter { $0.unloads != false }
        guard facts.hasConfiguration else {
            (wouldUnload, why) = (nil, ["no configuration was there to read"])
            return
        }
        guard !unloading.isEmpty else {
            why = facts.firewalls.map {
                $0.evidence.text.isEmpty ? $0.kind.rawValue : "\($0.kind.rawValue): \($0.evidence)"
            }
            if why.isEmpty { why = ["no firewall service that unloads modules is on this host"] }
            return
        }
        var verdicts: [Bool?] = []
        for service in unloading {
            if case .known(let rules) = facts.kernelRules, rules.idle.contains(service.kind) {
                verdicts.append(false)
                why.append(
                    "the stop of \(service.kind.rawValue) does nothing now: there are no tables that it could flush")
                continue
            }
            let keepers = UnloadVerdict.keepers(against: service, facts)
            self.keepers += keepers.filter { !self.keepers.contains($0) }
            var verdict: Bool? = service.unloads
            if keepers.contains(where: { !$0.isCertain }) { verdict = nil }
            if keepers.contains(where: \.isCertain) { verdict = false }
            verdicts.append(verdict)
            if verdict != false { services.append(service) }
            why.append("\(service.kind.rawValue) unloads modules when it stops (\(service.evidence))")
        }
        why += keepers.map(\.text)
        if keepers.isEmpty, verdicts.contains(where: { $0 != false }) { why.append(UnloadVerdict.holders(facts)) }
        wouldUnload = verdicts.contains(true) ? true : verdicts.contains(nil) ? nil : false
        addNumbers(facts)
    }

    /// What the verdict counted, or what could not be counted.
    private mutating func addNumbers(_ facts: DoctorFacts) {
        switch facts.kernelRules {
        case .known(let rules):
            guard keepers.isEmpty, let service = services.first else { return }
            why += Holders(facts: facts, service: service).numbers(rules)
        case .noPrivilege:
            why.append("the rules that the kernel has were not counted: that takes root")
        case .unknown(let reason):
            if wouldUnload == nil { why.append(reason) }
        case .notAsked: return
        }
    }

    private static func holders(_ facts: DoctorFacts) -> String {
        let names = facts.modules.aroundConntrack.map(\.name).filter { $0 != "nf_conntrack" }
        guard !names.isEmpty else { return "nothing holds nf_conntrack" }
        return "only \(names.joined(separator: ", ")) \(names.count == 1 ? "holds" : "hold") nf_conntrack"
            + ", which the stop unloads first"
    }

    // MARK: What outlives the stop

    /// The script unloads what uses nf_conntrack first, so only references that are no module's keep it.
    private static func keepers(against service: FirewallService, _ facts: DoctorFacts) -> [Keeper] {
        switch facts.kernelRules {
        case .known(let rules): return Holders(facts: facts, service: service).keepers(rules)
        case .unknown: return Holders(facts: facts, service: service).keepersWithoutRules()
        case .notAsked, .noPrivilege: break
        }
        return facts.modules.aroundConntrack.compactMap { module in
            if module.isPermanent { return Keeper(module: module.name, text: "\(module.name) can never be unloaded") }
            guard module.ownReferences > 0 else { return nil }
            return keeper(module, against: service, facts)
        }
    }

    private static func keeper(_ module: LoadedModule, against service: FirewallService, _ facts: DoctorFacts)
        -> Keeper?
    {
        let (name, count) = (module.name, module.ownReferences)
        let references = "\(count) reference\(count == 1 ? "" : "s")"
        let isIPv6 = name.hasSuffix("_ipv6") || name.hasPrefix("ip6")
        let isIPv4 = name.hasSuffix("_ipv4") || name.hasPrefix("ipt")
        if isIPv4 || isIPv6 {
            if service.kind.flushesBothFamilies || (service.kind == .iptables) == isIPv4 { return nil }
            let family = isIPv6 ? "ip6tables" : "iptables"
            let text =
                "\(family) holds \(name) (\(references)): the module survives a restart of \(service.kind.rawValue)"
            return Keeper(module: name, text: text + " by accident", isIPv6: isIPv6)
        }
        if name.hasPrefix("nft_") || name == "nf_tables" {
            // firewalld's own rules may be these.
            let isCertain = service.kind != .firewalld && service.kind != .nftables
            let text =
                isCertain
                ? "nft rules hold \(name) (\(references)): the module survives by accident"
                : "nft rules hold \(name) (\(references)), and whether any are not \(service.kind.rawValue)'s own, which go"
                    + " with it, is not to be seen"
            return Keeper(module: name, text: text, isCertain: isCertain)
        }
        if name.hasPrefix("xt_") || name.hasPrefix("nf_nat") || name == "nf_conntrack" {
            return shared(module, against: service, facts)
        }
        // A dump under way; gone in a moment.
        if name == "nf_conntrack_netlink" { return nil }
        return Keeper(module: name, text: "\(name) holds nf_conntrack (\(references)) and is no part of the firewall")
    }

    /// A module that both families use: whose references it has must come from elsewhere.
    private static func shared(_ module: LoadedModule, against service: FirewallService, _ facts: DoctorFacts)
        -> Keeper?
    {
        guard !service.kind.flushesBothFamilies else { return nil }
        let isIPv6 = service.kind == .iptables
        let other = isIPv6 ? "ip6" : "ip"
        // Kernels before 4.19 count a family's rules in a module of its own, which has been asked already.
        if facts.modules["nf_conntrack_ipv\(isIPv6 ? 6 : 4)"] != nil
            || facts.modules["nf_conntrack_ipv\(isIPv6 ? 4 : 6)"] != nil
        {
            return nil
        }
        let hasTables = facts.modules.contains(prefix: other + "table_") || facts.modules["nft_compat"] != nil
        guard hasTables else { return nil }
        let rules = isIPv6 ? facts.ipv6Rules : facts.ipv4Rules
        if let rule = rules.tracking {
            let text =
                "\(other)tables rules hold \(module.name) (\(rule)): the module survives a restart of"
                + " \(service.kind.rawValue) by accident"
            return Keeper(module: module.name, text: text, isIPv6: isIPv6)
        }
        guard !rules.areKnown else { return nil }
        let text = "\(module.name) is held by rules, and which of them are \(other)tables' is not to be seen"
        return Keeper(module: module.name, text: text, isIPv6: isIPv6, isCertain: false)
    }
}
