// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing

/// An alert fires, the monitor ends, and another begins.
/// Processes, since what one leaves on the disk is what the next begins with.
@Suite struct RestartedWatchTests {
    private let host: FakeHost
    private let state: String

    init() throws {
        host = try FakeHost(entries: "950")
        state = host.directory.path(of: "state")
    }

    /// Nothing but an alert has the state written before its end.
    private func watch(_ arguments: String...) throws -> RunningWatch {
        let places = ["--state", state, "--textfile", host.textfile, "--textfile-interval", "1h"]
        let holds = ["--warn-hold", "0s", "--crit-hold", "0s", "--clear-hold", "300ms"]
        return try RunningWatch(host: host, host.watchCommand(arguments: places + holds + arguments))
    }

    /// A watch whose alert fires and is kept.
    private func firing() throws -> RunningWatch {
        let watch = try watch()
        try watch.waitForLine(on: .stderr, containing: "CRITICAL usage_high")
        let isKept = eventually { (try? readFile(state))?.contains("\"name\":\"usage_high\"") == true }
        #expect(isKept)
        return watch
    }

    private func lines(of watch: RunningWatch) -> [String] {
        watch.standardError.split(separator: "\n").filter { $0.contains(" usage_high ") }.map(String.init)
    }

    @Test(arguments: [SIGTERM, SIGKILL])
    func `an alert that is over meanwhile ends in the next run`(_ signal: Int32) throws {
        let first = try firing()
        first.send(signal: signal)
        _ = try first.waitForExit()
        try host.overwrite(host.countFile, with: "20")
        let second = try watch()
        let line = try second.waitForLine(on: .stderr, containing: "RESOLVED usage_high")
        #expect(line.contains(": after at most "), "\(line)")
        #expect(line.hasSuffix(": 20 of 1000 entries (2.00%)"), "\(line)")
        #expect(try second.stop() == .exited(0))
        #expect(lines(of: second).count == 1, "\(second.standardError)")

        #expect(try !readFile(state).contains("usage_high"))
    }

    @Test(arguments: [SIGTERM, SIGKILL])
    func `one that goes on is not said again, and ends as one`(_ signal: Int32) throws {
        let first = try firing()
        first.send(signal: signal)
        _ = try first.waitForExit()
        let second = try watch()
        try second.waitForLine(containing: "alerts=usage_high:critical")
        try second.waitForLine(containing: "entries=950 ")
        try host.overwrite(host.countFile, with: "20")
        let line = try second.waitForLine(on: .stderr, containing: "RESOLVED usage_high")
        #expect(line.contains(": after ") && !line.contains("at most"), "\(line)")

        #expect(try second.stop() == .exited(0))
        #expect(lines(of: second).count == 1, "\(second.standardError)")
    }

    @Test func `after a reboot it is the same`() throws {
        try host.directory.write("one\n", to: "proc/sys/kernel/random/boot_id")
        #expect(try firing().stop() == .exited(0))
        try host.directory.write("two\n", to: "proc/sys/kernel/random/boot_id")
        try host.overwrite(host.countFile, with: "20")
        let second = try watch()

        try second.waitForLine(on: .stderr, containing: "RESOLVED usage_high")
    }

    @Test func `alerts of a later version do no harm`() throws {
        #expect(try firing().stop() == .exited(0))
        try writeFile(readFile(state).replacing("\"usage_high\"", with: "\"of_tomorrow\""), to: state)
        let second = try watch()

        try second.waitForLine(on: .stderr, containing: "CRITICAL usage_high")
        #expect(!second.standardError.contains("damaged"))
    }

    @Test func `a hold that begins between two intervals fires between them`() throws {
        try host.overwrite(host.countFile, with: "20")
        let watch = try RunningWatch(
            host: host,
            host.watchCommand(arguments: ["--interval", "1h", "--crit-hold", "50ms", "--run-dir", host.runDirectory]))
        let status = host.runDirectory + "/status.json"
        #expect(eventually { access(status, F_OK) == 0 })
        try host.overwrite(host.countFile, with: "990")
        let line = try watch.waitForLine(on: .stderr, containing: "CRITICAL usage_high")

        #expect(line.contains(": 990 of 1000 entries (99.0%, threshold 90.0%)"), "\(line)")
        #expect(eventually { (try? readFile(status))?.contains("\"name\":\"usage_high\"") == true })
        #expect(try watch.stop() == .exited(0))
    }
}
