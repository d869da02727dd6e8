// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Names of modules around nf_conntrack.
enum ModuleNames {
    /// Modules that became a part of another, and the kernel's version; EL8's 4.18 has that of 4.19 too.
    private static let merged: [String: (into: String, since: KernelRelease)] = [
        "nf_conntrack_ipv4": ("nf_conntrack", KernelRelease(4, 19)),
        "nf_conntrack_ipv6": ("nf_conntrack", KernelRelease(4, 19)),
        "nf_conntrack_proto_gre": ("nf_conntrack", KernelRelease(5, 1)),
        "nf_nat_ipv4": ("nf_nat", KernelRelease(5, 1)), "nf_nat_ipv6": ("nf_nat", KernelRelease(5, 1)),
    ]

    /// The module that took this one in, where this kernel has that: "nf_conntrack_ipv4" loads nothing then.
    static func successor(of module: String, release: KernelRelease?) -> (into: String, since: KernelRelease)? {
        guard let release, let merge = merged[module.replacing("-", with: "_")] else { return nil }
        let isEL8 = release == KernelRelease(4, 18) && release.description.contains("el8")
        return release >= merge.since || isEL8 && merge.since == KernelRelease(4, 19) ? merge : nil
    }

    /// Whether some kernels do not have it any more.
    static func wasMerged(_ module: String) -> Bool { merged[module.replacing("-", with: "_")] != nil }

    /// Whether a load of this loads nf_conntrack too.
    static func brings(_ module: String, release: KernelRelease?) -> Bool {
        let name = module.replacing("-", with: "_")
        guard name.utf8.allSatisfy({ $0 >= 0x61 && $0 <= 0x7a || $0 >= 0x30 && $0 <= 0x39 || $0 == 0x5f }) else {
            return false
        }
        let prefixes = ["nf_conntrack", "nf_nat", "ip_conntrack"]
        let names = [
            "xt_conntrack", "xt_state", "xt_CT", "iptable_nat", "ip6table_nat", "nft_ct", "ip_vs", "openvswitch",
        ]
        return (prefixes.contains(where: name.hasPrefix) || names.contains(name))
            && successor(of: name, release: release) == nil && meant(by: name) == nil
    }

    /// The module that a word meant, where there is no doubt that it is none itself.
    static func meant(by word: String) -> String? {
        let name = word.lowercased().filter { !"\"'`".contains($0) }.replacing("-", with: "_").replacing(
            ".ko", with: "")
        if known.contains(name) { return name == word.replacing("-", with: "_") ? nil : name }
        if name == "conntrack" { return "nf_conntrack" }
        // A helper of somebody else's may be called much like one of the kernel's.
        if occurs("conntrack", in: name), name.hasPrefix("nf_conntrack_") { return nil }
        return known.filter { distance(name, $0) <= 1 }.min(by: FileTree.isBefore)
    }

    private static let known: Set<String> = Set(
        [
            "amanda", "bridge", "broadcast", "ftp", "h323", "ipv4", "ipv6", "irc", "netbios_ns", "netlink", "pptp",
            "proto_dccp", "proto_gre", "proto_sctp", "proto_udplite", "sane", "sip", "snmp", "tftp",
        ].map { "nf_conntrack_" + $0 } + ["nf_conntrack", "xt_conntrack", "ip_conntrack"])
}

/// Judges lines of modules-load.d and modprobe.d. Pure.
enum ModuleLine {
    /// A line of modules-load.d: the name of one module.
    static func fault(ofLoad text: String, names: SettingNames, release: KernelRelease?) -> TextFault? {
        let clean = InvisibleText.cleaned(text)
        guard namesConntrack(clean) else { return nil }
        if let fault = strayed(clean, names: names) { return fault }
        let words = clean.split(separator: " ").map(String.init)
        if words.count > 1 {
            let module = words.first { ModuleNames.brings($0, release: release) }
            return module.map {
                TextFault(
                    reason: "the whole line is taken for the name of one module: it loads nothing",
                    cure: "write \($0) alone; options stand in /etc/modprobe.d")
            }
        }
        if let merge = ModuleNames.successor(of: clean, release: release) {
            return TextFault(
                reason: "\(clean) became a part of \(merge.into) in \(merge.since): it loads nothing",
                cure: "write \(merge.into)")
        }
        guard let module = ModuleNames.meant(by: clean) ?? (clean == text ? nil : clean) else { return nil }
        return TextFault(
            reason: InvisibleText.first(in: text).map {
                "an invisible character (\($0)) is taken for a part of the name"
            }
                ?? "there is no module \(clean): it loads nothing",
            cure: "write \(ModuleNames.successor(of: module, release: release)?.into ?? module)")
    }

    /// A line of sysctl.d.
    private static func strayed(_ text: String, names: SettingNames) -> TextFault? {
        guard let assignment = SysctlSyntax.parse(text).assignments.first, names.exists(assignment.key) else {
            return nil
        }
        return TextFault(reason: "settings stand in /etc/sysctl.d", cure: "write the line to a file of /etc/sysctl.d")
    }

    private static let directives = [
        "options", "install", "remove", "blacklist", "alias", "softdep", "weakdep", "include", "config",
    ]

