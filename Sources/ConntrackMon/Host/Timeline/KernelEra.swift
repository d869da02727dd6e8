// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What this host's kernel makes of conntrack settings: which there are, in which module, what they begin with, and which
/// values it takes. Pure.
struct KernelEra: Sendable {
    var release: KernelRelease?
    /// MemTotal, in bytes.
    var memory: UInt64?
    /// The hash and the limit it begins with; nil where memory or version are not known.
    var defaults: KernelDefaults?
    /// The line that gives a hash size at load.
    var hashsizeEvidence: Evidence?
    var isBuiltIn = false
    /// The settings that are live, all of them; empty where they can't be seen, or a saved host may have kept a part.
    var live: Set<String> = []
    /// The loaded modules that matter.
    var modules: Set<String> = []

    static let core = "nf_conntrack"
    private static let families = ["nf_conntrack_ipv4", "nf_conntrack_ipv6"]

    /// Whether the protocols of IPv4 and IPv6 are modules of their own; both became a part of nf_conntrack in 4.19.
    var hasFamilies: Bool {
        release != nil && ModuleNames.successor(of: KernelEra.families[0], release: release) == nil && !isBuiltIn
    }

    /// The modules any of which brings a setting.
    private func owners(of name: String) -> [String] {
        isBuiltIn ? [KernelEra.core] : ModuleNames.owners(of: name, release: release)
    }

    /// The module to name for a setting to be there.
    func owner(of name: String) -> String { owners(of: name).first ?? KernelEra.core }

    /// Whether a load of this module brings the setting.
    func brings(_ module: String, _ name: String) -> Bool { owners(of: name).contains(module) }

    /// What a load of `module` loads of those that hold settings, in the order in which they are loaded; nil: what a
    /// firewall's rules load.
    func parts(of module: String?) -> [String] {
        guard hasFamilies else { return [KernelEra.core] }
        guard let module else {
            return [KernelEra.core, KernelEra.families[0]]
                + (modules.contains(KernelEra.families[1]) ? [KernelEra.families[1]] : [])
        }
        let name = module.replacing("-", with: "_")
        let isIPv6 = name.hasSuffix("_ipv6") || name.hasPrefix("ip6")
        let isIPv4 = name.hasSuffix("_ipv4") || name == "iptable_nat" || name == "ip_conntrack"
        return [KernelEra.core] + (isIPv6 ? [KernelEra.families[1]] : isIPv4 ? [KernelEra.families[0]] : [])
    }

    /// Whether this kernel has the setting when its module is loaded, as far as can be told.
    func exists(_ name: String) -> Bool {
        if live.contains(name) { return true }
        if let gone = KernelDefaults.removal(of: name), let release, release >= gone { return false }
        if live.isEmpty { return true }
        // Its module is there, and it is not.
        return !isBuiltIn && !owners(of: name).contains(where: modules.contains)
    }

    /// What a load with this hash size as parameter leaves.
    func given(_ hashsize: UInt64) -> KernelDefaults? {
        guard let release, let memory else { return nil }
        return KernelDefaults(memory: memory, release: release, hashsize: hashsize)
    }

    /// What a setting begins with, and why.
    func fresh(_ name: String) -> Foretold {
        let kernel = Foretold.Author(name: "this kernel's default")
        let given = hashsizeEvidence.map { Foretold.Author(name: "the hash size given at load", evidence: $0) }
        switch name {
        case "nf_conntrack_max": return Foretold(name, defaults?.alternatives.map(\.limit) ?? [], by: given ?? kernel)
        case "nf_conntrack_buckets":
            return Foretold(name, defaults?.alternatives.map(\.buckets) ?? [], by: given ?? kernel)
        default:
            let value = KernelDefaults.setting(name, release: release, buckets: defaults?.buckets)
            return Foretold(name, value.map { [$0] } ?? [], by: kernel)
        }
    }

    /// What a write of `value` leaves; nil when it is refused.
    func taken(_ value: UInt64, as name: String) -> UInt64? {
        guard name == "nf_conntrack_buckets" else {
            let isNoLimit = value == 0 && name == "nf_conntrack_max"
            return isNoLimit && KernelDefaults.takesZero(release) == false ? nil : value
        }
        guard value > 0, value <= UInt64(Int32.max) else { return nil }
        // The hash fills whole pages.
        let slots: UInt64 = release?.is64Bit ?? true ? 512 : 1024
        return (value + slots - 1) / slots * slots
    }
}
