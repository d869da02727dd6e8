// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit
internal import Testing

/// --event-budget: the event groups are really left, for the kernel too, and nothing that was heard is lost.
/// A process, since the kernel is asked whether that process still listens, and what it costs.
@Suite(.enabled(if: Requirement.met(.networkNamespace)))
struct EventBudgetTests {
    /// What traffic was made, and how the monitor's socket stood meanwhile.
    private struct Traffic {
        var made: UInt64 = 0
        var seconds = 0.0
        /// Seconds since 1970.
        var ended = 0.0
        /// The groups of the event socket, whenever they were another than before.
        var groups: [UInt32] = []

        var rate: Double { Double(made) / seconds }
        var times: (joined: Int, left: Int) { (groups.count { $0 == 5 }, groups.count { $0 == 0 }) }
    }

    /// Makes and deletes 15,000 entries a second, until `isEnough`. Not as many as it can: that is fewer while somebody
    /// listens, so that what is heard then would not tell what comes when nobody does.
    private func makeTraffic(
        _ namespace: TestNamespace, _ watch: Watch, until isEnough: (Traffic) throws -> Bool
    ) throws -> Traffic {
        var traffic = Traffic()
        let began = now()
        repeat {
            for _ in 0..<4 {
                traffic.made += try namespace.makeEntries(count: 256)
                #expect(try namespace.deleteEntries(count: 256) == 256)
                while Double(traffic.made) > (now() - began) * 15_000 { usleep(200) }
            }
            let groups = try #require(namespace.netfilterSockets(of: watch.process.process).max())
            if groups != traffic.groups.last { traffic.groups.append(groups) }
            traffic.ended = now()
            traffic.seconds = traffic.ended - began
        } while try !isEnough(traffic) && traffic.seconds < 30
        return traffic
    }

    private func now() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }

    private func statuses(_ watch: Watch) -> [Status] {
        watch.process.standardOutput.split(separator: "\n").compactMap { try? Status(String($0)) }
    }

    @Test func `above the budget the groups are left and joined again, rates are estimated, and calm ends it`() throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace, "--event-budget", "2%", "--interval", "200ms")
        var ratios: [Double] = []
        let traffic = try makeTraffic(namespace, watch) { traffic in
            ratios += try [watch.metrics()["conntrack_mon_event_duty_ratio"]].compactMap { $0 }
            return traffic.times.joined >= 3 && traffic.times.left >= 3 && traffic.seconds > 4
        }
        #expect(traffic.times.joined >= 3 && traffic.times.left >= 3, "\(traffic)")
        #expect(try #require(ratios.last) < 0.9, "\(ratios)")
        #expect(ratios.allSatisfy { $0 > 0 && $0 <= 1 }, "\(ratios)")

        let notice = try watch.waitForLine("NOTICE event_budget_exceeded")
        #expect(notice.contains(", over --event-budget 2.00%: "))
        let end = try watch.waitForLine("NOTICE event_budget_met")
        #expect(end.contains("every event is counted again"))
        try watch.waitForMetrics("a duty of 1") { $0["conntrack_mon_event_duty_ratio"] == 1 }
        #expect(try namespace.netfilterSockets(of: watch.process.process).max() == 5)

        // What was counted is what was sent while somebody listened; from now on it is everything.
        let calm = try watch.metrics()
        let counted = try (new: #require(calm.events("new")), destroy: #require(calm.events("destroy")))
        #expect(try namespace.makeEntries(first: 500_000, count: 1000) == 1000)
        try watch.waitForStatus("1000 more") { $0.events?.new == UInt64(counted.new) + 1000 }
        #expect(try namespace.deleteEntries(first: 500_000, count: 1000) == 1000)
        try watch.waitForStatus("1000 more gone") { $0.events?.destroy == UInt64(counted.destroy) + 1000 }

        let estimates = statuses(watch).filter { $0.timestamp < traffic.ended && $0.events?.estimated == true }
            .compactMap { $0.events?.newPerSecond }
        let mean = estimates.reduce(0, +) / Double(max(1, estimates.count))
        #expect(estimates.count >= 10)
        #expect(mean > 0.6 * traffic.rate && mean < 1.6 * traffic.rate, "\(mean) for \(traffic.rate)")
        let metrics = try watch.stop()
        #expect(counted.new < 0.9 * Double(traffic.made))
        // The kernel takes note that somebody listens before the join has its effect (netlink_setsockopt in
        // net/netlink/af_netlink.c): of entries made between, in batches of 256, only the end is heard.
        #expect(counted.destroy <= counted.new + Double(256 * (traffic.times.joined + 1)))
        #expect(metrics.sum("conntrack_events_lost_total") == 0)
        #expect(metrics.events("new") == counted.new + 1000)
    }

    @Test(arguments: [["--event-budget", "100%"], ["--event-budget", "2%", "--event-cost", "1ns"], []])
    func `without a bound, or while it is kept, the groups are never left and every event is counted`(
        _ arguments: [String]
    ) throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace, "--interval", "200ms", arguments: arguments)
        let traffic = try makeTraffic(namespace, watch) { $0.seconds > 1.5 }

        #expect(traffic.groups == [5])
        try watch.waitForStatus("every event") { $0.events?.new == traffic.made && $0.events?.destroy == traffic.made }
        try watch.waitForMetrics("a duty of 1") { $0["conntrack_mon_event_duty_ratio"] == 1 }
        #expect(statuses(watch).allSatisfy { $0.events?.estimated != true })
        let metrics = try watch.stop()
        #expect(metrics.events("new") == Double(traffic.made))
        #expect(metrics.sum("conntrack_events_lost_total") == 0)
        #expect(!watch.process.standardError.contains("event_budget"))
    }
}
