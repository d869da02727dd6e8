// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit
internal import Testing

/// Which source is taken, and what is said of it.
/// A process, since capabilities are dropped for it alone, and the kernel refuses what lacks them.
@Suite(.enabled(if: Requirement.met(.networkNamespace, .initialRoot, .program("setpriv"))))
struct SourceTests {
    /// Root without the right to load BPF programs.
    private static let withoutBPF = ["setpriv", "--bounding-set", "-bpf,-sys_admin"]
    /// With an empty file over libbpf, in a mount namespace of its own.
    private static let withoutLibrary = [
        "unshare", "--mount", "sh", "-c",
        "for file in /usr/lib/*/libbpf.so.1; do mount --bind /dev/null $file || exit; done; exec \"$@\"", "sh",
    ]

    private func source(_ watch: Watch) throws -> String? {
        try watch.metrics().series.keys.first { $0.name == "conntrack_mon_event_source_info" }?.labels["source"]
    }

    /// The line about the source, which a `Watch` has waited for already.
    private func line(_ watch: Watch) throws -> Substring {
        try #require(watch.process.transcript.split(separator: "\n").first { $0.contains("events by ") })
    }

    @Test func `root on a recent kernel gets the ring`() throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace)
        let line = try self.line(watch)
        #expect(line.hasSuffix("events by bpf, through a ring in the kernel of 8388608 bytes"))
        #expect(try eventually { try source(watch) == "bpf" })
        #expect(try namespace.makeEntries(count: 10) == 10)
        try watch.waitForStatus("10 new events") { $0.events?.new == 10 }
        try watch.stop()
    }

    @Test(arguments: [(withoutBPF, "no CAP_BPF"), (withoutLibrary, "libbpf.so.1 is not installed")])
    func `without what a ring needs, auto takes netlink and says why`(_ wrapper: [String], _ why: String) throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace, wrapper: wrapper)
        let line = try self.line(watch)
        #expect(line.contains(" INFO "))
        #expect(line.contains("events by netlink"))
        #expect(line.hasSuffix("; not by bpf: \(why)"))
        #expect(try eventually { try source(watch) == "netlink" })
        #expect(try namespace.makeEntries(count: 10) == 10)
        let status = try watch.waitForStatus("10 new events") { $0.events?.new == 10 }
        #expect(status.alerts.isEmpty)
        try watch.stop()
    }

    @Test(arguments: [(withoutBPF, "no CAP_BPF"), (withoutLibrary, "libbpf.so.1 is not installed")])
    func `a ring that was asked for by name and is not to be had is a fault, and the table is still watched`(
        _ wrapper: [String], _ why: String
    ) throws {
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace, listening: false, wrapper: wrapper, "--source", "bpf")
        let line = try watch.waitForLine("WARNING monitor_degraded")
        #expect(line.contains("events: cannot read events by bpf (\(why))"))
        #expect(try namespace.makeEntries(count: 10) == 10)
        let status = try watch.waitForStatus("10 entries") { $0.entries == 10 }
        #expect(status.events == nil)
        #expect(status.level(of: "monitor_degraded") == "warning")
        #expect(try eventually { try source(watch) == "none" })
        try watch.stop()
    }

    @Test func `netlink that was asked for by name is taken, and nothing is said of bpf`() throws {
        let watch = try Watch(in: TestNamespace(), "--source", "netlink")
        let line = try self.line(watch)
        #expect(line.contains("events by netlink") && line.hasSuffix(" bytes)"))
        try watch.stop()
    }
}