    /// A line of modprobe.d.
    static func fault(ofModprobe text: String, names: SettingNames, release: KernelRelease?) -> TextFault? {
        let words = InvisibleText.cleaned(text).split(separator: " ").map(String.init)
        if let fault = strayed(text, names: names) { return fault }
        guard words.count > 1, namesConntrack(text) else { return nil }
        let directive = words[0].lowercased()
        if directives.contains(words[0]) {
            return words[0] == "options" ? fault(ofOptions: words, names: names, release: release) : nil
        }
        if directives.contains(directive) || distance(directive, "options") <= 2, namesConntrack(words[1]) {
            let right = directives.contains(directive) ? directive : "options"
            return TextFault(
                reason: "there is no directive \(words[0])",
                cure: "write " + ([right] + words.dropFirst()).joined(separator: " "))
        }
        guard ModuleNames.brings(words[0], release: release), words[1].contains("=") else { return nil }
        return TextFault(
            reason: "it begins with no directive of modprobe.d", cure: "write options \(words.joined(separator: " "))")
    }

    // MARK: options

    /// Those that take a number; a flag may stand alone.
    private static let numbers = ["hashsize", "expect_hashsize"]
    private static let flags = ["acct", "tstamp", "nf_conntrack_helper", "enable_hooks"]

    private static func fault(ofOptions words: [String], names: SettingNames, release: KernelRelease?) -> TextFault? {
        let module = words[1].replacing("-", with: "_")
        if let merge = ModuleNames.successor(of: module, release: release) {
            let rest = words.dropFirst(2).joined(separator: " ")
            return TextFault(
                reason: "\(words[1]) became a part of \(merge.into) in \(merge.since): nothing takes these options",
                cure: "write options \(merge.into) \(rest)")
        }
        guard module == "nf_conntrack" else {
            return ModuleNames.meant(by: words[1]).map { right in
                TextFault(
                    reason: "there is no module \(words[1])",
                    cure: "write " + (["options", right] + words.dropFirst(2)).joined(separator: " "))
            }
        }
        let options = words.dropFirst(2).prefix { !$0.hasPrefix("#") }
        return options.lazy.compactMap { fatal($0, among: Array(options)) }.first
            ?? options.lazy.compactMap { unknown($0, names: names, release: release) }.first
    }

    /// The kernel answers EINVAL to a parameter without a number.
    private static func fatal(_ option: String, among options: [String]) -> TextFault? {
        let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard numbers.contains(parts[0]) else { return nil }
        let value = parts.count > 1 ? parts[1].filter { $0 != "\"" } : ""
        if SysctlSyntax.number(value) != nil { return nil }
        let reason =
            value.isEmpty
            ? "\(parts[0]) has no value" + (option == options.last ? "" : ": blanks part it from what follows")
            : "\(value) is no number for \(parts[0])"
        let mended = mended(options)
        let isGood = !mended.hasSuffix("=N") && !mended.contains("=N ")
        return TextFault(
            reason: reason + " (EINVAL)",
            cure: "write options nf_conntrack \(mended)" + (isGood ? "" : ", with a number for N"), failsLoad: true)
    }

    /// Options with their numbers behind an equals sign, and N for those that are not to be found.
    private static func mended(_ options: [String]) -> String {
        var mended: [String] = []
        for word in options.flatMap({ $0.replacing("=", with: " = ").split(separator: " ").map(String.init) }) {
            if word == "=" {
                if let last = mended.popLast() { mended.append(last.hasSuffix("=") ? last : last + "=") }
            } else if let last = mended.last, last.hasSuffix("=") || numbers.contains(last) {
                mended[mended.count - 1] = last.hasSuffix("=") ? last + word : "\(last)=\(word)"
            } else {
                mended.append(word)
            }
        }
        return mended.map { word in
            guard let name = numbers.first(where: { word == $0 || word.hasPrefix($0 + "=") }) else { return word }
            let value = SysctlLine.number(in: String(word.dropFirst(name.utf8.count + 1)))
            return "\(name)=" + (value.map { "\($0)" } ?? "N")
        }.joined(separator: " ")
    }

    /// Kernels before 3.10 refuse to load with a parameter that the module does not have; later ones only log it.
    private static func unknown(_ option: String, names: SettingNames, release: KernelRelease?) -> TextFault? {
        let key = String(option.prefix { $0 != "=" && $0 != ":" })
        guard !(numbers + flags).contains(key), key.first?.isLetter == true else { return nil }
        let rest = option.dropFirst(key.utf8.count).drop { $0 == "=" || $0 == ":" }
        let value = SysctlLine.number(in: String(rest))
        var fault = TextFault(reason: "nf_conntrack has no parameter \(key)", cure: "take \(option) out")
        fault.failsLoad = release.map { $0 < KernelRelease(3, 10) } ?? false
        let setting = names.meant(by: key) ?? names.meant(by: "nf_conntrack_" + key)
        let near = numbers.map { ($0, distance($0, key.lowercased())) }.min { $0.1 < $1.1 }
        if let near, near.1 <= 2 {
            fault.cure = "write options nf_conntrack \(near.0)=" + (value.map { "\($0)" } ?? "N, with a number for N")
        } else if let setting, let value {
            fault.cure =
                "take \(option) out, and write net.netfilter.\(setting.name) = \(value) to a file of /etc/sysctl.d"
        }
        return fault
    }
}
