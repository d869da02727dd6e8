// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing

/// Two watches that are told to write the same files.
/// Processes, since a lock goes with its process.
@Suite struct TwoWatchesTests {
    @Test func `the second writes nothing of the first's and says so, and takes over when the first is killed`() throws
    {
        let host = try FakeHost()
        let state = host.directory.path(of: "state")
        let arguments = [
            "--textfile", host.textfile, "--textfile-interval", "1ms", "--state", state, "--run-dir",
            host.runDirectory,
        ]
        let first = try RunningWatch(host: host, host.watchCommand(arguments: arguments))
        let paths = [host.textfile, state, host.runDirectory + "/status.json"]
        #expect(eventually { paths.allSatisfy { access($0, F_OK) == 0 } })
        let second = try RunningWatch(
            host: host, host.watchCommand(arguments: arguments + ["--format", "json", "--per-cpu"]))
        for (part, option) in [("state", "--state"), ("status.json", "--run-dir"), ("textfile", "--textfile")] {
            let line = try second.waitForLine(on: .stderr, containing: "WARNING monitor_degraded")
            #expect(line.contains(": \(part): "))
            #expect(
                line.contains(
                    " is written by another process that is still running (pid \(first.process), as /proc/locks says): stop"
                        + " one of the two, or give this one another \(option)"))
        }
        // What is written is of one process: its CPU time never goes back.
        var times: [Double] = []
        for _ in 0..<200 {
            times.append(try cpuSeconds(host.textfile))
            poll(nil, 0, 1)
        }
        #expect(times == times.sorted())
        #expect(!first.standardError.contains("monitor_degraded"))

        first.send(signal: SIGKILL)
        #expect(try first.waitForExit() == .killed(SIGKILL))
        for _ in 0..<3 { try second.waitForLine(on: .stderr, containing: "RESOLVED monitor_degraded") }
        #expect(try second.stop() == .exited(0))
        #expect(try readFile(host.textfile).contains("\nconntrack_mon_up 0\n"))
    }

    @Test(.enabled(if: Requirement.met(.initialRoot, .program("setpriv"), .program("flock"))))
    func `somebody who can only read a file keeps nobody from writing it`() throws {
        let host = try FakeHost()
        let textfile = try host.directory.write("left\n", to: "conntrack.prom")
        chmod(host.directory.path, 0o755)
        let reader = try Command(
            "setpriv", "--reuid", "65534", "--clear-groups", "flock", textfile, "sh", "-c", "echo locked; exec sleep 60"
        ).start()
        try reader.waitForLine(containing: "locked")
        let outcome = try host.runWatch("--textfile", textfile, "--count", "3")

        #expect(outcome.status == .exited(0))
        #expect(!outcome.standardError.contains("monitor_degraded"), "\(outcome)")
        #expect(try readFile(textfile).contains("\nconntrack_mon_up 0\n"))
    }

    private func cpuSeconds(_ path: String) throws -> Double {
        let name = "conntrack_mon_process_cpu_seconds_total "
        let line = try readFile(path).split(separator: "\n").first { $0.hasPrefix(name) }
        return try #require(line.flatMap { Double($0.dropFirst(name.count)) })
    }

    @Test func `a watch that nobody told where to leave its status leaves the running one's alone`() throws {
        let host = try FakeHost()
        let folder = host.directory.path(of: "run/conntrack-mon")
        try #require(mkdir(folder, 0o755) == 0)
        let first = try host.watch()
        #expect(eventually { access(folder + "/status.json", F_OK) == 0 })
        let second = try host.watch("--count", "5")
        let line = try second.waitForLine(on: .stderr, containing: "status.json")

        #expect(line.contains(" INFO monitor "))
        #expect(
            line.hasSuffix(
                "\(folder)/status.json is written by another process that is still running (pid \(first.process), as"
                    + " /proc/locks says): this one leaves it alone (--run-dir gives it a folder of its own)"))
        #expect(try second.waitForExit() == .exited(0))
        #expect(!second.standardError.contains("monitor_degraded"))
        #expect(try first.stop() == .exited(0))
    }
}
