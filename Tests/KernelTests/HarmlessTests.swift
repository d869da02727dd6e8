// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit
internal import Testing

/// The monitor only reads, and asks ctnetlink for nothing where the question could load a module.
/// A process, since its system calls are watched from outside, by strace.
@Suite(
    .enabled(if: Requirement.met(.networkNamespace, .program("nft"), .program("conntrack"), .program("strace"))))
struct HarmlessTests {
    /// Runs what follows with a /proc that has no net/stat/nf_conntrack, as with CONFIG_NF_CONNTRACK_PROCFS off: an empty
    /// folder lies over its own /proc/PID/net, in a mount namespace of its own.
    func withoutStatistics(_ empty: TemporaryDirectory) -> [String] {
        ["unshare", "-m", "sh", "-c", "mount --bind \"$0\" /proc/$$/net && exec \"$@\"", empty.path]
    }

    /// A /sys in which nf_conntrack is a module, as on most hosts, and nf_conntrack_netlink is not loaded.
    private func sysWithModule() throws -> TemporaryDirectory {
        let sys = try TemporaryDirectory()
        try sys.write("1\n", to: "module/nf_conntrack/refcnt")
        return sys
    }

    /// A /sys in which nf_conntrack is part of the kernel: its folder has no `refcnt`.
    private func sysWithBuiltIn() throws -> TemporaryDirectory {
        let sys = try TemporaryDirectory()
        try sys.write("262144\n", to: "module/nf_conntrack/parameters/hashsize")
        return sys
    }

    /// The system calls among `calls` that a command makes.
    func trace(_ namespace: TestNamespace, calls: String, _ command: [String]) throws -> [Substring] {
        let folder = try TemporaryDirectory()
        let trace = folder.path(of: "trace")
        let outcome = try Command("strace", arguments: ["-f", "-qq", "-o", trace, "-e", "trace=\(calls)"] + command)
            .run(in: namespace)
        guard outcome.status == .exited(0) else { throw TestKitError("strace: \(outcome)") }
        return try readFile(trace).split(separator: "\n")
    }

    /// Three intervals of `watch`.
    private func watch(_ folder: TemporaryDirectory, _ arguments: String...) throws -> [String] {
        try [Repository.builtBinary()] + Watch.arguments(folder) + ["--count", "3"] + arguments
    }

