// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit
internal import Testing

/// Stopped and continued while connections come at a steady pace.
/// A process, since it is stopped, and the kernel keeps its events meanwhile.
@Suite(.enabled(if: Requirement.met(.networkNamespace)))
struct PauseTests {
    /// New entries a second.
    private static let pace = 500.0

    @Test(arguments: [("bpf", 5.6), ("netlink", 5.6), ("bpf", 2)])
    func `no line tells of more than there was, and every event is counted`(_ source: String, _ pause: Double) throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace, "--source", source, "--interval", "200ms", "--sample", "20ms")
        let start = wallTime()
        var made: UInt64 = 0
        var atContinuation: UInt64 = 0
        let (stop, end) = (1.0, 1.0 + pause)
        var isStopped = false
        while wallTime() < start + end + 1.2 {
            let now = wallTime() - start
            if !isStopped, now >= stop, now < end {
                watch.process.send(signal: SIGSTOP)
                isStopped = true
            } else if isStopped, now >= end {
                atContinuation = made
                watch.process.send(signal: SIGCONT)
                isStopped = false
            }
            let due = UInt64(now * PauseTests.pace)
            if due > made { made += try namespace.makeEntries(first: UInt32(made), count: UInt32(due - made)) }
            poll(nil, 0, 5)
        }
        let total = made
        try watch.waitForStatus("\(total) events") { $0.sent == total }
        let metrics = try watch.stop()
        let lines = try watch.process.standardOutput.split(separator: "\n").map { try Status(String($0)) }

        #expect(metrics.events("new") == Double(total))
        // A backlog in an interval of its own would be tens of times that.
        let rates = lines.compactMap { $0.events?.newPerSecond }
        #expect(rates.allSatisfy { $0 < 3 * PauseTests.pace }, "\(rates)")
        // The line after the pause knows the table as it is by then.
        let after = try #require(lines.first { $0.timestamp > start + end })
        #expect(try #require(after.entries) >= atContinuation)
        #expect(try #require(after.events?.new) >= atContinuation)
        #expect((after.events?.newPerSecond == nil) == (pause > 5), "\(rates)")
        #expect(zip(lines, lines.dropFirst()).allSatisfy { $1.timestamp - $0.timestamp > 0.09 })
        let gaps = watch.process.standardError.split(separator: "\n").count { $0.contains("NOTICE sampling_gap") }
        #expect(gaps == (pause > 5 ? 1 : 0))
    }

    private func wallTime() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }
}
