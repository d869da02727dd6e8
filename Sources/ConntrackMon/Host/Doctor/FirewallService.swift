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
        guard tree.exists(config) || script != nil, isEnabled(name, in: tree) != false else { return nil }

        let prefix = name.uppercased()
        let unload = assignment(prefix + "_MODULES_UNLOAD", file: config, in: tree)
        let list = assignment(prefix + "_SYSCTL_LOAD_LIST", file: config, in: tree)
        var service = FirewallService(
            kind: kind, unloads: true,
            evidence: Evidence(file: config, line: nil, text: "\(prefix)_MODULES_UNLOAD is not set, which means yes"))
        if let unload {
            service.unloads = unload.value == "yes"
            service.evidence = unload.evidence
        }
        // Newer scripts have lost the option and unload nothing.
        if let script, let text = tree.text(script), !text.contains("MODULES_UNLOAD") {
            service.unloads = false
            service.evidence = Evidence(file: script, line: nil, text: "unloads no modules")
        }
        service.restores = list?.value.contains("conntrack") ?? false
        service.loadList = list?.evidence ?? Evidence(file: config, line: nil, text: "")
        return service
    }

    /// The last `NAME="value"` of a shell file.
    private static func assignment(_ name: String, file: String, in tree: FileTree) -> (
        value: String, evidence: Evidence
    )? {
        var found: (String, Evidence)?
        for (number, line) in ModuleConfiguration.lines(of: file, in: tree) where line.hasPrefix(name + "=") {
            let value = line.dropFirst(name.utf8.count + 1).prefix { $0 != "#" }.filter { $0 != "\"" && $0 != "'" }
            let words = value.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            found = (words, Evidence(file: file, line: number, text: line))
        }
        return found
    }

    // MARK: firewalld

    private static func firewalld(in tree: FileTree) -> FirewallService? {
        let config = "/etc/firewalld/firewalld.conf"
        guard tree.exists(config), isEnabled("firewalld", in: tree) != false else { return nil }
        let isOff = { (value: String) in ["no", "false"].contains(value.lowercased()) }
        let cleanup = assignment("CleanupOnExit", file: config, in: tree)
        if let cleanup, isOff(cleanup.value) {
            return FirewallService(kind: .firewalld, unloads: false, evidence: cleanup.evidence)
        }
        if let modules = assignment("CleanupModulesOnExit", file: config, in: tree) {
            return FirewallService(kind: .firewalld, unloads: !isOff(modules.value), evidence: modules.evidence)
        }
        // EL7's has no such option and always unloads; from 1.0 on the default is no.
        let isEL7 = tree.text("/etc/redhat-release").map { $0.contains("release 7") } ?? false
        let text = "CleanupModulesOnExit is not set: yes before firewalld 1.0, no since"
        return FirewallService(
            kind: .firewalld, unloads: isEL7 ? true : nil, evidence: Evidence(file: config, line: nil, text: text))
    }

    // MARK: Services that unload nothing

    private static func plain(_ kind: Kind, _ file: String, in tree: FileTree) -> FirewallService? {
        guard tree.exists(file), isEnabled(kind.rawValue, in: tree) != false else { return nil }
        if kind == .ufw, assignment("ENABLED", file: file, in: tree)?.value != "yes" { return nil }
        let text = "\(kind.rawValue) unloads no modules"
        return FirewallService(kind: kind, unloads: false, evidence: Evidence(file: file, line: nil, text: text))
    }

    /// Whether the service starts at boot; nil where the tree holds no links that would tell.
    private static func isEnabled(_ name: String, in tree: FileTree) -> Bool? {
        var isKnown = false
        let units = "/etc/systemd/system"
        let targets = ["multi-user", "basic", "network-pre", "sysinit", "graphical", "network"].map {
            $0 + ".target.wants"
        }
        for target in targets {
            guard let links = tree.names(in: "\(units)/\(target)") else { continue }
            isKnown = true
            if links.contains(name + ".service") { return true }
        }
        for level in 2...5 {
            guard let links = tree.names(in: "/etc/rc.d/rc\(level).d") else { continue }
            isKnown = true
            if links.contains(where: { $0.hasPrefix("S") && $0.dropFirst(3) == name }) { return true }
        }
        return isKnown ? false : nil
    }
}
