// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// stdout and stderr whose reader blocks, goes away, or comes back.
@Suite struct LineSinkTests {
    /// Both ends of a pipe or a pair of sockets.
    private final class Ends {
        private(set) var reading: Int32
        let writing: Int32

        init(sockets: Bool = false) throws {
            // EPIPE as an errno, as in the monitor.
            signal(SIGPIPE, SIG_IGN)
            var ends: [Int32] = [-1, -1]
            if sockets {
                let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
                guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw SystemError("socketpair") }
            } else {
                try SystemError.check("pipe2", ctk_pipe(&ends))
            }
            (reading, writing) = (ends[0], ends[1])
        }

        deinit {
            hangUp()
            close(writing)
        }

        func hangUp() {
            if reading >= 0 { close(reading) }
            reading = -1
        }

        /// Takes what is there.
        func read() -> String {
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 65_536)
            var poller = pollfd(fd: reading, events: Int16(POLLIN), revents: 0)
            while poll(&poller, 1, 0) == 1 {
                let count = Glibc.read(reading, &chunk, chunk.count)
                guard count > 0 else { break }
                bytes += chunk[..<count]
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    private static let line = String(repeating: "x", count: 999)

    /// More than the pipe and the buffer together hold.
    private func overfill(_ sink: inout LineSink) {
        for _ in 0..<1000 { sink.take(Self.line) }
    }

    @Test(arguments: [false, true])
    func `lines arrive, each with its end`(_ sockets: Bool) throws {
        let ends = try Ends(sockets: sockets)
        var sink = LineSink(ends.writing, name: "stdout")
        sink.take("one")
        sink.take("two")
        let isWaiting = sink.isWaiting

        #expect(ends.read() == "one\ntwo\n")
        #expect(!isWaiting)
    }

    @Test(arguments: [false, true])
    func `a reader that does not read never makes it wait, and lines left out are counted`(_ sockets: Bool) throws {
        let ends = try Ends(sockets: sockets)
        var sink = LineSink(ends.writing, name: "stdout")
        overfill(&sink)
        let (isWaiting, leftOut, degradation) = (sink.isWaiting, sink.leftOut, sink.degradation)

        #expect(isWaiting)
        #expect(leftOut > 0)
        #expect(degradation?.part == "stdout")
        #expect(degradation?.reason == "whoever reads it does not: \(leftOut) lines left out")
    }

    @Test(arguments: [false, true])
    func `when the reader reads again whole lines come, and it works again`(_ sockets: Bool) throws {
        let ends = try Ends(sockets: sockets)
        var sink = LineSink(ends.writing, name: "stdout")
        overfill(&sink)
        let leftOut = sink.leftOut
        var text = ""
        while sink.isWaiting {
            let chunk = ends.read()
            try #require(!chunk.isEmpty)
            text += chunk
            sink.flush()
        }
        text += ends.read()
        sink.take("again")
        let degradation = sink.degradation
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)

        #expect(lines.last == "")
        #expect(lines.dropLast().allSatisfy { $0 == Self.line })
        #expect(lines.count - 1 + Int(leftOut) == 1000)
        #expect(ends.read() == "again\n")
        #expect(degradation == nil)
    }

    @Test(arguments: [false, true])
    func `a reader that went away is reported, and nothing waits for it`(_ sockets: Bool) throws {
        let ends = try Ends(sockets: sockets)
        var sink = LineSink(ends.writing, name: "stderr")
        sink.take("one")
        ends.hangUp()
        sink.take("two")
        sink.take("three")
        let (failure, isWaiting, degradation) = (sink.failure, sink.isWaiting, sink.degradation)

        #expect(failure?.code == EPIPE)
        #expect(!isWaiting)
        #expect(degradation?.reason == "cannot be written to: whoever read it went away")
    }

    @Test func `a reader that was never there is reported as well`() throws {
        let ends = try Ends()
        ends.hangUp()
        var sink = LineSink(ends.writing, name: "stdout")
        sink.take("one")
        let failure = sink.failure

        #expect(failure?.code == EPIPE)
    }

    @Test(arguments: [false, true])
    func `the flags of the inherited descriptor stay as they were`(_ sockets: Bool) throws {
        let ends = try Ends(sockets: sockets)
        let before = fcntl(ends.writing, F_GETFL)
        var sink = LineSink(ends.writing, name: "stdout")
        overfill(&sink)

        #expect(fcntl(ends.writing, F_GETFL) == before)
        #expect(before & O_NONBLOCK == 0)
    }

    @Test func `a descriptor that is closed is reported`() {
        var sink = LineSink(-1, name: "stdout")
        sink.take("one")
        let degradation = sink.degradation

        #expect(degradation?.reason == "cannot be written to: Bad file descriptor")
    }

    @Test func `a file is appended to at its shared offset`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("", to: "out")
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        defer { close(descriptor) }
        #expect(write(descriptor, "before\n", 7) == 7)
        var sink = LineSink(descriptor, name: "stdout")
        sink.take("after")

        #expect(try readFile(path) == "before\nafter\n")
    }

    @Test func `a full disk is reported, and lines come again when there is room`() async {
        await #expect(processExitsWith: .success) {
            signal(SIGXFSZ, SIG_IGN)
            let directory = try TemporaryDirectory()
            let descriptor = open(try directory.write("", to: "out"), O_WRONLY | O_APPEND | O_CLOEXEC)
            var sink = LineSink(descriptor, name: "stdout")
            var limit = rlimit(rlim_cur: 4, rlim_max: 1000)
            #expect(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
            sink.take("one")
            sink.take("two")
            let full = sink.degradation
            #expect(full?.reason == "cannot be written to: File too large")
            limit.rlim_cur = 1000
            #expect(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
            sink.take("three")
            let after = sink.degradation

            #expect(after == nil)
            #expect(try directory.read("out") == "one\nthree\n")
        }
    }
}
