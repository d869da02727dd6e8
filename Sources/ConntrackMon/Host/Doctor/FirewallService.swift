// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// A service whose restart is "a firewall restart" on this host.
struct FirewallService: Equatable, Sendable {
    enum Kind: String, Sendable {
        case iptables, ip6tables, firewalld, nftables, ufw
        case persistent = "netfilter-persistent"

        /// Whether a stop takes away the rules of both families.
        var flushesBothFamilies: Bool { self != .iptables && self != .ip6tables }
    }

    var kind: Kind
    /// Whether stopping it unloads modules; nil where its files do not tell.
    var unloads: Bool?
    /// What says so.
    var evidence: Evidence
    /// iptables' IPTABLES_SYSCTL_LOAD_LIST names conntrack: a start puts the configured values back.
    var restores = false
    /// The line that says so, or the file it should stand in.
    var loadList: Evidence?

    /// What makes it leave the modules alone; "" for one that does.
    var cure: String {
        let file = evidence.file
        switch kind {
        case .iptables, .ip6tables:
            return "\(kind.rawValue.uppercased())_MODULES_UNLOAD=\"no\" in /etc/sysconfig/\(kind.rawValue)-config"
        case .firewalld where evidence.line == nil:
            return "CleanupModulesOnExit=no in \(file); EL7's firewalld, which does not know it, needs CleanupOnExit=no"
        case .firewalld: return "CleanupModulesOnExit=no in \(file)"
        case .nftables, .ufw, .persistent: return ""
        }
    }

    /// Those of the host that are enabled, or may be.
    static func all(in tree: FileTree) -> [FirewallService] {
        [
            tables(.iptables, in: tree), tables(.ip6tables, in: tree), firewalld(in: tree),
            plain(.nftables, "/etc/nftables.conf", in: tree), plain(.ufw, "/etc/ufw/ufw.conf", in: tree),
            plain(.persistent, "/etc/default/netfilter-persistent", in: tree),
            plain(.persistent, "/usr/sbin/netfilter-persistent", in: tree),
        ].compactMap { $0 }.reduce(into: []) { services, service in
            if !services.contains(where: { $0.kind == service.kind }) { services.append(service) }
        }
    }

    // MARK: iptables and ip6tables of EL

    private static func tables(_ kind: Kind, in tree: FileTree) -> FirewallService? {
        let name = kind.rawValue
        let config = "/etc/sysconfig/\(name)-config"
        let scripts = ["/etc/init.d/\(name)", "/etc/rc.d/init.d/\(name)", "/usr/libexec/iptables/\(name).init"]
        let script = scripts.first(where: tree.exists)
        guard tree.exists(config) || script != nil, ServiceState.isEnabled(name, in: tree) != false else { return nil }

        let prefix = name.uppercased()
        let list = ShellAssignment.last(prefix + "_SYSCTL_LOAD_LIST", in: config, of: tree)
        let (unloads, evidence) = unload(prefix, config: config, script: script, in: tree)
        return FirewallService(
            kind: kind, unloads: unloads, evidence: evidence, restores: list?.value.contains("conntrack") ?? false,
            loadList: list?.evidence ?? Evidence(file: config, line: nil, text: ""))
    }

    /// The scripts of EL5 to EL7 unload unless told not to. iptables-services 1.6.2-2 (Fedora 28, EL8) "killed module
    /// unloading support": the option may still stand in a file that an upgrade left.
    private static func unload(
        _ prefix: String, config: String, script: String?, in tree: FileTree
    ) -> (unloads: Bool, evidence: Evidence) {
        if let script, let text = tree.text(script) {
            if !text.contains("MODULES_UNLOAD") {
                return (false, Evidence(file: script, line: nil, text: "unloads no modules"))
            }
        } else if let release = release(of: tree), release.number >= 8 {
            return (
                false, Evidence(file: release.file, line: 1, text: "\(release.text): its script unloads no modules")
            )
        }
        if let option = ShellAssignment.last(prefix + "_MODULES_UNLOAD", in: config, of: tree) {
            return (option.value == "yes", option.evidence)
        }
        return (true, Evidence(file: config, line: nil, text: "\(prefix)_MODULES_UNLOAD is not set, which means yes"))
    }

    /// "CentOS Stream release 9": of EL and those made from it. Fedora counts otherwise.
    private static func release(of tree: FileTree) -> (number: Int, file: String, text: String)? {
        let file = "/etc/redhat-release"
        guard let text = tree.text(file)?.trimmed, !text.hasPrefix("Fedora"),
            let word = text.firstRange(of: "release "),
            let number = Int(text[word.upperBound...].prefix(while: \.isNumber))
        else { return nil }
        return (number, file, text)
    }

