// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit
internal import Testing

/// Statistics by ctnetlink where /proc has none and nf_conntrack is a module, as a /sys made for the purpose has it.
extension HarmlessTests {
    /// With nf_conntrack_netlink in this state.
    private func sysWithNetlink(_ state: String) throws -> TemporaryDirectory {
        let sys = try TemporaryDirectory()
        try sys.write("2\n", to: "module/nf_conntrack/refcnt")
        try sys.write("0\n", to: "module/nf_conntrack_netlink/refcnt")
        try sys.write(state + "\n", to: "module/nf_conntrack_netlink/initstate")
        return sys
    }

    private func trackedNamespace() throws -> TestNamespace {
        let namespace = try TestNamespace()
        try namespace.trackConnections()
        for _ in 0..<5 {
            _ = try namespace.sendRaw(.ipv4, protocol: UInt8(IPPROTO_TCP), payload: [UInt8](repeating: 0, count: 20))
        }
        return namespace
    }

    @Test func `a watch asks a module for statistics 10 s after its start, and they are those of proc`() throws {
        let namespace = try trackedNamespace()
        let expected = try namespace.countedStatistics()
        let (empty, sys) = (try TemporaryDirectory(), try sysWithNetlink("live"))
        let watch = try Watch(
            in: namespace, listening: false, wrapper: withoutStatistics(empty), "--sysfs", sys.path, "--events", "none")
        let began = ContinuousClock.now
        #expect(try watch.waitForStatus("no statistics") { $0.entries != nil }.stats == nil)
        let status = try watch.waitForStatus("statistics") { $0.stats != nil }

        #expect(ContinuousClock.now - began > .seconds(9))
        for (name, value) in expected { #expect(status.stats?[name] == value, "\(name)") }
        // Nothing is kept open in between.
        #expect(try namespace.netfilterSockets(of: watch.process.process) == [])
        try watch.stop()
        #expect(!watch.process.transcript.contains("no statistics"))
    }

    @Test(arguments: [("live", true), ("going", false), ("coming", false)])
    func `status asks a module that is live, and no other`(_ state: String, _ isAsked: Bool) throws {
        let (empty, sys, folder) = (try TemporaryDirectory(), try sysWithNetlink(state), try TemporaryDirectory())
        let command = [try Repository.builtBinary(), "status", "--sysfs", sys.path, "--run-dir", folder.path]
        let calls = try trace(TestNamespace(), calls: "socket,sendto,sendmsg", withoutStatistics(empty) + command)

        #expect(calls.contains { $0.contains("NETLINK_NETFILTER") } == isAsked)
        #expect(calls.count { $0.contains("sendto(") || $0.contains("sendmsg(") } == (isAsked ? 2 : 0))
    }

    @Test func `where they cannot be had, watch says once which alerts cannot fire, and status says why`() throws {
        let namespace = try trackedNamespace()
        let (empty, sys) = (try TemporaryDirectory(), try TemporaryDirectory())
        try sys.write("1\n", to: "module/nf_conntrack/refcnt")
        let watch = try Watch(
            in: namespace, listening: false, wrapper: withoutStatistics(empty), "--sysfs", sys.path)
        let said = try watch.waitForLine("no statistics: ")
        #expect(said.contains("to have them: modprobe nf_conntrack_netlink, or watch --load-modules"))
        #expect(said.contains("insert_clash and early_drop cannot fire"))
        for _ in 0..<40 { try watch.waitForStatus("a look") { $0.entries != nil } }
        try watch.stop()
        #expect(watch.process.transcript.split(separator: "no statistics: ").count == 2)
        #expect(watch.process.transcript.contains("table samples and alerts about them go on"))

        let command = [try Repository.builtBinary(), "status", "--sysfs", sys.path, "--run-dir", sys.path]
        let wrapped = withoutStatistics(empty) + command
        let status = try Command(wrapped[0], arguments: Array(wrapped.dropFirst())).run(in: namespace)
        #expect(
            status.standardOutput.contains(
                "  statistics  none: this kernel has no /proc/net/stat/nf_conntrack, and nf_conntrack_netlink, which has"
                    + " them too, is not loaded; to have them: modprobe nf_conntrack_netlink, or watch --load-modules"),
            "\(status)")
    }
}
