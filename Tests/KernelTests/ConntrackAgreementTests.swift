// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit
internal import Testing

/// What the monitor says of a table at rest, and what `conntrack` says of the same.
/// Processes, since `conntrack` is one, and the real kernel is what both are asked about.
@Suite(.enabled(if: Requirement.met(.networkNamespace, .program("nft"), .program("conntrack"))))
struct ConntrackAgreementTests {
    private func restingNamespace() throws -> TestNamespace {
        let namespace = try TestNamespace()
        try namespace.trackConnections()
        #expect(try namespace.makeEntries(count: 1234) == 1234)
        _ = try namespace.udpFlows(.ipv6, count: 3)
        // A TCP header that claims no length, and an ICMP packet that does not match its checksum: invalid, error.
        for _ in 0..<5 {
            _ = try namespace.sendRaw(.ipv4, protocol: UInt8(IPPROTO_TCP), payload: [UInt8](repeating: 0, count: 20))
        }
        _ = try namespace.sendRaw(.ipv4, protocol: UInt8(IPPROTO_ICMP), payload: [3, 1, 0, 0])
        return namespace
    }

    @Test func `watch, status and check count the entries that conntrack counts`() throws {
        let namespace = try restingNamespace()
        let count = try namespace.countedEntries()
        #expect(count == 1237)
        let binary = try Repository.builtBinary()
        let folder = try TemporaryDirectory()

        let watch = try Watch(in: namespace)
        try watch.waitForStatus("\(count) entries") { $0.entries == count }
        try watch.waitForMetrics("\(count) entries") { $0["conntrack_entries"] == Double(count) }
        let status = try namespace.output(of: Command(binary, "status", "--json", "--run-dir", folder.path))
        #expect(try Status(status).entries == count)
        let check = try Command(binary, "check", "--run-dir", folder.path).run(in: namespace)
        #expect(check.status == .exited(0))
        #expect(check.standardOutput.hasPrefix("CONNTRACK OK - \(count) of "), "\(check)")
        #expect(check.standardOutput.contains("| entries=\(count);"), "\(check)")
    }

    @Test func `watch and status give the statistics that conntrack gives`() throws {
        let namespace = try restingNamespace()
        let expected = try namespace.countedStatistics()
        #expect(expected.count >= 9)
        #expect(try #require(expected["invalid"]) >= 5)
        #expect(try #require(expected["error"]) > 0)

        let watch = try Watch(in: namespace, "--textfile-interval", "50ms")
        try watch.waitForMetrics("statistics") { $0.statistic("invalid") != nil }
        let metrics = try watch.metrics()
        let folder = try TemporaryDirectory()
        let command = Command(try Repository.builtBinary(), "status", "--json", "--run-dir", folder.path)
        let status = try Status(namespace.output(of: command))
        for (name, value) in expected {
            #expect(metrics.statistic(name) == Double(value), "\(name)")
            #expect(status.stats?[name] == value, "\(name)")
        }
        // At rest nothing moved meanwhile.
        #expect(try namespace.countedStatistics() == expected)
    }

    @Test func `with --per-cpu each CPU's statistics are those of its own line`() throws {
        let namespace = try restingNamespace()
        let watch = try Watch(in: namespace, "--per-cpu")
        try watch.waitForMetrics("statistics") { $0.statistic("invalid", cpu: 0) != nil }
        let metrics = try watch.metrics()
        let lines = try namespace.output(of: Command("conntrack", "-S")).split(separator: "\n")

        #expect(!lines.isEmpty)
        for (cpu, line) in lines.enumerated() {
            let invalid = line.split(whereSeparator: \.isWhitespace).first { $0.hasPrefix("invalid=") }
            let value = try #require(invalid.flatMap { Double($0.dropFirst("invalid=".count)) })
            #expect(metrics.statistic("invalid", cpu: cpu) == value)
        }
    }

    @Test func `a namespace's limit and buckets are those of its proc`() throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace)
        let status = try watch.waitForStatus("a limit") { $0.limit != nil }

        #expect(try status.buckets.map(String.init) == text(namespace, "nf_conntrack_buckets"))
        // Waited for, since a test in the host's namespace may raise and lower the limit meanwhile.
        #expect(try eventually { try watch.metrics()["conntrack_entries_limit"] == Double(namespace.limit()) })
    }

    private func text(_ namespace: TestNamespace, _ name: String) throws -> String {
        try namespace.read("/proc/sys/net/netfilter/\(name)").filter { $0 != "\n" }
    }
}
