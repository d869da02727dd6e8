// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// cluster.fw and host.fw.
@Suite struct PveFirewallWritersTests {
    private static let on = "[OPTIONS]\n\nenable: 1\n"

    private func host(
        _ hostOptions: String, cluster: String = PveFirewallWritersTests.on, more: [(String, String)] = []
    ) throws -> ProgramHost {
        try ProgramHost(
            [
                ("etc/pve/firewall/cluster.fw", cluster), ("etc/pve/nodes/pve1/host.fw", hostOptions),
                ("etc/pve/nodes/pve2/host.fw", "[OPTIONS]\nnf_conntrack_max: 999999\n"),
                ("etc/hostname", "pve1.example.org\n"), ("etc/debian_version", "12.7\n"),
            ] + more)
    }

    /// As update_nf_conntrack_max and its neighbours in PVE/Firewall.pm.
    @Test(arguments: [
        ("", ["~buckets=65536", "max=262144", "tcp_timeout_established=432000", "tcp_timeout_syn_recv=60"]),
        (
            "[OPTIONS]\nenable: 0\nnf_conntrack_max: 100000\n",
            ["~buckets=65536", "max=262144", "tcp_timeout_established=432000", "tcp_timeout_syn_recv=60"]
        ),
        (
            "[options]\nNF_conntrack_max: 1000000\nnf_conntrack_tcp_timeout_established: 86400\n",
            ["~buckets=251904", "max=1007616", "tcp_timeout_established=86400", "tcp_timeout_syn_recv=60"]
        ),
        (
            "[OPTIONS]\n#nf_conntrack_max: 1000000\nnf_conntrack_tcp_timeout_syn_recv: 30\n[RULES]\nenable: 0\n",
            ["~buckets=65536", "max=262144", "tcp_timeout_established=432000", "~tcp_timeout_syn_recv=30"]
        ),
    ])
    func `it writes the limit and two timeouts again and again`(_ options: String, _ acts: [String]) throws {
        let found = try host(options).writers(PveFirewallWriters.all)
        #expect(found.map(\.short) == [acts])
        #expect(found.first?.when == .always)
        #expect(found.first?.name == "pve-firewall")
        #expect(found.first?.evidence.description == "/etc/pve/firewall/cluster.fw:3 enable: 1")
        #expect(found.first?.cure?.hasSuffix("/etc/pve/nodes/pve1/host.fw") == true)
    }

    @Test(arguments: ["", "[OPTIONS]\nenable: 0\n", "[RULES]\nenable: 1\n", "[OPTIONS]\nenable: 1700000000\n"])
    func `where the cluster's firewall is off it writes nothing`(_ cluster: String) throws {
        #expect(try host("[OPTIONS]\nenable: 1\n", cluster: cluster).writers(PveFirewallWriters.all).isEmpty)
    }

    @Test func `a saved tree may have cluster_fw in the folder's place`() throws {
        let host = try ProgramHost([("etc/pve/firewall", Self.on), ("etc/hostname", "pve1\n")])
        #expect(host.writers(PveFirewallWriters.all).count == 1)
    }

    @Test func `a value has its line`() throws {
        let found = try host("[OPTIONS]\nnf_conntrack_max: 524288\n").writers(PveFirewallWriters.all)
        #expect(found.first?.places[1] == "/etc/pve/nodes/pve1/host.fw:2")
    }

    @Test(arguments: [("9.13\n", "max=65536"), ("10.4\n", "~max=262144"), ("12.7\n", "max=262144")])
    func `its own limit grew in 2019`(_ version: String, _ limit: String) throws {
        let host = try ProgramHost([("etc/pve/firewall/cluster.fw", Self.on), ("etc/debian_version", version)])
        #expect(host.writers(PveFirewallWriters.all).first?.short[1] == limit)
    }

    /// proxmox-firewall/src/firewall.rs: what is set, and only while the host's own firewall is on.
    @Test func `proxmox-firewall writes what is set and no more`() throws {
        let nft = "[OPTIONS]\nnftables: 1\nnf_conntrack_max: 100000\n"
        let binary = [("usr/libexec/proxmox/proxmox-firewall", "")]
        let found = try host(nft, more: binary).writers(PveFirewallWriters.all)
        #expect(found.map(\.name) == ["proxmox-firewall"])
        #expect(found.map(\.short) == [["max=100000"]])
        #expect(found.first?.certainty == .certain)
        #expect(try host(nft).writers(PveFirewallWriters.all).first?.certainty == .may)
        #expect(try host(nft + "enable: 0\n", more: binary).writers(PveFirewallWriters.all).isEmpty)
        #expect(try host("[OPTIONS]\nnftables: 1\n", more: binary).writers(PveFirewallWriters.all).isEmpty)
        // Without the program the option does nothing.
        let without = try host(nft, more: [("usr/libexec/x", "")]).writers(PveFirewallWriters.all)
        #expect(without.map(\.name) == ["pve-firewall"])
    }

    @Test func `a service that is disabled writes nothing`() throws {
        let host = try host("")
        try host.enable()
        #expect(host.writers(PveFirewallWriters.all).isEmpty)
        try host.enable("pve-firewall")
        #expect(host.writers(PveFirewallWriters.all).count == 1)
    }
}
