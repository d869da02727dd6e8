// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit
internal import Testing

/// Readers that stop reading, or go away.
/// Processes, since the pipe between two is what blocks, and the kernel makes events meanwhile.
@Suite(.enabled(if: Requirement.met(.networkNamespace)))
struct BlockedOutputTests {
    /// Fills the pipe behind a stream of `process`, so that not a byte more goes in.
    private func fill(_ stream: Int32, of process: pid_t) throws {
        let pipe = open("/proc/\(process)/fd/\(stream)", O_WRONLY | O_NONBLOCK | O_CLOEXEC)
        guard pipe >= 0 else { throw SystemError("open the pipe") }
        defer { close(pipe) }
        let page = [UInt8](repeating: UInt8(ascii: "\n"), count: 4096)
        while write(pipe, page, page.count) > 0 {}
        guard errno == EAGAIN else { throw SystemError("fill the pipe") }
        while write(pipe, page, 1) > 0 {}
    }

    private func hasEnded(_ process: pid_t) -> Bool {
        let status = (try? readFile("/proc/\(process)/stat")) ?? ""
        return status.contains(") Z ")
    }

    /// Waits for `count` more samples than the textfile tells of now.
    private func expectSamples(_ count: Int, _ watch: Watch) throws {
        var times: Set<Double> = []
        let advanced = try eventually(within: .seconds(20)) {
            times.insert(try watch.metrics()["conntrack_mon_last_sample_timestamp_seconds"] ?? 0)
            return times.count > count
        }
        #expect(advanced, "\(times.sorted())")
    }

    @Test(arguments: [[1], [2], [1, 2]] as [[Int32]])
    func `a pipe that nobody reads stops neither sampling nor events nor the end`(_ streams: [Int32]) throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace)
        for stream in streams { try fill(stream, of: watch.process.process) }
        try expectSamples(10, watch)
        // Lines for standard error as well.
        for _ in 0..<10 { watch.process.send(signal: SIGHUP) }
        #expect(try namespace.makeEntries(count: 99) == 99)
        try watch.waitForMetrics("99 entries and events") { $0["conntrack_entries"] == 99 && $0.events("new") == 99 }
        try expectSamples(10, watch)

        watch.process.send(signal: SIGTERM)
        #expect(eventually { hasEnded(watch.process.process) })
        #expect(try watch.metrics()["conntrack_mon_up"] == 0)
        #expect(try watch.process.waitForExit() == .exited(0))
    }

    @Test func `lines that find no room are left out, which is said in the textfile`() throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace, "--interval", "1ms", "--sample", "1ms")
        try fill(1, of: watch.process.process)
        try watch.waitForMetrics("monitor_degraded") { $0.fires("monitor_degraded", "warning") == true }
        try expectSamples(10, watch)
        let said = try watch.waitForLine("WARNING monitor_degraded")

        #expect(said.contains("stdout: whoever reads it does not: "))
        #expect(said.hasSuffix("everything else goes on"))
    }

    @Test func `a reader that goes away is no reason to stop`() throws {
        let namespace = try TestNamespace()
        let folder = try TemporaryDirectory()
        let watch = [try Repository.builtBinary()] + Watch.arguments(folder)
        // Standard output goes to a program that has ended.
        let pipeline = try Command("bash", arguments: ["-c", "exec \"$@\" > >(exit 0)", "bash"] + watch)
            .start(in: namespace)
        let said = try pipeline.waitForLine(on: .stderr, containing: "WARNING monitor_degraded", within: .seconds(20))
        #expect(said.contains("stdout: cannot be written to: whoever read it went away"))
        #expect(try namespace.makeEntries(count: 5) == 5)
        #expect(
            try eventually {
                let metrics = try Metrics(folder.read("conntrack.prom"))
                return metrics["conntrack_entries"] == 5 && metrics.events("new") == 5
            })

        pipeline.send(signal: SIGTERM)
        #expect(try pipeline.waitForExit() == .exited(0))
    }
}
