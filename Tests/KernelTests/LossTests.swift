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

    /// What conntrack_events_total and conntrack_events_lost_total add up to.
    private func sum(_ metrics: Metrics) throws -> Double {
        try #require(metrics.sum("conntrack_events_total")) + #require(metrics.sum("conntrack_events_lost_total"))
    }

    @Test func `a receive buffer that is too small loses events, and says exactly how many`() throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace, "--receive-buffer", "4K")
        let happened = try flood(namespace, count: 20_000)
        try watch.waitForStatus("\(happened) events accounted for") { $0.accounted == happened }
        let line = try watch.waitForLine("WARNING events_lost")
        try watch.waitForMetrics("events_lost firing") { $0.fires("events_lost", "warning") == true }

        #expect(line.contains(" overrun)"))
        let metrics = try watch.stop()
        #expect(try sum(metrics) == Double(happened))
        #expect(try #require(metrics.lost("overrun")) > 0)
        #expect(metrics.lost("truncated") == 0)
    }

    @Test func `a ring that is too small drops events, and says exactly how many`() throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace, "--ring", "64")
        let happened = try flood(namespace, count: 20_000)
        try watch.waitForStatus("\(happened) events accounted for") { $0.accounted == happened }
        try watch.waitForLine("WARNING events_lost")

        let metrics = try watch.stop()
        #expect(try sum(metrics) == Double(happened))
        #expect(try #require(metrics.lost("dropped")) > 0)
        #expect(metrics.lost("truncated") == 0)
    }

    // An ordinary user's receive buffer is what net.core.rmem_max allows.
    @Test(.enabled(if: Requirement.met(.initialRoot)))
    func `with the defaults 100,000 entries made and deleted are counted and none is lost`() throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace)
        let happened = try flood(namespace, count: 100_000)
        #expect(happened == 200_000)
        try watch.waitForStatus("\(happened) events accounted for") { $0.accounted == happened }

        let metrics = try watch.stop()
        #expect(metrics.events("new") == 100_000)
        #expect(metrics.events("destroy") == 100_000)
        #expect(metrics["conntrack_new_by_protocol_total", ["protocol": "udp"]] == 100_000)
        #expect(metrics.sum("conntrack_events_lost_total") == 0)
    }

    @Test func `stopped during a flood and continued, it says the gap and still accounts for every event`() throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace)
        let before = try flood(namespace, count: 1000)
        try watch.waitForStatus("\(before) events counted") { $0.accounted == before }
        watch.process.send(signal: SIGSTOP)
        // More than its receive buffer holds.
        let happened = try before + flood(namespace, count: 50_000)
        let asleep = try #require(try watch.metrics()["conntrack_mon_last_sample_timestamp_seconds"])
        // A pause is a gap beyond 5 seconds.
        #expect(eventually { wallTime() > asleep + 5.2 })
        watch.process.send(signal: SIGCONT)

        let notice = try watch.waitForLine("NOTICE sampling_gap")
        #expect(notice.contains("no sample for "))
        try watch.waitForStatus("\(happened) events accounted for") { $0.accounted == happened }
        let metrics = try watch.stop()
        #expect(try sum(metrics) == Double(happened))
        #expect(try #require(metrics.lost("overrun")) > 0)
    }

    private func wallTime() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }
}
