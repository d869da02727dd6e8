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

/// Sinks with threads of their own, hammered from others. Also run under ThreadSanitizer.
@Suite struct SinkThreadTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        // EPIPE as an errno, as in the monitor.
        signal(SIGPIPE, SIG_IGN)
    }

    private func said(_ number: Int, _ name: String = "test", _ state: Announcement.State = .notice) -> Announcement {
        Announcement(time: Moment.at(0).wall, name: name, state: state, summary: "\(number)")
    }

    private static func report(_ number: UInt64) -> Report {
        Report(identity: Reports.identity, sample: .at(0, entries: number))
    }

    /// Much later than a sink's patience.
    private var later: MonotonicTime { Moment.now().monotonic + .seconds(60) }

    private func program(_ script: String) throws -> String {
        let path = try directory.write("#!/bin/sh\ncd '\(directory.path)'\n\(script)\n", to: "hook")
        chmod(path, 0o755)
        return path
    }

    // MARK: The mailbox

    @Test(arguments: [1, 16, 4096])
    func `what two threads put is taken by a third or counted, each once and in its order`(_ capacity: Int) throws {
        let mailbox = try Mailbox<(sender: Int, number: Int)>(capacity: capacity, givingWay: .oldest)
        let each = 20_000
        let senders = try Senders(2) { sender in
            for number in 0..<each { mailbox.put((sender, number)) }
        }
        let closer = try Thread(name: "closer") {
            senders.wait()
            mailbox.close()
        }
        var taken = 0
        var next = [0, 0]
        var isInOrder = true
        while !mailbox.isFinished {
            mailbox.wait()
            mailbox.silence()
            while let item = mailbox.takeFirst() {
                isInOrder = isInOrder && item.number >= next[item.sender]
                next[item.sender] = item.number + 1
                taken += 1
            }
        }
        let ended = closer.join(within: .seconds(20))

        #expect(ended)
        #expect(isInOrder)
        #expect(taken + Int(mailbox.lost) == 2 * each)
        // Nothing comes after what came last, so that gave way to nothing.
        #expect(next.max() == each)
    }

    // MARK: Lines

    @Test func `every announcement is written, or counted as lost`() throws {
        let path = try directory.write("", to: "errors")
        let errors = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        defer { close(errors) }
        let lines = try LineWriter(
            plan: LineWriter.Plan(
                identity: Reports.identity, format: .lines, alertFormat: .text, journal: false, output: errors,
                errors: errors))
        let thread = try Thread(name: "lines") { lines.run() }
        let senders = try Senders(2) { sender in
            for number in 0..<5000 {
                lines.announcements.put(said(number))
                if number % 100 == 0 { _ = (lines.lost, lines.degraded, lines.heartbeat.stuck(now: later)) }
            }
        }
        senders.wait()
        lines.close()
        let ended = thread.join(within: .seconds(20))

        #expect(ended)
        #expect(try readFile(path).split(separator: "\n").count + Int(lines.lost) == 10_000)
        #expect(lines.degraded == [])
    }

    // MARK: Files

    @Test
    func `a file whose writing hangs is said while it hangs, with what waits for it, and then the newest is written`()
        throws
    {
        let fifo = directory.path(of: "fifo")
        try #require(mkfifo(fifo, 0o600) == 0)
        let written = Mutex<[String]>([])
        let files = try FileWriter(paths: [.textfile: "/x.prom", .state: "/s", .status: "/r/status.json"]) {
            path, text in
            // Opening it waits in the kernel for whoever reads it.
            if path == "/x.prom" { close(open(fifo, O_WRONLY | O_CLOEXEC)) }
            written.withLock { $0.append(path + text) }
        }
        let thread = try Thread(name: "files") { files.run() }
        files.write(.textfile) { "1" }
        let hangs = eventually { files.heartbeat.stuck(now: later) != nil }
        #expect(hangs)
        for text in ["2", "3"] {
            files.write(.textfile) { text }
            files.write(.state) { text }
        }
        let hung = files.heartbeat.stuck(now: later)
        #expect(hung?.part == "textfile")
        #expect(hung?.reason.hasPrefix("writing /x.prom has hung for ") == true)
        #expect(hung?.remains == "status.json and state wait for it, alerts and status lines go on")
        let early = files.heartbeat.stuck(now: Moment.now().monotonic)
        #expect(early == nil)
        #expect(written.withLock { $0 } == [])

        let reader = open(fifo, O_RDONLY | O_CLOEXEC)
        defer { close(reader) }
        let isWritten = eventually { written.withLock { $0.count } == 3 }
        files.close()
        let ended = thread.join(within: .seconds(20))

        #expect(isWritten)
        #expect(ended)
        #expect(written.withLock { $0 } == ["/x.prom1", "/x.prom3", "/s3"])
        #expect(files.heartbeat.stuck(now: later) == nil)
        #expect(files.lost == 0)
    }

    @Test func `a file that cannot be written is said until it can`() throws {
        let isBroken = Flag(true)
        let files = try FileWriter(paths: [.textfile: "/x.prom"]) { path, _ throws(ConntrackModel.SystemError) in
            if isBroken.value { throw ConntrackModel.SystemError("write", path, ENOSPC) }
        }
        let thread = try Thread(name: "files") { files.run() }
        files.write(.textfile) { "1" }
        #expect(eventually { files.degraded.map(\.reason) == ["cannot write /x.prom: No space left on device"] })
        isBroken.value = false
        files.write(.textfile) { "2" }
        #expect(eventually { files.degraded == [] })
        files.write(.state) { "nobody asked for it" }
        files.close()
        let ended = thread.join(within: .seconds(20))

        #expect(ended)
    }

    // MARK: The hook

    @Test func `while the hook hangs what comes waits, the older about the same alert gives way, and all that is said`()
        throws
    {
        let path = try program(
            "cat > got.$$; cat got.$$ >> got; echo > started; while [ ! -e go ]; do sleep 0.01; done")
        let hook = try HookWriter(program: path, identity: Reports.identity) { _ in }
        let thread = try Thread(name: "hook") { hook.run() }
        hook.tell([said(0)])
        let started = eventually { (try? directory.read("started")) != nil }
        try #require(started)
        let hung = hook.heartbeat.stuck(now: later)
        #expect(hung?.part == "on-alert")
        #expect(hung?.reason.hasPrefix("running \(path) has hung for ") == true)
        hook.tell((1...32).map { said($0, "test\($0)") } + [said(33, "test20"), said(34, "test40")])
        #expect(hook.lost == 2)
        try directory.write("", to: "go")
        hook.mailbox.close()
        let ended = thread.join(within: .seconds(60))
        let summaries = try directory.read("got").split(separator: "\n").map { line in
            line.split(separator: "\"summary\":\"").last.map { String($0.prefix { $0 != "\"" }) } ?? ""
        }

        #expect(ended)
        #expect(summaries == ([0] + Array(2...19) + Array(21...34)).map { "\($0)" })
        #expect(hook.heartbeat.stuck(now: later) == nil)
        #expect(hook.degraded == [])
    }

    @Test func `the hook is not told the log, and what is said about itself only after a run that failed`() throws {
        let hook = try HookWriter(program: "/nonexistent/hook", identity: Reports.identity) { _ in }
        var itself = said(1, "monitor_degraded", .firing)
        itself.subject = "on-alert"
        hook.tell([said(0, "monitor", .log), itself])
        #expect(hook.mailbox.isEmpty)
        hook.tell([said(2)])
        let thread = try Thread(name: "hook") { hook.run() }
        #expect(eventually { !hook.degraded.isEmpty })
        hook.tell([itself])
        #expect(eventually { hook.lost == 2 })
        hook.mailbox.close()
        let ended = thread.join(within: .seconds(20))

        #expect(ended)
    }

    @Test func `an announcement for which the hook cannot be run is counted`() throws {
        let hook = try HookWriter(program: "/nonexistent/hook", identity: Reports.identity) { _ in }
        let thread = try Thread(name: "hook") { hook.run() }
        hook.tell([said(0), said(1)])
        #expect(eventually { hook.lost == 2 })
        hook.mailbox.close()
        let ended = thread.join(within: .seconds(20))

        #expect(ended)
        #expect(hook.degraded.map(\.reason) == ["cannot run /nonexistent/hook: No such file or directory"])
    }

    // MARK: All of them

    @Test func `what was handed over before the end is written by it`() throws {
        var plan = Sinks.Plan(identity: Reports.identity)
        let path = try directory.write("", to: "lines")
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        defer { close(descriptor) }
        plan.descriptors = (descriptor, descriptor)
        plan.hook = try program("cat >> told; echo printed by the hook")
        plan.textfile = directory.path(of: "x.prom")
        plan.status = directory.path(of: "status.json")
        plan.state = directory.path(of: "state")
        let sinks = try Sinks(plan: plan)
        try sinks.start()
        for number in 0..<50 as Range<UInt64> {
            sinks.show(Self.report(number))
            sinks.write(Self.report(number), metrics: true)
            sinks.keep { "\(number)" }
            _ = (sinks.health(now: Moment.now().monotonic), sinks.lost)
        }
        sinks.say([said(1), said(2, "monitor", .log)])
        sinks.stop()
        let lines = try readFile(path)

        #expect(lines.contains(" NOTICE test host=gw12 netns=root: 1\n"))
        #expect(lines.contains(" INFO monitor host=gw12 netns=root: 2\n"))
        #expect(lines.contains("entries=49 "))
        #expect(lines.contains("\nprinted by the hook\n"))
        #expect(try directory.read("told").split(separator: "\n").count == 1)
        #expect(try directory.read("x.prom").contains("\nconntrack_entries 49\n"))
        #expect(try directory.read("status.json").contains("49"))
        #expect(try directory.read("state") == "49")
        #expect(sinks.lost.map(\.sink) == ["lines", "files", "hook"])
    }

    @Test func `announcements that find no room are said, and counted for their sink`() throws {
        var plan = Sinks.Plan(identity: Reports.identity)
        plan.hook = "/nonexistent/hook"
        // Never started: what hangs from the start.
        let sinks = try Sinks(plan: plan)
        #expect(sinks.lost.allSatisfy { $0.count == 0 })
        sinks.say((0..<1036).map { said($0) })
        let health = sinks.health(now: Moment.at(0).monotonic)

        #expect(health.map(\.part) == ["lines", "on-alert"])
        #expect(health.first?.reason == "12 announcements lost, more than 1024 waited")
        #expect(health.last?.reason == "1004 announcements lost, more than 32 waited")
        #expect(sinks.lost.map(\.count) == [12, 0, 1004])
    }
}

/// Threads that do the same at once.
private final class Senders: Sendable {
    private let left: Atomic<Int>

    init(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) throws {
        left = Atomic(count)
        for number in 0..<count {
            let thread = try Thread(name: "sender") { [self] in
                body(number)
                left.subtract(1, ordering: .releasing)
            }
            thread.detach()
        }
    }

    func wait() {
        while left.load(ordering: .acquiring) > 0 { poll(nil, 0, 1) }
    }
}

private final class Flag: Sendable {
    private let state: Atomic<Bool>

    init(_ value: Bool) {
        state = Atomic(value)
    }

    var value: Bool {
        get { state.load(ordering: .relaxed) }
        set { state.store(newValue, ordering: .relaxed) }
    }
}
