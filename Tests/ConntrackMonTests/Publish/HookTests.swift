// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import Synchronization
import TestKit
import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// The program of --on-alert; the test's own clock says how long it has run.
/// Processes, since the hook is one: its exit status, its signals and what it started are what is tested.
@Suite(.enabled(if: Requirement.met(.process))) struct HookTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        // EPIPE as an errno, as in the monitor.
        signal(SIGPIPE, SIG_IGN)
    }

    private func program(_ script: String) throws -> String {
        let path = try directory.write("#!/bin/sh\ncd '\(directory.path)'\n\(script)\n", to: "hook")
        chmod(path, 0o755)
        return path
    }

    private func now(_ seconds: Double) -> MonotonicTime { Moment.at(seconds).monotonic }

    /// Steps, at a standing clock, until nothing runs. What was printed.
    @discardableResult
    private func finish(_ hook: inout Hook, at seconds: Double = 0) throws -> [String] {
        let deadline = Deadline(.seconds(20))
        var printed: [String] = []
        while hook.phase != .idle && !deadline.passed {
            hook.wait(bell: -1)
            hook.step(now: now(seconds)) { printed.append($0) }
        }
        let phase = hook.phase
        try #require(phase == .idle)
        return printed
    }

    /// One run, to its end.
    @discardableResult
    private func run(_ hook: inout Hook, _ json: String) throws -> [String] {
        let isStarted = hook.start(json, now: now(0))
        try #require(isStarted)
        return try finish(&hook)
    }

    @Test func `it is run once for each announcement, with its JSON as a line`() throws {
        var hook = Hook(program: try program("cat >> got"))
        for number in 0..<5 { try run(&hook, "{\"n\":\(number)}") }
        let failure = hook.failure

        #expect(failure == nil)
        #expect(try directory.read("got") == (0..<5).map { "{\"n\":\($0)}\n" }.joined())
    }

    @Test func `JSON that is longer than a pipe holds arrives whole`() throws {
        var hook = Hook(program: try program("sleep 0.1; cat > got"))
        let long = String(repeating: "x", count: 300_000)
        try run(&hook, long)

        #expect(try directory.read("got") == long + "\n")
    }

    @Test func `a program that reads none of it is run all the same`() throws {
        var hook = Hook(program: try program("exec <&-; echo ran > got; sleep 0.1"))
        try run(&hook, String(repeating: "x", count: 300_000))
        let failure = hook.failure

        #expect(failure == nil)
        #expect(try directory.read("got") == "ran\n")
    }

    @Test(arguments: [("exit 3", "status 3"), ("kill -9 $$", "signal 9")])
    func `a program that fails is reported, and no longer when it works`(_ script: String, _ how: String) throws {
        let path = try program("read -r line; case $line in bad) \(script);; esac")
        var hook = Hook(program: path)
        try run(&hook, "bad")
        let failing = hook.failure
        #expect(failing == "\(path) ended with \(how)")
        try run(&hook, "good")
        let working = hook.failure

        #expect(working == nil)
    }

    @Test func `a program that is not there is reported`() {
        var hook = Hook(program: "/nonexistent/hook")
        let isStarted = hook.start("x", now: now(0))
        let (phase, failure) = (hook.phase, hook.failure)

        #expect(!isStarted)
        #expect(phase == .idle)
        #expect(failure == "cannot run /nonexistent/hook: No such file or directory")
    }

    @Test func `a program that hangs is killed after ten seconds, with all that it started`() throws {
        let path = try program("sleep 1000 & echo $! > child; wait")
        var hook = Hook(program: path)
        _ = hook.start("x", now: now(0))
        let started = eventually { (try? directory.read("child"))?.hasSuffix("\n") == true }
        try #require(started)
        let child = try #require(pid_t(directory.read("child").dropLast()))
        // Whatever comes of this test, nothing of it stays.
        defer { kill(child, SIGKILL) }
        hook.step(now: now(9.9)) { _ in }
        let early = (hook.phase, hook.failure)
        #expect(early.0 == .running)
        #expect(early.1 == nil)
        hook.step(now: now(10)) { _ in }
        try finish(&hook, at: 10)
        let late = hook.failure

        #expect(late == "\(path) took longer than 10s and was killed")
        #expect(eventually { kill(child, 0) != 0 || HookTests.isZombie(child) })
    }

    private static func isZombie(_ process: pid_t) -> Bool {
        guard let text = try? readFile("/proc/\(process)/stat") else { return true }
        return text.split(separator: ") ").last?.hasPrefix("Z") == true
    }

    @Test func `one that the kernel keeps after it was killed is waited for without stopping anybody`() throws {
        // As in uninterruptible sleep: it is not reaped before the kernel lets go.
        final class Kernel: Sendable {
            let keepsIt = Atomic<Bool>(true)
        }
        let kernel = Kernel()
        let path = try program("sleep 1000")
        var hook = Hook(program: path) { process in
            kernel.keepsIt.load(ordering: .relaxed) ? nil : HookProcess.reap(process)
        }
        _ = hook.start("x", now: now(0))
        hook.step(now: now(10)) { _ in }
        let killed = (hook.phase, hook.failure)
        hook.step(now: now(1000)) { _ in }
        let kept = hook.phase
        kernel.keepsIt.store(false, ordering: .relaxed)
        try finish(&hook, at: 1001)
        let after = hook.failure

        #expect(killed.0 == .dying)
        #expect(killed.1 == "\(path) took longer than 10s and was killed")
        #expect(kept == .dying)
        #expect(after == killed.1)
    }

    @Test func `it may be killed by signals the monitor blocks`() throws {
        var hook = Hook(program: try program("grep SigBlk /proc/self/status > got"))
        try run(&hook, "x")

        #expect(try directory.read("got") == "SigBlk:\t0000000000000000\n")
    }

    // MARK: What it prints

    @Test func `what it prints on either stream comes in whole lines, the last one even without its end`() throws {
        var hook = Hook(program: try program("printf 'one\\ntw'; printf 'o\\nthree\\nfo' >&2; printf ur"))
        let printed = try run(&hook, "x")

        #expect(printed.joined(separator: "\n") == "one\ntwo\nthree\nfour")
    }

    @Test func `of what it prints 64 KiB are passed on and the rest is read, which is said once`() throws {
        let script = "i=0; while [ $i -lt 400 ]; do printf '%01023d\\n' $i; i=$((i + 1)); done; echo done > got"
        var hook = Hook(program: try program(script))
        let lines = try run(&hook, "x").joined(separator: "\n").split(separator: "\n")

        #expect(lines.count == 65)
        #expect(lines.dropLast().enumerated().allSatisfy { Int($0.element) == $0.offset && $0.element.count == 1023 })
        #expect(lines.last == "(output cut at 64 KiB)")
        #expect(try directory.read("got") == "done\n")
        // The next run has its own 64 KiB.
        #expect(try run(&hook, "x").joined(separator: "\n").utf8.count > 60_000)
    }

    @Test func `output is cut at the byte, and a line without an end does not grow for ever`() {
        var output = HookOutput()
        #expect(output.take(Array("a\n\nb".utf8)) == "a\n")
        #expect(
            output.take(Array(repeating: UInt8(ascii: "x"), count: 8191)) == "b" + String(repeating: "x", count: 8191))
        #expect(output.take(Array("\n".utf8)) == "")
        #expect(output.take([]) == nil)
        #expect(output.end() == nil)
        let room = HookOutput.bound - 8196
        #expect(output.take(Array(repeating: UInt8(ascii: "y"), count: room))?.utf8.count == room)
        #expect(output.take(Array("z".utf8)) == "(output cut at 64 KiB)")
        #expect(output.take(Array("z\n".utf8)) == nil)
        #expect(output.end() == nil)
    }
}
