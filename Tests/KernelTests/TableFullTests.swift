// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit
internal import Testing

extension LimitTests {
    /// The most entries worth making: 400,000 take 130 MB of kernel memory.
    private static let mostEntries: UInt64 = 400_000

    private func refusal(_ body: () throws -> Void) -> Int32? {
        do {
            try body()
            return nil
        } catch let error as SystemError {
            return error.code
        } catch {
            return nil
        }
    }

    @Test func `a full table drops packets, and table_full says so`() throws {
        let namespace = try TestNamespace()
        try namespace.trackConnections()
        let limit = try namespace.limit()
        try #require(
            limit > 0 && limit <= Self.mostEntries,
            "nf_conntrack_max is \(limit): a table that large cannot be filled by a test; lower it to run this one")

        let watch = try Watch(in: namespace, listening: false, "--events", "none", "--warn-hold", "0s")
        let nearlyAll = limit - 3
        #expect(try namespace.makeEntries(count: UInt32(nearlyAll), assured: true) == nearlyAll)
        _ = try namespace.udpFlows(.ipv4, count: 3)
        try watch.waitForStatus("a full table") { $0.entries == limit && $0.level(of: "usage_high") != nil }
        #expect(try watch.metrics().fires("table_full", "critical") == false)

        let before = try namespace.countedStatistics()["drop"] ?? 0
        // A packet that conntrack refuses is dropped on its way out: EPERM.
        for _ in 0..<5 {
            #expect(refusal { _ = try namespace.udpFlows(.ipv4) } == EPERM)
        }
        #expect(try namespace.countedStatistics()["drop"] == before + 5)
        let line = try watch.waitForLine("table_full")
        #expect(line.contains(" CRITICAL "))
        #expect(line.contains("\(limit) of \(limit) entries (100.0%): new connections are refused"))
        try watch.waitForMetrics("table_full firing") { $0.fires("table_full", "critical") == true }
        try watch.waitForMetrics("the drops") { $0.statistic("drop") == Double(before + 5) }
        let check = try Command(
            Repository.builtBinary(), "check", "--run-dir", watch.folder.path
        ).run(in: namespace)
        #expect(check.status == .exited(2))
        #expect(check.standardOutput.contains("table_full: "), "\(check)")

        try namespace.flushEntries()
        _ = try namespace.udpFlows(.ipv4)
        try watch.waitForStatus("an empty table") { ($0.entries ?? limit) < 10 }
        // It ends only when a minute went by without.
        #expect(try watch.metrics().fires("table_full", "critical") == true)
        try watch.stop()
    }

    @Test func `a full table that evicts is noticed with how many, and usage_high says so`() throws {
        let namespace = try TestNamespace()
        try namespace.trackConnections()
        let limit = try namespace.limit()
        try #require(
            limit > 0 && limit <= Self.mostEntries,
            "nf_conntrack_max is \(limit): a table that large cannot be filled by a test; lower it to run this one")

        let watch = try Watch(
            in: namespace, listening: false, "--events", "none", "--warn-hold", "0s", "--crit-hold", "0s")
        // Not assured: each flow takes the place of another. (An entry that ctnetlink makes looks for one in the first eight
        // buckets only.)
        #expect(try namespace.makeEntries(count: UInt32(limit)) == limit)
        _ = try namespace.udpFlows(.ipv4, count: 1000)
        let evicted = try #require(try namespace.countedStatistics()["early_drop"])
        try #require(evicted >= 1000)
        #expect(try namespace.countedStatistics()["drop"] == 0)

        let line = try watch.waitForLine("NOTICE early_drop")
        let words = try #require(line.split(separator: " live entries evicted in the last ").first)
        let told = try #require(words.split(separator: " ").last.flatMap { UInt64($0) }, "\(line)")
        #expect(told >= 100 && told <= evicted)
        // Whoever reads of the usage reads all of them.
        let status = try watch.waitForStatus("evictions") { status in
            status.alerts.contains { $0.summary.contains("; \(evicted) live entries evicted in the last ") }
        }
        #expect(status.level(of: "usage_high") == "critical")
        #expect(status.level(of: "table_full") == nil)
        try watch.stop()
    }
}
