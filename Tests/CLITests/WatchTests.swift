// SPDX-License-Identifier: GPL-3.0-or-later

import FoundationEssentials
import Glibc
import TestKit
import Testing

/// `watch` on hosts made of files.
/// Processes, since it is about all threads together, by the real clock.
@Suite struct WatchTests {
    @Test func `it prints a line an interval and stops after as many as told`() throws {
        let outcome = try FakeHost().runWatch("--count", "3")
        let lines = outcome.standardOutput.split(separator: "\n")

        #expect(outcome.status == .exited(0))
        #expect(lines.count == 3)
        #expect(lines.allSatisfy { $0.contains(" entries=100 limit=1000 usage=10.0% ") }, "\(outcome)")
        #expect(outcome.standardError.contains(" every 5ms, nf_conntrack loaded\n"))
        #expect(outcome.standardError.contains("stopped: --count is reached"))
    }

    @Test func `with a table that /sys knows nothing of it does not say that there is none`() throws {
        let host = try FakeHost()
        #expect(ctk_remove_tree(host.directory.path(of: "sys/module")) == 0)
        let running = try host.runWatch("--count", "1", "--format", "json")
        #expect(running.standardError.contains(" every 5ms, nf_conntrack is there\n"))
        #expect(!running.standardOutput.contains("\"module\":"))
        let absent = try FakeHost(limit: nil).runWatch("--count", "1", "--format", "json")

        #expect(absent.standardError.contains(" every 5ms, nf_conntrack absent\n"))
        #expect(absent.standardOutput.contains("\"module\":\"absent\""))
    }

    @Test func `it stops after the time it was told`() throws {
        let outcome = try FakeHost().runWatch("--duration", "50ms")

        #expect(outcome.status == .exited(0))
        #expect(outcome.standardError.contains("stopped: --duration is over"))
    }

    @Test func `in JSON each interval is an object on a line`() throws {
        struct Interval: Decodable {
            var entries: UInt64
            var limit: UInt64
            var up: Bool
        }
        let outcome = try FakeHost().runWatch("--count", "2", "--format", "json")
        let intervals = try outcome.standardOutput.split(separator: "\n")
            .map { try JSONDecoder().decode(Interval.self, from: Data($0.utf8)) }

        #expect(intervals.map(\.limit) == [1000, 1000])
        #expect(intervals.allSatisfy { $0.entries == 100 && $0.up })
    }

    @Test func `with format none stdout stays empty`() throws {
        let outcome = try FakeHost().runWatch("--count", "2", "--format", "none")

        #expect(outcome.status == .exited(0))
        #expect(outcome.standardOutput == "")
    }

    // MARK: The limit and the module

    @Test func `a limit written lower is said with its fix, and put back it ends`() throws {
        let host = try FakeHost()
        let watch = try host.watch()
        try watch.waitForLine(containing: "limit=1000")
        try host.overwrite(host.limitFile, with: "500")
        let line = try watch.waitForLine(on: .stderr, containing: "CRITICAL limit_dropped")
        #expect(line.contains("nf_conntrack_max 1000 -> 500"))
        #expect(line.contains("sysctl -w net.netfilter.nf_conntrack_max=1000"))
        try host.overwrite(host.limitFile, with: "1000")
        try watch.waitForLine(on: .stderr, containing: "RESOLVED limit_dropped")

        #expect(try watch.stop() == .exited(0))
    }

    @Test func `a module that comes back with a lower limit is a reload, then a fallen limit`() throws {
        let host = try FakeHost()
        let watch = try host.watch("--settle", "100ms")
        try watch.waitForLine(containing: "limit=1000")
        try host.reload(limit: "500")
        try watch.waitForLine(on: .stderr, containing: "NOTICE module_reloaded")
        let line = try watch.waitForLine(on: .stderr, containing: "CRITICAL limit_dropped")

        #expect(line.contains("nf_conntrack_max 1000 -> 500 (module reloaded "))
        #expect(try watch.stop() == .exited(0))
    }

    @Test func `a limit put back while it settles is no alert`() throws {
        let host = try FakeHost()
        let watch = try host.watch("--settle", "500ms")
        try watch.waitForLine(containing: "limit=1000")
        try host.reload(limit: "500")
        try watch.waitForLine(on: .stderr, containing: "NOTICE module_reloaded")
        try host.overwrite(host.limitFile, with: "1000")
        try watch.waitForLine(on: .stderr, containing: "NOTICE limit_restored")

        #expect(try watch.stop() == .exited(0))
        #expect(!watch.standardError.contains("limit_dropped"))
    }

    @Test func `a host without the module is told once, and watched for it`() throws {
        let host = try FakeHost(limit: nil)
        let watch = try host.watch()
        try watch.waitForLine(on: .stderr, containing: "NOTICE module_absent")
        try watch.waitForLine(containing: "module=absent")
        try host.load(entries: "5", limit: "1000")
        try watch.waitForLine(containing: "entries=5 limit=1000")

        #expect(try watch.stop() == .exited(0))
        #expect(watch.standardError.ranges(of: "module_absent").count == 1)
        #expect(!watch.standardError.contains("module_unloaded"))
    }

    @Test func `a module gone for longer than the hold is an alert until it is back`() throws {
        let host = try FakeHost()
        let watch = try host.watch("--unload-hold", "50ms")
        try watch.waitForLine(containing: "limit=1000")
        try host.unload()
        try watch.waitForLine(on: .stderr, containing: "CRITICAL module_unloaded")
        try host.load(entries: "5", limit: "1000")
        try watch.waitForLine(on: .stderr, containing: "RESOLVED module_unloaded")

        #expect(try watch.stop() == .exited(0))
        #expect(watch.standardError.contains("NOTICE module_reloaded"))
    }

    @Test func `garbage in a sysctl is said while it lasts`() throws {
        let host = try FakeHost()
        let watch = try host.watch()
        try watch.waitForLine(containing: "limit=1000")
        try host.overwrite(host.limitFile, with: "garbage")
        let line = try watch.waitForLine(on: .stderr, containing: "WARNING monitor_degraded")
        #expect(line.contains("nf_conntrack_max holds no number but \"garbage"))
        try watch.waitForLine("without a limit") { !$0.contains("limit=") && $0.contains("entries=100") }
        try host.overwrite(host.limitFile, with: "1000")
        let end = try watch.waitForLine(on: .stderr, containing: "RESOLVED monitor_degraded")

        #expect(end.contains("nf_conntrack_max works again"))
        #expect(try watch.stop() == .exited(0))
        #expect(!watch.standardError.contains("limit_"))
    }

    @Test func `alerts as JSON are an object a line`() throws {
        struct Alert: Decodable {
            var name: String
            var state: String
            var level: String
            var summary: String
        }
        let host = try FakeHost()
        let watch = try host.watch("--alert-format", "json")
        try watch.waitForLine(containing: "limit=1000")
        try host.overwrite(host.limitFile, with: "500")
        try watch.waitForLine(on: .stderr, containing: "limit_dropped")
        #expect(try watch.stop() == .exited(0))
        let alerts = try watch.standardError.split(separator: "\n")
            .map { try JSONDecoder().decode(Alert.self, from: Data($0.utf8)) }

        #expect(alerts.first?.state == "log")
        let dropped = alerts.filter { $0.name == "limit_dropped" }
        #expect(dropped.map(\.state) == ["firing"])
        #expect(dropped.map(\.level) == ["critical"])
    }
}
