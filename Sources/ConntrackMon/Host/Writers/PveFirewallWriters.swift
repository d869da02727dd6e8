// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Proxmox' pve-firewall, and proxmox-firewall that does its work with nftables.
///
/// pve-firewall (PVE/Firewall.pm, update_nf_conntrack_*) writes every 10 s wherever the firewall of the cluster is on,
/// be that of the host on or off. proxmox-firewall (its firewall.rs) writes what host.fw sets and nothing else.
enum PveFirewallWriters {
    static func all(_ sources: WriterSources) -> [Writer] {
        let tree = sources.tree
        guard let cluster = ["/etc/pve/firewall/cluster.fw", "/etc/pve/firewall"].first(where: { isFile($0, tree) }),
            let enable = Options(of: cluster, in: tree)["enable"], enable.value == 1
        else { return [] }
        let file = hostFile(tree)
        let host = Options(of: file, in: tree)
        if host["nftables"]?.value == 1, let certainty = hasProxmoxFirewall(tree) {
            guard ServiceState.isEnabled("proxmox-firewall", in: tree) != false, host["enable"]?.value != 0 else {
                return []
            }
            let acts = nftables(host)
            return acts.isEmpty ? [] : [writer("proxmox-firewall", acts, enable.evidence, file, certainty)]
        }
        guard ServiceState.isEnabled("pve-firewall", in: tree) != false else { return [] }
        return [writer("pve-firewall", iptables(host, default: usual(tree)), enable.evidence, file, .certain)]
    }

    private static func writer(
        _ name: String, _ acts: [Writer.Act], _ evidence: Evidence, _ file: String, _ certainty: Certainty
    ) -> Writer {
        Writer(
            name: name, when: .always, acts: acts, evidence: evidence, certainty: certainty, isService: true,
            cure: "set nf_conntrack_max (and nf_conntrack_tcp_timeout_established) in [OPTIONS] of \(file)")
    }

    // MARK: What is written

    /// The limit is written where another is there, with a quarter of it as the hash size; the timeouts each time.
    private static func iptables(_ host: Options, default usual: (limit: UInt64, certainty: Certainty))
        -> [Writer.Act]
    {
        var (limit, evidence, certainty) = (usual.limit, Evidence?.none, usual.certainty)
        if let wanted = host["nf_conntrack_max"], wanted.value > limit, wanted.value < UInt64(Int32.max) - 8192 {
            limit = (wanted.value + 8191) / 8192 * 8192
            (evidence, certainty) = (wanted.evidence, .certain)
        }
        let established = host["nf_conntrack_tcp_timeout_established"]
        let recv = host["nf_conntrack_tcp_timeout_syn_recv"]
        return [
            .write(
                Write(key: "nf_conntrack_buckets", change: .set(limit / 4), certainty: .may, evidence: evidence)),
            .write(Write(key: "nf_conntrack_max", change: .set(limit), certainty: certainty, evidence: evidence)),
            .set("nf_conntrack_tcp_timeout_established", established?.value ?? 432_000, established?.evidence),
            // Up to the end of 2025 a slip in its name keeps it from writing a value that is given.
            .write(
                Write(
                    key: "nf_conntrack_tcp_timeout_syn_recv", change: .set(recv?.value ?? 60),
                    certainty: recv == nil ? .certain : .may, evidence: recv?.evidence)),
        ]
    }

    private static func nftables(_ host: Options) -> [Writer.Act] {
        ["nf_conntrack_max", "nf_conntrack_tcp_timeout_established", "nf_conntrack_tcp_timeout_syn_recv"]
            .compactMap { key in host[key].map { .set(key, $0.value, $0.evidence) } }
    }

    /// 262144 since October 2019 (PVE 6.1, on Debian 10), 65536 before.
    private static func usual(_ tree: FileTree) -> (limit: UInt64, certainty: Certainty) {
        let version = tree.text("/etc/debian_version").flatMap { Int($0.prefix(while: \.isNumber)) }
        guard let version, version <= 10 else { return (262_144, .certain) }
        return version < 10 ? (65_536, .certain) : (262_144, .may)
    }

    // MARK: Files

    private static func isFile(_ path: String, _ tree: FileTree) -> Bool {
        tree.exists(path) && !tree.isFolder(path)
    }

    /// .certain where it is seen, .may where the tree has not the folder that it would be in.
    private static func hasProxmoxFirewall(_ tree: FileTree) -> Certainty? {
        if tree.exists("/usr/libexec/proxmox/proxmox-firewall") { return .certain }
        return tree.exists("/usr/libexec") ? nil : .may
    }

    /// /etc/pve/nodes/NODE/host.fw; /etc/pve/local is a link to the folder.
    private static func hostFile(_ tree: FileTree) -> String {
        let host = tree.text("/etc/hostname")?.split(whereSeparator: \.isWhitespace).first
        let node = host?.split(separator: ".").first.map(String.init)
        let nodes = tree.names(in: "/etc/pve/nodes") ?? []
        let name = nodes.first { $0 == node } ?? (nodes.count == 1 ? nodes[0] : node ?? "NODE")
        let file = "/etc/pve/nodes/\(name)/host.fw"
        return !tree.exists(file) && tree.exists("/etc/pve/local/host.fw") ? "/etc/pve/local/host.fw" : file
    }

    /// The numbers of a file's [OPTIONS]: `enable: 1`. The last one of a key counts, as pve-firewall takes them.
    private struct Options {
        private var values: [String: (value: UInt64, evidence: Evidence)] = [:]

        init(of file: String, in tree: FileTree) {
            var isInside = false
            let lines = tree.text(file)?.split(separator: "\n", omittingEmptySubsequences: false) ?? []
            for (index, line) in lines.enumerated() where !line.hasPrefix("#") {
                if line.hasPrefix("[") { isInside = line.lowercased().hasPrefix("[options]") }
                guard isInside, let colon = line.firstIndex(of: ":"),
                    let value = UInt64(line[line.index(after: colon)...].trimmed)
                else { continue }
                let evidence = Evidence(file: file, line: index + 1, text: line.trimmed)
                values[line[..<colon].lowercased()] = (value, evidence)
            }
        }

        subscript(key: String) -> (value: UInt64, evidence: Evidence)? { values[key] }
    }
}
