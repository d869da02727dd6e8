// SPDX-License-Identifier: GPL-3.0-or-later

import FoundationEssentials
import Glibc
import TestKit
import Testing

/// Whoever reads what `watch` writes may go away, stand still or fail: it goes on.
/// Processes, since pipes that break or fill, SIGPIPE and inherited descriptors are between processes.
@Suite struct WatchSinkTests {
    /// `command`, run by `script`, in which it is "$@".
    private func shell(_ script: String, _ command: Command) -> Command {
        Command(
            "sh", arguments: ["-c", script, "sh", command.program] + command.arguments,
            environment: command.environment)
    }

    @Test func `a reader of stdout that goes away stops nothing`() throws {
        let host = try FakeHost()
        // The shell reads one line and is gone; "$@" goes on alone.
        let script = "\"$@\" | { read -r line; echo \"$line\"; }"
        let watch = try RunningWatch(
            host: host, shell(script, host.watchCommand(arguments: ["--textfile", host.textfile])))
        let line = try watch.waitForLine(on: .stderr, containing: "WARNING monitor_degraded")
        #expect(line.contains("stdout: cannot be written to: whoever read it went away"))
        try host.overwrite(host.limitFile, with: "500")
        try watch.waitForLine(on: .stderr, containing: "CRITICAL limit_dropped")
        let isFiring = eventually {
            (try? readFile(host.textfile))?
                .contains("\nconntrack_alert_firing{alert=\"limit_dropped\",level=\"critical\"} 1\n") == true
        }
        #expect(isFiring)

        // The shell waits for its pipeline; its child is what is to be stopped.
        let child = try #require(
            pid_t(readFile("/proc/\(watch.process)/task/\(watch.process)/children").prefix { $0 != " " }))
        kill(child, SIGTERM)
        try watch.waitForLine(on: .stderr, containing: "stopped: SIGTERM")
        #expect(try watch.waitForExit() != nil)
    }

    @Test func `a reader of stdout that stands still stops nothing`() throws {
        let host = try FakeHost()
        let fifo = host.directory.path(of: "fifo")
        #expect(mkfifo(fifo, 0o600) == 0)
        let held = open(fifo, O_RDWR | O_CLOEXEC)
        defer { close(held) }
        let arguments = ["--format", "json", "--sample", "1ms", "--interval", "1ms"]
        let watch = try RunningWatch(
            host: host, shell("exec \"$@\" > '\(fifo)'", host.watchCommand(arguments: arguments)))
        let line = try watch.waitForLine(on: .stderr, containing: "WARNING monitor_degraded", within: .seconds(30))
        #expect(line.contains("stdout: whoever reads it does not"))
        try host.overwrite(host.limitFile, with: "500")
        try watch.waitForLine(on: .stderr, containing: "CRITICAL limit_dropped")

        #expect(try watch.stop() == .exited(0))
    }

    // MARK: The hook

    private func hook(_ host: FakeHost, _ script: String) throws -> String {
        let path = try host.directory.write("#!/bin/sh\ncd '\(host.directory.path)' || exit 9\n\(script)\n", to: "hook")
        chmod(path, 0o755)
        return path
    }

    @Test func `the hook is run once for each announcement, with its JSON`() throws {
        struct Alert: Decodable {
            var name: String
            var state: String
        }
        let host = try FakeHost()
        let watch = try host.watch("--on-alert", hook(host, "cat >> got; echo run >> runs"))
        try watch.waitForLine(containing: "limit=1000")
        try host.overwrite(host.limitFile, with: "500")
        try watch.waitForLine(on: .stderr, containing: "CRITICAL limit_dropped")
        try host.overwrite(host.limitFile, with: "1000")
        try watch.waitForLine(on: .stderr, containing: "RESOLVED limit_dropped")
        let ran = eventually { (try? host.directory.read("runs")) == "run\nrun\n" }
        #expect(ran)
        let alerts = try host.directory.read("got").split(separator: "\n")
            .map { try JSONDecoder().decode(Alert.self, from: Data($0.utf8)) }

        #expect(alerts.map(\.name) == ["limit_dropped", "limit_dropped"])
        #expect(alerts.map(\.state) == ["firing", "resolved"])
        #expect(try watch.stop() == .exited(0))
    }

    @Test func `a hook that fails is reported and stops nothing`() throws {
        let host = try FakeHost()
        let watch = try host.watch("--on-alert", hook(host, "exit 3"))
        try watch.waitForLine(containing: "limit=1000")
        try host.overwrite(host.limitFile, with: "500")
        let line = try watch.waitForLine(on: .stderr, containing: "WARNING monitor_degraded")
        #expect(line.contains("on-alert: "))
        #expect(line.contains("ended with status 3"))
        try host.overwrite(host.limitFile, with: "1000")
        try watch.waitForLine(on: .stderr, containing: "RESOLVED limit_dropped")

        #expect(try watch.stop() == .exited(0))
    }

    @Test func `while a hook hangs that is said, sampling and alerts go on, and the end leaves it behind`() throws {
        let host = try FakeHost()
        // Ends by itself when the test's folder is gone.
        let script = "echo > started; while [ -e started ]; do sleep 0.05; done"
        let watch = try host.watch("--on-alert", hook(host, script))
        try watch.waitForLine(containing: "limit=1000")
        try host.overwrite(host.limitFile, with: "500")
        let hangs = eventually { (try? host.directory.read("started")) != nil }
        try #require(hangs)
        try host.overwrite(host.countFile, with: "200")
        try watch.waitForLine(containing: "entries=200 limit=500")
        let line = try watch.waitForLine(on: .stderr, containing: "WARNING monitor_degraded")
        #expect(
            line.contains(
                "on-alert: running \(host.directory.path(of: "hook")) has hung for 5s; alert lines and files go on"))
        // Sooner than it would be killed.
        try host.overwrite(host.limitFile, with: "1000")
        try watch.waitForLine(on: .stderr, containing: "RESOLVED limit_dropped")
        // The run ends, and the next one, which was waiting, hangs in its turn.
        #expect(unlink(host.directory.path(of: "started")) == 0)
        try watch.waitForLine(on: .stderr, containing: "RESOLVED monitor_degraded")

        #expect(try watch.stop() == .exited(0))
    }

    @Test func `what a hook prints comes on stderr, and of too much 64 KiB`() throws {
        let host = try FakeHost()
        let script = "echo printed; echo complained >&2; yes | head -n 200000; echo > done"
        let watch = try host.watch("--on-alert", hook(host, script))
        try watch.waitForLine(containing: "limit=1000")
        try host.overwrite(host.limitFile, with: "500")
        try watch.waitForLine(on: .stderr, containing: "printed")
        try watch.waitForLine(on: .stderr, containing: "complained")
        try watch.waitForLine(on: .stderr, containing: "(output cut at 64 KiB)")
        let isDone = eventually { (try? host.directory.read("done")) != nil }
        #expect(isDone)
        try host.overwrite(host.limitFile, with: "1000")
        try watch.waitForLine(on: .stderr, containing: "RESOLVED limit_dropped")
        #expect(watch.standardError.utf8.count < 2 * 65_536)

        #expect(try watch.stop() == .exited(0))
    }
}