    // MARK: firewalld

    private static func firewalld(in tree: FileTree) -> FirewallService? {
        let config = "/etc/firewalld/firewalld.conf"
        guard tree.exists(config), ServiceState.isEnabled("firewalld", in: tree) != false else { return nil }
        if let cleanup = firewalldOption("CleanupOnExit", in: config, of: tree), !cleanup.isOn {
            return FirewallService(kind: .firewalld, unloads: false, evidence: cleanup.evidence)
        }
        let version = firewalldVersion(tree)
        // EL8's 0.9 has the option of 1.0, and yes as its default. Those before do not know it: they always unload.
        if version.map({ $0.isSince(0, 9) }) ?? true,
            let modules = firewalldOption("CleanupModulesOnExit", in: config, of: tree)
        {
            return FirewallService(kind: .firewalld, unloads: modules.isOn, evidence: modules.evidence)
        }
        let sign = version.flatMap(\.sign).map { " (\($0))" } ?? ""
        let text = "CleanupModulesOnExit is not set: yes before firewalld 1.0, no since" + sign
        return FirewallService(
            kind: .firewalld, unloads: version.map { !$0.isSince(1, 0) },
            evidence: Evidence(file: config, line: nil, text: text))
    }

    /// As firewalld reads it: the first line of a key counts, a value that is none leaves the default.
    private static func firewalldOption(
        _ name: String, in file: String, of tree: FileTree
    ) -> (isOn: Bool, evidence: Evidence)? {
        for (number, line) in ModuleConfiguration.lines(of: file, in: tree) {
            let parts = line.split(separator: "=", omittingEmptySubsequences: false).map(\.trimmed)
            guard parts.count == 2, parts[0] == name else { continue }
            let value = parts[1].lowercased()
            guard ["yes", "true", "no", "false"].contains(value) else { return nil }
            return (["yes", "true"].contains(value), Evidence(file: file, line: number, text: line))
        }
        return nil
    }

    private struct FirewalldVersion {
        var major: Int
        var minor: Int
        /// What told; nil for the release of EL.
        var sign: String?

        init?(_ text: some StringProtocol, sign: String? = nil) {
            let numbers = text.split(separator: ".").prefix(2).map { Int($0.prefix(while: \.isNumber)) }
            guard numbers.count == 2, let major = numbers[0], let minor = numbers[1] else { return nil }
            (self.major, self.minor, self.sign) = (major, minor, sign)
        }

        func isSince(_ major: Int, _ minor: Int) -> Bool { (self.major, self.minor) >= (major, minor) }
    }

    /// From its Python package, the folder of its documentation, or the release of EL that it came with: EL7 has 0.3 to
    /// 0.6, EL8 0.6 to 0.9, EL9 1.0 and newer.
    private static func firewalldVersion(_ tree: FileTree) -> FirewalldVersion? {
        let pythons = (tree.names(in: "/usr/lib") ?? []).filter { $0.hasPrefix("python") }
        for folder in pythons.flatMap({ ["/usr/lib/\($0)/site-packages", "/usr/lib/\($0)/dist-packages"] }) {
            for (_, line) in ModuleConfiguration.lines(of: folder + "/firewall/config/__init__.py", in: tree)
            where line.hasPrefix("VERSION") {
                let value = line.drop { $0 != "'" && $0 != "\"" }.dropFirst()
                if let version = FirewalldVersion(value, sign: line) { return version }
            }
        }
        for name in tree.names(in: "/usr/share/doc") ?? [] where name.hasPrefix("firewalld-") {
            if let version = FirewalldVersion(name.dropFirst("firewalld-".utf8.count), sign: name) { return version }
        }
        let versions = [7: "0.6", 8: "0.9", 9: "1.0", 10: "2.0"]
        return release(of: tree).flatMap { versions[$0.number] }.flatMap { FirewalldVersion($0) }
    }

    // MARK: Services that unload nothing

    private static func plain(_ kind: Kind, _ file: String, in tree: FileTree) -> FirewallService? {
        guard tree.exists(file), ServiceState.isEnabled(kind.rawValue, in: tree) != false else { return nil }
        if kind == .ufw, ShellAssignment.last("ENABLED", in: file, of: tree)?.value.lowercased() != "yes" { return nil }
        let text = "\(kind.rawValue) unloads no modules"
        return FirewallService(kind: kind, unloads: false, evidence: Evidence(file: file, line: nil, text: text))
    }
}
