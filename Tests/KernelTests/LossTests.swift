// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit
internal import Testing

/// Floods: what was counted and what was lost is what was made, to the last event.
@Suite(.enabled(if: Requirement.met(.networkNamespace)))
struct LossTests {
    /// Makes and deletes entries, and returns how many events that was.
    private func flood(_ namespace: TestNamespace, count: UInt32) throws -> UInt64 {
        let made = try namespace.makeEntries(count: count)
        let deleted = try namespace.deleteEntries(count: count)
        #expect(made == UInt64(count))
        #expect(deleted == UInt64(count))
        return made + deleted
    }

    /// What the kernel sent is what was received and what was lost.
    private func sent(_ metrics: Metrics) throws -> Double {
        try #require(metrics.sum("conntrack_events_total")) + #require(metrics.sum("conntrack_events_lost_total"))
    }

    /// The sources that this machine allows.
    static let sources = Requirement.initialRoot.unmet == nil ? ["bpf", "netlink"] : ["netlink"]

    @Test(arguments: sources)
    func `a receive buffer that is too small loses events, and says exactly how many`(_ source: String) throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace, "--source", source, "--receive-buffer", "4K")
        let happened = try flood(namespace, count: 20_000)
        try watch.waitForStatus("\(happened) events accounted for") { $0.sent == happened }
        let line = try watch.waitForLine("WARNING events_lost")
        try watch.waitForMetrics("events_lost firing") { $0.fires("events_lost", "warning") == true }

        #expect(line.contains(" overrun)"))
        let metrics = try watch.stop()
        #expect(try sent(metrics) == Double(happened))
        #expect(try #require(metrics.lost("overrun")) > 0)
        #expect(metrics.lost("truncated") == 0)
        #expect(metrics.lost("malformed") == 0)
    }

    @Test(arguments: sources)
    func `what was seen and what was lost is what was made`(_ source: String) throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace, "--source", source, "--receive-buffer", "4K", "--events", "new")
        #expect(try namespace.makeEntries(count: 20_000) == 20_000)
        try watch.waitForStatus("20,000 events accounted for") { $0.sent == 20_000 }

        let metrics = try watch.stop()
        let lost = try #require(metrics.sum("conntrack_events_lost_total"))
        #expect(lost > 0)
        #expect(try #require(metrics.sum("conntrack_new_by_protocol_total")) + lost == 20_000)
    }

    @Test(arguments: sources)
    func `a ring that is too small drops events, and says exactly how many`(_ source: String) throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace, "--source", source, "--ring", "64")
        let happened = try flood(namespace, count: 20_000)
        try watch.waitForStatus("\(happened) events accounted for") { $0.sent == happened }
        try watch.waitForLine("WARNING events_lost")

        let metrics = try watch.stop()
        #expect(try sent(metrics) == Double(happened))
        #expect(try #require(metrics.lost("dropped")) > 0)
        #expect(metrics.lost("truncated") == 0)
        #expect(metrics.lost("malformed") == 0)
    }

    // An ordinary user's receive buffer is what net.core.rmem_max allows.
    @Test(.enabled(if: Requirement.met(.initialRoot)), arguments: sources)
    func `500,000 entries made and deleted at full speed are counted, and none is lost`(_ source: String) throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace, "--source", source)
        var happened: UInt64 = 0
        for _ in 0..<5 { happened += try flood(namespace, count: 100_000) }
        #expect(happened == 1_000_000)
        try watch.waitForStatus("\(happened) events accounted for") { $0.sent == happened }

        let metrics = try watch.stop()
        #expect(metrics.events("new") == 500_000)
        #expect(metrics.events("destroy") == 500_000)
        #expect(metrics["conntrack_new_by_protocol_total", ["protocol": "udp"]] == 500_000)
        #expect(metrics.sum("conntrack_events_lost_total") == 0)
    }

    @Test(arguments: sources)
    func `stopped during a flood and continued, it says the gap and still accounts for every event`(
        _ source: String
    ) throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace, "--source", source)
        let before = try flood(namespace, count: 1000)
        try watch.waitForStatus("\(before) events counted") { $0.sent == before }
        watch.process.send(signal: SIGSTOP)
        // More than its receive buffer, or its ring, holds.
        let happened = try before + flood(namespace, count: 50_000)
        let asleep = try #require(try watch.metrics()["conntrack_mon_last_sample_timestamp_seconds"])
        // A pause is a gap beyond 5 seconds.
        #expect(eventually { wallTime() > asleep + 5.2 })
        watch.process.send(signal: SIGCONT)

        let notice = try watch.waitForLine("NOTICE sampling_gap")
        #expect(notice.contains("no sample for "))
        try watch.waitForStatus("\(happened) events accounted for") { $0.sent == happened }
        let metrics = try watch.stop()
        #expect(try sent(metrics) == Double(happened))
        let lost = try #require(metrics.lost("overrun"))
        #expect(lost > 0)
        let new = try #require(metrics.events("new"))
        #expect(new <= 51_000 && new >= 51_000 - lost)
        #expect(metrics.sum("conntrack_new_by_protocol_total") == new)
    }

    private func wallTime() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }
}
