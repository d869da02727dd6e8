// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit
internal import Testing

@Suite struct CommandTests {
    @Test func `a run gives the status, both streams, and what was put in`() throws {
        let script = "cat; echo \"$COLOUR-$HOME\"; echo complaint >&2; exit 3"
        let result = try Command(
            "sh", "-c", script, environment: ["COLOUR": "red", "HOME": nil], input: "in\n"
        ).run()

        #expect(result.status == .exited(3))
        #expect(result.standardOutput == "in\nred-\n")
        #expect(result.standardError == "complaint\n")
    }

    @Test func `more output than a pipe holds arrives whole`() throws {
        let result = try Command("head", "-c", "3000000", "/dev/zero").run()

        #expect(result.status == .exited(0))
        #expect(result.standardOutput.utf8.count == 3_000_000)
    }

    @Test func `a program that is not there is an error, and so is one that does not end`() {
        #expect(throws: SystemError("start /nonexistent", code: ENOENT)) { try Command("/nonexistent").run() }
        #expect(throws: TestKitError.self) { try Command("sleep", "100").run(within: .milliseconds(50)) }
    }

    @Test func `lines are waited for, stream by stream, and not returned twice`() throws {
        let running = try Command("sh", "-c", "echo a; echo b >&2; read line; echo c; printf d; cat").start()

        #expect(try running.waitForLine(on: .stderr, containing: "b") == "b")
        #expect(try running.waitForLine(containing: "a") == "a")
        #expect(try running.waitForLine(containing: "c") == "c")
        // A line that has no end is one when the stream has ended.
        #expect(try running.waitForLine { $0 == "d" } == "d")
        #expect(throws: TestKitError.self) { try running.waitForLine(containing: "d") }
        #expect(try running.waitForExit() == .exited(0))
        #expect(running.standardOutput == "a\nc\nd")
    }

    @Test func `a signal ends a program, and its end is seen`() throws {
        let running = try Command("sleep", "100").start()
        #expect(try running.waitForExit(within: .milliseconds(1)) == nil)
        running.send(signal: SIGTERM)

        #expect(try running.waitForExit() == .killed(SIGTERM))
    }

    @Test func `a program that nobody holds is killed and reaped`() throws {
        let process = try Command("sleep", "100").start().process

        #expect(kill(process, 0) == -1)
        #expect(errno == ESRCH)
    }
}
