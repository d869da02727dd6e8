// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing

@testable import ConntrackMon

/// The program of --on-alert; the test's own clock says how long it has run.
/// Processes, since the hook is one: its exit status, its signals and what it started are what is tested.
@Suite(.enabled(if: Requirement.met(.process))) struct HookTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func program(_ script: String) throws -> String {
        let path = try directory.write("#!/bin/sh\ncd '\(directory.path)'\n\(script)\n", to: "hook")
        chmod(path, 0o755)
        return path
    }

    private func now(_ seconds: Double) -> MonotonicTime { Moment.at(seconds).monotonic }

    /// Steps, at a standing clock, until nothing runs and nothing waits.
    private func finish(_ hook: inout Hook) throws {
        let deadline = Deadline(.seconds(20))
        while hook.isBusy && !deadline.passed {
            hook.step(now: now(0))
            poll(nil, 0, 1)
        }
        let isBusy = hook.isBusy
        try #require(!isBusy)
    }

    @Test func `it is run once for each announcement, in order, with its JSON as a line`() throws {
        var hook = Hook(program: try program("cat >> got"))
        for number in 0..<5 { hook.take("{\"n\":\(number)}", key: "a") }
        try finish(&hook)
        let degradation = hook.degradation

        #expect(degradation == nil)
        #expect(try directory.read("got") == (0..<5).map { "{\"n\":\($0)}\n" }.joined())
    }

    @Test(arguments: [("exit 3", "status 3"), ("kill -9 $$", "signal 9")])
    func `a program that fails is reported, and no longer when it works`(_ script: String, _ how: String) throws {
        let path = try program("read -r line; case $line in bad) \(script);; esac")
        var hook = Hook(program: path)
        hook.take("bad", key: "a")
        try finish(&hook)
        let failing = hook.degradation
        #expect(failing == Degradation(part: "on-alert", reason: "\(path) ended with \(how)"))
        hook.take("good", key: "a")
        try finish(&hook)
        let working = hook.degradation

        #expect(working == nil)
    }

    @Test func `a program that is not there is reported`() {
        var hook = Hook(program: "/nonexistent/hook")
        hook.take("x", key: "a")
        hook.step(now: now(0))
        let degradation = hook.degradation

        #expect(degradation?.reason == "cannot run /nonexistent/hook: No such file or directory")
    }

    @Test func `a program that hangs is killed after ten seconds, with all that it started`() throws {
        let path = try program("sleep 1000 & echo $! > child; wait")
        var hook = Hook(program: path)
        hook.take("x", key: "a")
        hook.step(now: now(0))
        let started = eventually { (try? directory.read("child"))?.hasSuffix("\n") == true }
        try #require(started)
        let child = try #require(pid_t(directory.read("child").dropLast()))
        // Whatever comes of this test, nothing of it stays.
        defer { kill(child, SIGKILL) }
        hook.step(now: now(9.9))
        let early = (hook.isBusy, hook.degradation)
        #expect(early.0)
        #expect(early.1 == nil)
        hook.step(now: now(10))
        let late = (hook.isBusy, hook.degradation)

        #expect(!late.0)
        #expect(late.1?.reason == "\(path) took longer than 10s and was killed")
        #expect(eventually { kill(child, 0) != 0 || HookTests.isZombie(child) })
    }

    private static func isZombie(_ process: pid_t) -> Bool {
        guard let text = try? readFile("/proc/\(process)/stat") else { return true }
        return text.split(separator: ") ").last?.hasPrefix("Z") == true
    }

    @Test func `of too many the older one about the same alert gives way, and that is said until it caught up`() throws
    {
        var hook = Hook(program: try program("cat >> got"))
        for number in 0..<31 { hook.take("a\(number)", key: "a\(number)") }
        hook.take("b old", key: "b")
        hook.take("b new", key: "b")
        hook.take("c", key: "c")
        hook.step(now: now(0))
        let skipping = hook.degradation
        #expect(skipping?.reason == "2 announcements skipped: too many at once")
        try finish(&hook)
        let after = hook.degradation

        #expect(after == nil)
        #expect(
            try directory.read("got") == ((1..<31).map { "a\($0)" } + ["b new", "c"]).map { $0 + "\n" }.joined())
    }

    @Test func `what it prints goes to stderr, and it may be killed by signals the monitor blocks`() throws {
        var hook = Hook(program: try program("grep SigBlk /proc/self/status > got"))
        hook.take("x", key: "a")
        try finish(&hook)

        #expect(try directory.read("got") == "SigBlk:\t0000000000000000\n")
    }
}
