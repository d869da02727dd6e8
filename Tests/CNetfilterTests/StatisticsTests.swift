// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import Glibc
internal import TestKit
internal import Testing

/// `cnf_stats_cpu` against /proc of the same namespace.
@Suite(.enabled(if: Requirement.met(.networkNamespace, .program("nft"))))
struct StatisticsTests {
    /// The columns of /proc/net/stat/nf_conntrack that the statistics know.
    private static let columns: [(String, cnf_stat)] = [
        ("found", CNF_STAT_FOUND), ("invalid", CNF_STAT_INVALID), ("insert", CNF_STAT_INSERT),
        ("insert_failed", CNF_STAT_INSERT_FAILED), ("drop", CNF_STAT_DROP), ("early_drop", CNF_STAT_EARLY_DROP),
        ("icmp_error", CNF_STAT_ERROR), ("search_restart", CNF_STAT_SEARCH_RESTART),
        ("clashres", CNF_STAT_CLASH_RESOLVE), ("chainlength", CNF_STAT_CHAIN_TOOLONG),
        ("expect_new", CNF_STAT_EXPECT_NEW), ("expect_create", CNF_STAT_EXPECT_CREATE),
        ("expect_delete", CNF_STAT_EXPECT_DELETE),
    ]

    private func ask(_ namespace: TestNamespace, capacity: Int, witness: Int32 = -1) throws -> [cnf_cpu_stats] {
        try namespace.run {
            var stats = [cnf_cpu_stats](repeating: cnf_cpu_stats(), count: capacity)
            let count = try SystemError.check("stats", cnf_stats_cpu(&stats, capacity, witness))
            return Array(stats.prefix(Int(count)))
        }
    }

    private func value(_ stats: cnf_cpu_stats, _ stat: cnf_stat) -> UInt32? {
        guard stats.present & 1 << stat.rawValue != 0 else { return nil }
        return withUnsafeBytes(of: stats.value) { $0.bindMemory(to: UInt32.self)[Int(stat.rawValue)] }
    }

    @Test func `statistics agree with proc, CPU by CPU`() throws {
        let namespace = try TestNamespace()
        try namespace.trackConnections()
        _ = try namespace.udpFlows(.ipv4, count: 3)
        // A TCP header that claims no length, and an ICMP packet that does not match its checksum.
        _ = try namespace.sendRaw(.ipv4, protocol: UInt8(IPPROTO_TCP), payload: [UInt8](repeating: 0, count: 20))
        _ = try namespace.sendRaw(.ipv4, protocol: UInt8(IPPROTO_ICMP), payload: [3, 1, 0, 0])

        let lines = try namespace.read("/proc/thread-self/net/stat/nf_conntrack").split(separator: "\n")
        let names = lines[0].split(separator: " ")
        let stats = try ask(namespace, capacity: 1024)

        #expect(stats.count == lines.count - 1)
        var total: UInt32 = 0
        for (line, cpu) in zip(lines.dropFirst(), stats) {
            let values = line.split(separator: " ").map { UInt32($0, radix: 16) }
            for (name, stat) in Self.columns {
                let column = try #require(names.firstIndex { $0 == name }, "\(names)")
                #expect(value(cpu, stat) == values[column], "CPU \(cpu.cpu), \(name)")
                total += value(cpu, stat) ?? 0
            }
        }
        #expect(total > 0)
        #expect(stats.contains { (value($0, CNF_STAT_INVALID) ?? 0) > 0 })
    }

    @Test(arguments: [("live\n", 0), ("going\n", -ENODEV), ("coming\n", -ENODEV), ("", -ENODEV)])
    func `a module that is not live just before is not asked`(_ state: String, _ expected: Int32) throws {
        let folder = try TemporaryDirectory()
        try folder.write(state, to: "initstate")
        let witness = open(folder.path(of: "initstate"), O_RDONLY | O_CLOEXEC)
        defer { close(witness) }
        let result = try TestNamespace().run {
            var stats = [cnf_cpu_stats](repeating: cnf_cpu_stats(), count: 1)
            return cnf_stats_cpu(&stats, 1, witness)
        }

        #expect(min(result, 0) == expected)
    }

    @Test func `CPUs beyond the capacity are left out`() throws {
        let stats = try ask(TestNamespace(), capacity: 1)

        #expect(stats.map(\.cpu) == [0])
    }

    @Test func `without room nothing is written`() throws {
        #expect(try ask(TestNamespace(), capacity: 0).isEmpty)
    }
}
