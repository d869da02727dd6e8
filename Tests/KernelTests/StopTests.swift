// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit
internal import Testing

/// How `watch` ends, and what it leaves.
/// A process, since a signal ends it and the kernel tells what it left joined.
@Suite(.enabled(if: Requirement.met(.networkNamespace)))
struct StopTests {
    @Test(arguments: [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")])
    func `a signal ends it with exit code 0 and a textfile that says so`(_ signal: Int32, _ name: String) throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace)
        #expect(try namespace.makeEntries(count: 10) == 10)
        try watch.waitForStatus("10 new events") { $0.events?.new == 10 }
        try watch.waitForMetrics("10 entries") { $0["conntrack_entries"] == 10 && $0["conntrack_mon_up"] == 1 }

        let metrics = try watch.stop(by: signal)
        #expect(watch.process.standardError.contains("stopped: \(name)\n"))
        #expect(metrics["conntrack_mon_up"] == 0)
        #expect(metrics.events("new") == 10)
        #expect(metrics["conntrack_entries"] == nil)
        #expect(metrics["conntrack_entries_limit"] == nil)
        #expect(metrics.sum("conntrack_alert_firing") == nil)
        let status = try Status(watch.folder.read("status.json"))
        #expect(!status.up)
        #expect(status.events?.new == 10)
    }

    @Test func `events that are still under way when the signal comes are counted`() throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace, "--interval", "1h", "--sample", "1h")
        #expect(try namespace.makeEntries(count: 500) == 500)

        let metrics = try watch.stop()
        #expect(metrics.events("new") == 500)
    }

    @Test(arguments: ["2", "16"])
    func `whatever room the ring has at the end, all that was received and lost is told`(_ ring: String) throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace, "--interval", "1h", "--sample", "1h", "--ring", ring)
        #expect(try namespace.makeEntries(count: 500) == 500)

        let metrics = try watch.stop()
        let received = try #require(metrics.events("new"))
        #expect(try received + #require(metrics.lost("dropped")) == 500)
        #expect(metrics.sum("conntrack_new_by_protocol_total") == received)
    }

    @Test func `it ends by itself after --count and after --duration`() throws {
        let namespace = try TestNamespace()
        let counting = try Watch(in: namespace, "--count", "3")
        #expect(try counting.process.waitForExit() == .exited(0))
        #expect(counting.process.standardOutput.split(separator: "\n").count == 3)
        #expect(try counting.metrics()["conntrack_mon_up"] == 0)

        let timed = try Watch(in: namespace, "--duration", "200ms")
        #expect(try timed.process.waitForExit() == .exited(0))
        #expect(timed.process.standardError.contains("stopped: --duration is over"))
        #expect(try timed.metrics()["conntrack_mon_up"] == 0)
    }

    @Test func `killed while it writes, it leaves whole files`() throws {
        let namespace = try TestNamespace()
        for round in 1...5 {
            let watch = try Watch(
                in: namespace, "--interval", "1ms", "--sample", "1ms", "--textfile-interval", "1ms")
            try watch.waitForStatus("\(round) written intervals") { $0.up }
            watch.process.send(signal: SIGKILL)
            #expect(try watch.process.waitForExit() == .killed(SIGKILL))

            let text = try watch.metrics().text
            #expect(text.hasSuffix("\n"))
            #expect(text.contains("\nconntrack_mon_last_sample_timestamp_seconds "))
            #expect(try watch.metrics()["conntrack_mon_up"] == 1)
            #expect(try Status(watch.folder.read("status.json")).up)
        }
    }
}
