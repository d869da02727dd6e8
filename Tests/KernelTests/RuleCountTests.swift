// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import Glibc
internal import TestKit
internal import Testing

@testable import ConntrackHost

/// The rules as the kernel hands them out, against those that were written.
/// Processes, since iptables and nft are, and the real kernel is what answers.
@Suite(
    .enabled(
        if: Requirement.met(.networkNamespace, .program("nft"), .program("iptables-legacy"), .program("iptables-nft"))))
struct RuleCountTests {
    private let namespace: TestNamespace

    init() throws { namespace = try TestNamespace() }

    private func run(_ line: String) throws {
        let words = line.split(separator: " ").map(String.init)
        let result = try Command(words[0], arguments: Array(words.dropFirst())).run(in: namespace)
        guard result.status == .exited(0) else { throw TestKitError("\(line): \(result)") }
    }

    /// `OWNER TABLE KIND NAME COUNT`, of those that have to do with conntrack.
    private func counted(_ read: @Sendable (OpaquePointer) -> Int32) throws -> [String] {
        try namespace.run {
            var handle: OpaquePointer?
            guard cnf_uses_make(&handle) == 0, let uses = handle else { throw TestKitError("no memory") }
            defer { cnf_uses_free(uses) }
            let status = read(uses)
            guard status == 0 else { throw TestKitError("read: \(status)") }
            let plain: Set = ["immediate", "counter", "cmp", "meta", "payload", "bitwise", "lookup", "tcp", "REJECT"]
            return (0..<cnf_uses_count(uses)).compactMap { index in
                cnf_uses_at(uses, index).flatMap { RuleUse($0.pointee) }
            }.filter { !plain.contains($0.name) }.map {
                "\($0.isNft ? "nft " : "")\($0.family) \($0.table) \($0.kind) \($0.name) \($0.count)"
            }.sorted()
        }
    }

    @Test func `xtables' entries are counted by what they use`() throws {
        try run("iptables-legacy -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT")
        try run("iptables-legacy -N unused")
        try run(
            "iptables-legacy -A unused -p tcp -m conntrack --ctstate NEW -m connlimit --connlimit-above 9 -j REJECT")
        try run("iptables-legacy -t raw -A PREROUTING -p tcp --dport 21 -j CT --helper ftp")
        try run("ip6tables-legacy -A INPUT -m conntrack --ctstate NEW -j ACCEPT")
        try run("iptables-legacy -t nat -S")
        let found = try counted { uses in
            let asked: [(UInt8, String)] = [(2, "filter"), (2, "raw"), (2, "nat"), (10, "filter")]
            return asked.lazy.map { cnf_xtables_read($0.0, $0.1, uses) }.first { $0 != 0 } ?? 0
        }
        #expect(
            found
                == [
                    "ipv4 filter match conntrack 2", "ipv4 filter match connlimit 1", "ipv4 filter table filter 1",
                    "ipv4 raw helper ftp 1", "ipv4 raw table raw 1", "ipv4 raw target CT 1",
                    "ipv6 filter match conntrack 1", "ipv6 filter table filter 1",
                ].sorted())
        let names = try namespace.read("/proc/thread-self/net/ip_tables_names").split(separator: "\n").sorted()
        #expect(names == ["filter", "nat", "raw"])
    }

    @Test func `20000 rules are counted to the last`() throws {
        let rule = "-A INPUT -m conntrack --ctstate NEW -j ACCEPT\n"
        let text = "*filter\n" + String(repeating: rule, count: 20000) + "COMMIT\n"
        let restored = try Command("iptables-legacy-restore", input: text).run(in: namespace)
        #expect(restored.status == .exited(0), "\(restored)")
        let found = try counted { cnf_xtables_read(2, "filter", $0) }
        #expect(found == ["ipv4 filter match conntrack 20000", "ipv4 filter table filter 1"])
    }

    @Test func `nft's rules are counted by what they use`() throws {
        try namespace.nft(
            """
            table inet mine {
                ct helper standard { type "ftp" protocol tcp; }
                ct timeout long { protocol tcp; policy = { established: 100 }; }
                set limits { type ipv4_addr; size 65535; flags dynamic; }
                set plain { type ipv4_addr; elements = { 192.0.2.1, 192.0.2.2 }; }
                chain input {
                    type filter hook input priority 0
                    ct state established accept
                    ct state new add @limits { ip saddr ct count over 10 } drop
                    ct helper set "standard"
                }
            }
            table ip other {
                chain post { type nat hook postrouting priority 100; masquerade; }
            }
            add element inet mine limits { 192.0.2.1 ct count over 10 }
            """)
        let found = try counted { cnf_nft_read(1, $0) }
        #expect(
            found
                == [
                    "nft inet mine chain filter 1", "nft inet mine expression connlimit 2",
                    "nft inet mine expression ct 2",
                    "nft inet mine expression dynset 1",
                    "nft inet mine expression objref 1",
                    "nft inet mine helper ftp 2",
                    "nft inet mine object ct helper 1", "nft inet mine object ct timeout 1",
                    "nft ipv4 other chain nat 1",
                    "nft ipv4 other expression masq 1",
                ].sorted())
        // Without elements those of its elements are not seen.
        #expect(try counted { cnf_nft_read(0, $0) }.contains("nft inet mine expression connlimit 1"))
    }

    @Test func `iptables-nft's rules count as both`() throws {
        try run("iptables-nft -A INPUT -m conntrack --ctstate NEW -j ACCEPT")
        try run("iptables-nft -t raw -A PREROUTING -p tcp --dport 21 -j CT --helper ftp")
        let found = try counted { cnf_nft_read(1, $0) }
        #expect(
            found
                == [
                    "nft ipv4 filter chain filter 1", "nft ipv4 filter expression match 1",
                    "nft ipv4 filter match conntrack 1", "nft ipv4 raw chain filter 1",
                    "nft ipv4 raw expression target 1",
                    "nft ipv4 raw helper ftp 1", "nft ipv4 raw target CT 1",
                ].sorted())
    }

    @Test func `a table that is not there is not answered for`() throws {
        let status = try namespace.run {
            var handle: OpaquePointer?
            guard cnf_uses_make(&handle) == 0, let uses = handle else { throw TestKitError("no memory") }
            defer { cnf_uses_free(uses) }
            return cnf_xtables_read(2, "nothing", uses)
        }
        #expect(status == -ENOENT)
    }
}
