// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit
internal import Testing

/// What is left without any privilege: everything that /proc gives.
/// A process, since another user runs it.
@Suite(.enabled(if: Requirement.met(.networkNamespace, .initialRoot, .program("setpriv"))))
struct UnprivilegedTests {
    private let folder: TemporaryDirectory
    private let binary: String

    /// A folder that user 65534 may write to, with a copy of the binary there: the build's may lie where only its
    /// owner comes.
    init() throws {
        folder = try TemporaryDirectory()
        binary = folder.path(of: "conntrack-mon")
        let copy = try Command("cp", Repository.builtBinary(), binary).run()
        guard copy.status == .exited(0), chmod(folder.path, 0o777) == 0, chmod(binary, 0o755) == 0 else {
            throw TestKitError("no copy of the binary: \(copy)")
        }
    }

    private func command(_ arguments: String...) -> Command {
        let nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups", binary]
        return Command("setpriv", arguments: nobody + arguments)
    }

    private func watch(_ namespace: TestNamespace, _ source: String) throws -> RunningCommand {
        try command(
            "watch", "--format", "json", "--interval", "50ms", "--sample", "10ms", "--run-dir", folder.path,
            "--textfile", folder.path(of: "conntrack.prom"), "--textfile-interval", "50ms", "--source", source,
            "--warn", "0.1%", "--warn-hold", "0s"
        ).start(in: namespace)
    }

    /// Empty before it is first written.
    private func textfile() throws -> Metrics {
        try Metrics(access(folder.path(of: "conntrack.prom"), F_OK) == 0 ? folder.read("conntrack.prom") : "")
    }

    @Test func `entries, limit, statistics, alerts and textfile need no privilege`() throws {
        let namespace = try TestNamespace()
        let watch = try watch(namespace, "auto")
        let said = try watch.waitForLine(on: .stderr, containing: "no events: ")
        #expect(said.contains(" INFO "))
        #expect(said.contains("events need CAP_NET_ADMIN: setcap cap_net_admin+ep conntrack-mon"))
        #expect(said.hasSuffix("table samples, statistics and alerts go on"))
        #expect(try readFile("/proc/\(watch.process)/status").contains("\nCapEff:\t0000000000000000\n"))

        #expect(try namespace.makeEntries(count: 3000) == 3000)
        let alert = try watch.waitForLine(on: .stderr, containing: "usage_high")
        #expect(alert.contains(" WARNING "))
        let line = try watch.waitForLine("with 3000 entries") { (try? Status($0))?.entries == 3000 }
        let status = try Status(line)
        #expect(status.limit != nil)
        #expect(status.stats?["drop"] != nil)
        #expect(status.events == nil)
        #expect(status.level(of: "monitor_degraded") == nil)
        #expect(try eventually { try textfile()["conntrack_entries"] == 3000 })
        let metrics = try textfile()
        #expect(metrics["conntrack_entries_limit"] != nil)
        #expect(metrics.statistic("drop") != nil)
        #expect(metrics.fires("usage_high", "warning") == true)
        #expect(metrics.sum("conntrack_events_total") == nil)

        watch.send(signal: SIGTERM)
        #expect(try watch.waitForExit() == .exited(0))
        #expect(try textfile()["conntrack_mon_up"] == 0)
    }

    @Test func `events asked for by name and not to be had are a fault`() throws {
        let watch = try watch(TestNamespace(), "netlink")
        let said = try watch.waitForLine(on: .stderr, containing: "monitor_degraded")
        #expect(said.contains(" WARNING "))
        #expect(said.contains("events: "))
        #expect(said.contains("events need CAP_NET_ADMIN: setcap cap_net_admin+ep conntrack-mon"))
        #expect(try eventually { try textfile().fires("monitor_degraded", "warning") == true })
        #expect(try textfile()["conntrack_entries"] == 0)

        watch.send(signal: SIGTERM)
        #expect(try watch.waitForExit() == .exited(0))
    }

    @Test func `check and status need no privilege`() throws {
        let namespace = try TestNamespace()
        #expect(try namespace.makeEntries(count: 42) == 42)
        let check = try command("check", "--run-dir", folder.path).run(in: namespace)
        let status = try command("status", "--json", "--run-dir", folder.path).run(in: namespace)

        #expect(check.status == .exited(0))
        #expect(check.standardOutput.hasPrefix("CONNTRACK OK - 42 of "), "\(check)")
        #expect(status.status == .exited(0))
        #expect(try Status(status.standardOutput).entries == 42)
        #expect(try Status(status.standardOutput).stats?["found"] != nil)
    }
}