    @Test func `built in and without statistics in proc, it asks ctnetlink for them`() throws {
        let namespace = try TestNamespace()
        try namespace.trackConnections()
        for _ in 0..<5 {
            _ = try namespace.sendRaw(.ipv4, protocol: UInt8(IPPROTO_TCP), payload: [UInt8](repeating: 0, count: 20))
        }
        let expected = try namespace.countedStatistics()
        #expect(try #require(expected["invalid"]) >= 5)
        let (empty, sys) = (try TemporaryDirectory(), try sysWithBuiltIn())
        let watch = try Watch(in: namespace, wrapper: withoutStatistics(empty), "--sysfs", sys.path)
        let status = try watch.waitForStatus("statistics") { $0.stats != nil }

        for (name, value) in expected { #expect(status.stats?[name] == value, "\(name)") }
        // What /proc/PID/root leads to is its own mount namespace.
        let process = watch.process.process
        #expect(try readNames("/proc/\(process)/root/proc/\(process)/net") == "")
        #expect(try namespace.netfilterSockets(of: process) == [5])
    }

    private func readNames(_ folder: String) throws -> String {
        try Command("ls", "-A", folder).run().standardOutput
    }

    @Test func `where nf_conntrack is a module it neither asks nor listens, and says how to have events`() throws {
        let namespace = try TestNamespace()
        let (empty, sys, folder) = (try TemporaryDirectory(), try sysWithModule(), try TemporaryDirectory())
        let wrapper = withoutStatistics(empty)
        let watch = try Watch(in: namespace, listening: false, wrapper: wrapper, "--sysfs", sys.path)
        let said = try watch.waitForLine("no events: ")
        #expect(said.contains("modprobe nf_conntrack_netlink"))
        #expect(try namespace.makeEntries(count: 12) == 12)
        for _ in 0..<5 {
            let status = try watch.waitForStatus("12 entries") { $0.entries == 12 }
            #expect(status.stats == nil)
            #expect(status.events == nil)
        }
        #expect(try namespace.netfilterSockets(of: watch.process.process) == [])
        try watch.stop()

        let command = try wrapper + self.watch(folder, "--sysfs", sys.path)
        let calls = try trace(namespace, calls: "socket,openat", command)
        #expect(calls.contains { $0.contains("stat/nf_conntrack\"") && $0.contains("ENOENT") })
        #expect(!calls.contains { $0.contains("NETLINK_NETFILTER") })
    }

    @Test func `status and check never touch netlink where nf_conntrack is a module`() throws {
        let (empty, sys, folder) = (try TemporaryDirectory(), try sysWithModule(), try TemporaryDirectory())
        for name in ["status", "check"] {
            let command = [try Repository.builtBinary(), name, "--sysfs", sys.path, "--run-dir", folder.path]
            let calls = try trace(TestNamespace(), calls: "socket,openat", withoutStatistics(empty) + command)

            #expect(calls.contains { $0.contains("nf_conntrack_max") })
            #expect(!calls.contains { $0.contains("NETLINK") })
        }
    }

    @Test func `of a saved tree's statistics and events nothing is asked of the running kernel`() throws {
        let (proc, sys) = (try TemporaryDirectory(), try sysWithBuiltIn())
        for (name, value) in [("count", 12), ("max", 1000), ("buckets", 1000)] {
            try proc.write("\(value)\n", to: "sys/net/netfilter/nf_conntrack_\(name)")
        }
        let namespace = try TestNamespace()
        let watch = try Watch(in: namespace, listening: false, "--procfs", proc.path, "--sysfs", sys.path)
        let status = try watch.waitForStatus("12 entries") { $0.entries == 12 }

        #expect(status.stats == nil)
        #expect(status.events == nil)
        #expect(try namespace.netfilterSockets(of: watch.process.process) == [])
    }

    @Test func `the same trace shows the sockets that are opened where that does no harm`() throws {
        let (sys, folder) = (try sysWithBuiltIn(), try TemporaryDirectory())
        let command = try watch(folder, "--sysfs", sys.path)
        let calls = try trace(TestNamespace(), calls: "socket,setsockopt", command)

        #expect(calls.contains { $0.contains("AF_NETLINK") && $0.contains("NETLINK_NETFILTER") })
        #expect(calls.count { $0.contains("NETLINK_ADD_MEMBERSHIP") } == 2)
        #expect(!calls.contains { $0.contains("NETLINK_BROADCAST_ERROR") })
    }

    @Test func `nothing below proc or sys is opened for writing, moved or removed`() throws {
        let namespace = try TestNamespace()
        try namespace.trackConnections()
        let folder = try TemporaryDirectory()
        let calls = try trace(namespace, calls: "%file", watch(folder))
        let below = calls.filter { $0.contains("\"/proc/") || $0.contains("\"/sys/") }
        // Its own standard output and error, opened again for flags of their own.
        let ours = ["\"/proc/self/fd/1\"", "\"/proc/self/fd/2\""]
        let foreign = below.filter { line in !ours.contains { line.contains($0) } }
        let writing = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "creat(", "unlink", "rename", "truncate", "chmod"]

        #expect(below.count - foreign.count == 2)
        #expect(foreign.contains { $0.contains("nf_conntrack_max") && $0.contains("O_RDONLY") })
        #expect(foreign.contains { $0.contains("/sys/module/nf_conntrack") })
        for line in foreign { #expect(!writing.contains { line.contains($0) }, "\(line)") }
    }

    @Test func `a watch leaves the table and the settings as they are`() throws {
        let namespace = try TestNamespace()
        #expect(try namespace.makeEntries(count: 100) == 100)
        let before = try settings(namespace)
        let watch = try Watch(in: namespace)
        try watch.waitForStatus("100 entries") { $0.entries == 100 }
        try watch.stop()

        #expect(try namespace.countedEntries() == 100)
        #expect(before.count > 30)
        #expect(try settings(namespace) == before)
    }

    /// All but the limit, which another test changes and restores.
    private func settings(_ namespace: TestNamespace) throws -> [Substring] {
        try namespace.output(of: Command("sh", "-c", "cd /proc/sys/net/netfilter && grep -H . nf_conntrack_*"))
            .split(separator: "\n").filter { !$0.hasPrefix("nf_conntrack_max:") }
    }
}
