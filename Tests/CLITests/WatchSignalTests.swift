// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing

/// Signals, and the files that a running and a stopped `watch` leave.
/// Processes, since a signal meets a whole process.
@Suite struct WatchSignalTests {
    @Test(arguments: [SIGTERM, SIGINT])
    func `it ends in order, and its textfile says so`(_ signal: Int32) throws {
        let host = try FakeHost()
        let watch = try host.watch("--textfile", host.textfile)
        try watch.waitForLine(containing: "limit=1000")
        let isUp = eventually { (try? readFile(host.textfile))?.contains("\nconntrack_mon_up 1\n") == true }
        try #require(isUp)
        #expect(try readFile(host.textfile).contains("\nconntrack_entries 100\n"))
        watch.send(signal: signal)

        #expect(try watch.waitForExit() == .exited(0))
        let last = try readFile(host.textfile)
        #expect(last.contains("\nconntrack_mon_up 0\n"))
        #expect(last.contains("\nconntrack_limit_drops_total{cause=\"sysctl_write\"} 0\n"))
        #expect(!last.contains("conntrack_entries"))
        #expect(!last.contains("conntrack_alert_firing"))
        #expect(watch.standardError.contains("stopped: \(signal == SIGINT ? "SIGINT" : "SIGTERM")"))
    }

    @Test func `an alert is in the textfile at once, not when it is due`() throws {
        let host = try FakeHost()
        let watch = try host.watch("--textfile", host.textfile, "--textfile-interval", "1h")
        try watch.waitForLine(containing: "limit=1000")
        try host.overwrite(host.limitFile, with: "500")
        let isFiring = eventually {
            (try? readFile(host.textfile))?
                .contains("\nconntrack_alert_firing{alert=\"limit_dropped\",level=\"critical\"} 1\n") == true
        }

        #expect(isFiring)
        #expect(try watch.stop() == .exited(0))
    }

    @Test func `SIGHUP makes the live limit the accepted one`() throws {
        let host = try FakeHost()
        let watch = try host.watch()
        try watch.waitForLine(containing: "limit=1000")
        try host.overwrite(host.limitFile, with: "500")
        try watch.waitForLine(on: .stderr, containing: "CRITICAL limit_dropped")
        watch.send(signal: SIGHUP)
        let line = try watch.waitForLine(on: .stderr, containing: "RESOLVED limit_dropped")

        #expect(line.contains("500 is accepted as the normal limit now"))
        #expect(try watch.stop() == .exited(0))
    }

    @Test func `SIGUSR1 writes the status to stderr`() throws {
        let watch = try FakeHost().watch("--format", "none")
        try watch.waitForLine(on: .stderr, containing: "conntrack-mon")
        watch.send(signal: SIGUSR1)
        try watch.waitForLine(on: .stderr, containing: "entries=100 limit=1000")

        #expect(try watch.stop() == .exited(0))
    }

    @Test func `status json is there for everybody while it runs, and says when it stopped`() throws {
        let host = try FakeHost()
        let watch = try host.watch("--run-dir", host.runDirectory)
        try watch.waitForLine(containing: "limit=1000")
        let path = host.runDirectory + "/status.json"
        let isUp = eventually { (try? readFile(path))?.contains("\"up\":true") == true }
        #expect(isUp)
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o644)

        #expect(try watch.stop() == .exited(0))
        #expect(try readFile(path).contains("\"up\":false"))
    }

    @Test func `a textfile that cannot be replaced any more is said, and when it can be again`() throws {
        let host = try FakeHost()
        try host.directory.write("", to: "out/keep")
        let folder = host.directory.path(of: "out")
        let watch = try host.watch("--textfile", folder + "/a.prom", "--textfile-interval", "20ms")
        try watch.waitForLine(containing: "limit=1000")
        #expect(rename(folder, folder + ".away") == 0)
        let line = try watch.waitForLine(on: .stderr, containing: "WARNING monitor_degraded")
        // Whatever it was about when the folder went: making the new file, or putting it in the old one's place.
        #expect(
            ["textfile: cannot create \(folder)/.a.prom.", "textfile: cannot replace \(folder)/a.prom"]
                .contains(where: line.contains), "\(line)")
        #expect(rename(folder + ".away", folder) == 0)
        try watch.waitForLine(on: .stderr, containing: "RESOLVED monitor_degraded")

        #expect(try watch.stop() == .exited(0))
    }
}
