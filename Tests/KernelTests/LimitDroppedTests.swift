// SPDX-License-Identifier: GPL-3.0-or-later

internal import FoundationEssentials
internal import Glibc
internal import TestKit
internal import Testing

/// The limit of this very host, changed in an order that can do no harm: it is raised first, and the fall that is to be
/// seen is its way back to where it was.
extension LimitTests {
    private static let path = "/proc/sys/net/netfilter/nf_conntrack_max"

    private func writeLimit(_ limit: UInt64) throws {
        let descriptor = open(Self.path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("open \(Self.path)") }
        defer { close(descriptor) }
        let bytes = Array("\(limit)".utf8)
        guard write(descriptor, bytes, bytes.count) == bytes.count else { throw SystemError("write \(Self.path)") }
    }

    private func time(of line: String) throws -> Double {
        let text = try #require(line.split(separator: " ").first)
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        return try Date(String(text), strategy: style).timeIntervalSince1970
    }

    private func wallTime() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }

    @Test(.enabled(if: Requirement.met(.initialRoot)))
    func `a limit that falls is critical within 150 ms, whatever the interval, and ends when it is raised`() throws {
        let usual = try #require(UInt64(readFile(Self.path).filter { $0 != "\n" }))
        try #require(usual > 0 && usual <= 1 << 30, "nf_conntrack_max is \(usual): it cannot be raised and fall")
        defer { try? writeLimit(usual) }
        try writeLimit(usual * 2)
        // No interval ends while this lasts: whatever is said was said at once.
        let watch = try Watch(listening: false, "--events", "none", "--interval", "1h", "--sample", "100ms")

        // The alert's own time, the best of three: what else runs on this machine may delay one of them.
        var latencies: [Double] = []
        var arrivals: [Double] = []
        for _ in 1...3 where latencies.min() ?? 1 > 0.150 {
            let written = wallTime()
            try writeLimit(usual)
            let fallen = try watch.waitForLine("limit_dropped")
            arrivals.append(wallTime() - written)
            latencies.append(try time(of: fallen) - written)
            #expect(fallen.contains(" CRITICAL "))
            #expect(fallen.contains("nf_conntrack_max \(usual * 2) -> \(usual) ("))
            #expect(fallen.contains("written while the module stayed loaded)"))
            #expect(fallen.contains("sysctl -w net.netfilter.nf_conntrack_max=\(usual * 2)"))
            try watch.waitForMetrics("limit_dropped firing") { $0.fires("limit_dropped", "critical") == true }
            #expect(try watch.metrics()["conntrack_entries_limit"] == Double(usual))
            #expect(try watch.metrics()["conntrack_entries_limit_baseline"] == Double(usual * 2))

            try writeLimit(usual * 2)
            let raised = try watch.waitForLine("limit_dropped")
            #expect(raised.contains(" RESOLVED "))
            #expect(raised.hasSuffix("nf_conntrack_max is \(usual * 2)"))
            try watch.waitForMetrics("limit_dropped over") { $0.fires("limit_dropped", "critical") == false }
        }
        func milliseconds(_ times: [Double]) -> [Int] { times.map { Int(($0 * 1000).rounded()) } }
        print(
            "limit_dropped after the write: seen in \(milliseconds(latencies)) ms,"
                + " line read in \(milliseconds(arrivals)) ms")
        #expect(try #require(latencies.min()) < 0.150)
        #expect(latencies.allSatisfy { $0 > -0.001 })

        let drops = try watch.stop()["conntrack_limit_drops_total", ["cause": "sysctl_write"]]
        #expect(drops == Double(latencies.count))
        try writeLimit(usual)
        #expect(try readFile(Self.path) == "\(usual)\n")
    }
}
