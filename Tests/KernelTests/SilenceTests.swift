// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit
internal import Testing

/// A zero that would be a lie, on the real kernel: events that are not made, not listened to, or all that is left of an
/// entry.
@Suite(.enabled(if: Requirement.met(.networkNamespace, .program("nft"))))
struct SilenceTests {
    private func line(_ watch: Watch, _ what: String, where holds: (String) -> Bool) throws -> String {
        try watch.process.waitForLine(on: .stdout, "with \(what)", within: .seconds(20), where: holds)
    }

    private func status(_ watch: Watch, in namespace: TestNamespace, _ arguments: String...) throws -> String {
        let words = ["status", "--run-dir", watch.folder.path] + arguments
        return try Command(Repository.builtBinary(), arguments: words).run(in: namespace).standardOutput
    }

    @Test func `nf_conntrack_events set to 0 and back is an alert with its cause, and no rate is printed meanwhile`()
        throws
    {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace)
        #expect(try namespace.makeEntries(count: 300) == 300)
        try watch.waitForStatus("300 new events") { $0.events?.new == 300 }
        try namespace.setSysctl("netfilter/nf_conntrack_events", "0")
        #expect(try namespace.makeEntries(first: 1000, count: 300) == 300)

        let silent = try watch.waitForStatus("no events") { $0.entries == 600 && $0.eventsReason != nil }
        #expect(silent.events == nil)
        #expect(silent.talkers == nil)
        #expect(silent.eventsLost?.total == 0)
        #expect(silent.eventsReason == "nf_conntrack_events is 0")
        let alert = try watch.waitForLine("WARNING events_silent")
        #expect(alert.contains(": nf_conntrack_events is 0: the kernel makes no events in this network namespace; "))
        #expect(alert.contains("; fix: sysctl -w net.netfilter.nf_conntrack_events=1 "))
        let text = try status(watch, in: namespace)
        #expect(text.contains("\n  events      none come: nf_conntrack_events is 0\n"), "\(text)")
        let metrics = try watch.metrics()
        #expect(metrics.fires("events_silent", "warning") == true)
        #expect(metrics.sum("conntrack_events_total") == nil)
        #expect(metrics.sum("conntrack_new_by_protocol_total") == nil)
        #expect(metrics.sum("conntrack_events_lost_total") == 0)

        try namespace.setSysctl("netfilter/nf_conntrack_events", "1")
        #expect(try namespace.makeEntries(first: 2000, count: 10) == 10)
        try watch.waitForStatus("10 more new events") { $0.events?.new == 310 && $0.events?.destroy == 0 }
        #expect(try watch.waitForLine("RESOLVED events_silent").contains("nothing keeps events from coming"))
        #expect(try watch.stop().events("new") == 310)
    }

    @Test func `connections to a closed port leave an empty table and their events, which settle that tracking works`()
        throws
    {
        let namespace = try TestNamespace()
        try namespace.trackConnections()
        let watch = try Watch(in: namespace)
        // At least as long as an empty table takes to be explained: three intervals.
        var refused: UInt64 = 0
        let began = now()
        while refused < 200 || now() - began < 1 {
            try refused += namespace.refusedConnections(count: 50)
        }
        let last = try watch.waitForStatus("each new event") {
            $0.events?.new == refused && $0.events?.destroy == refused
        }
        #expect(last.entries == 0)
        let text = try status(watch, in: namespace)
        #expect(!text.contains("there is no traffic"), "\(text)")
        let told = text.firstMatch(of: #/\n  events      new ([0-9,]+) /#)?.1.filter { $0 != "," }
        #expect(told == "\(refused)", "\(text)")
        let rates = watch.process.standardOutput.split(separator: "\n").compactMap {
            try? Status(String($0)).events?.newPerSecond
        }
        #expect(rates.contains { $0 > 50 })
        try watch.stop()
    }

    @Test func `who listens to destroy alone is told nothing of new ones, in lines, JSON, metrics and status`() throws {
        let namespace = try TestNamespace()
        let json = try Watch(in: namespace, "--events", "destroy")
        let lines = try Watch(in: namespace, "--events", "destroy", "--format", "lines")
        #expect(try namespace.makeEntries(count: 500) == 500)
        #expect(try namespace.deleteEntries(count: 500) == 500)
        _ = try line(json, "destroyed ones") { $0.contains("\"destroy\":500") }
        _ = try line(lines, "a destroy rate") { $0.contains(" destroy=") && !$0.contains(" destroy=0/s") }
        let text = try status(json, in: namespace)

        #expect(text.contains("\n  events      destroy 500 "), "\(text)")
        #expect(!json.process.standardOutput.contains("\"new"))
        #expect(!lines.process.standardOutput.contains("new"))
        let metrics = try json.stop()
        #expect(metrics.events("destroy") == 500)
        #expect(metrics.events("new") == nil && metrics.events("update") == nil)
        #expect(metrics.sum("conntrack_new_by_protocol_total") == nil)
        try lines.stop()
    }

    private func now() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }
}

extension TestNamespace {
    /// So many TCP connections on loopback that are refused at once; how many.
    fileprivate func refusedConnections(count: Int) throws -> UInt64 {
        try run {
            var refused: UInt64 = 0
            for _ in 0..<count {
                let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
                try SystemError.check("socket", descriptor)
                defer { close(descriptor) }
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_port = in_port_t(9).bigEndian
                address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
                let result = withUnsafePointer(to: &address) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                    }
                }
                if result < 0, errno == ECONNREFUSED { refused += 1 }
            }
            return refused
        }
    }
}
