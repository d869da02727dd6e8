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

/// What /sys/module tells, on trees made for the purpose.
@Suite struct ModuleTests {
    private static let conntrack = "sys/module/nf_conntrack/"
    private static let netlink = "sys/module/nf_conntrack_netlink/"

    @Test(
        arguments: [
            ([], .absent, false),
            ([conntrack + "parameters/hashsize"], .builtIn, true),
            ([conntrack + "refcnt"], .loaded, false),
            ([conntrack + "refcnt", netlink + "refcnt"], .loaded, true),
            ([conntrack + "parameters/hashsize", netlink + "refcnt"], .builtIn, true),
            (["sys/module/nf_conntrack_ftp/refcnt"], .absent, false),
        ] as [([String], ConntrackModule, Bool)])
    func `the module is told by its folder, and listening never loads one`(
        _ files: [String], _ module: ConntrackModule, _ mayListen: Bool
    ) throws {
        let directory = try TemporaryDirectory()
        for file in files { try directory.write("0\n", to: file) }
        let sysfs = directory.path(of: "sys")

        #expect(ConntrackModule.look(sysfs: sysfs) == module)
        #expect(ConntrackModule.mayListen(sysfs: sysfs) == mayListen)
    }
}

extension ModuleTests {
    @Test(arguments: [("live", true), ("going", false), ("coming", false)])
    func `a module that is just being unloaded, or is not ready, is not there to listen to`(
        _ state: String, _ mayListen: Bool
    ) throws {
        let directory = try TemporaryDirectory()
        for (name, text) in [
            ("nf_conntrack/refcnt", "1"), ("nf_conntrack/initstate", "live"), ("nf_conntrack_netlink/refcnt", "0"),
            ("nf_conntrack_netlink/initstate", state),
        ] {
            try directory.write(text + "\n", to: "sys/module/" + name)
        }

        #expect(ConntrackModule.mayListen(sysfs: directory.path(of: "sys")) == mayListen)
    }
}

/// The kernel's own words about a full table.
@Suite struct KernelLogTests {
    @Test(arguments: [
        ("nf_conntrack: table full in netns 4026531840, dropping packet", 1, 0),
        ("nf_conntrack: table full in netns 4026532999, dropping packet", 0, 0),
        ("nf_conntrack: nf_conntrack: table full, dropping packet", 0, 1),
        ("nf_conntrack: table full, dropping packet.", 0, 1),
        ("nf_conntrack: default automatic helper assignment has been turned off", 0, 0),
        ("ip_conntrack version 2.4", 0, 0),
        ("", 0, 0),
    ])
    func `lines that name this namespace are ours, those that name none are counted apart`(
        _ text: String, _ ours: Int, _ unnamed: Int
    ) {
        var count = TableFullCount()
        count.add("4,1234,5678,-;" + text, namespace: 4_026_531_840)

        #expect(count.ours == ours)
        #expect(count.unnamed == unnamed)
    }

    @Test func `without knowing its own namespace no line is ours`() {
        var count = TableFullCount()
        count.add("nf_conntrack: table full in netns 4026531840, dropping packet", namespace: nil)

        #expect(count == TableFullCount())
    }

    @Test func `only what is logged after the start counts`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("nf_conntrack: table full, dropping packet\n", to: "kmsg")
        guard var log = KernelLog(device: path) else {
            Issue.record("a plain file can be read")
            return
        }
        let before = log.take()
        #expect(before == TableFullCount())
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        defer { close(descriptor) }
        let line = "nf_conntrack: table full, dropping packet\n"
        #expect(write(descriptor, line, line.utf8.count) == line.utf8.count)

        let counts = [log.take().unnamed, log.take().unnamed]
        #expect(counts == [1, 0])
    }

    @Test func `a log that cannot be read is none`() throws {
        let path = try TemporaryDirectory().path(of: "kmsg")
        let isReadable = if KernelLog(device: path) != nil { true } else { false }

        #expect(!isReadable)
    }
}

/// The settings below /proc/sys/net/netfilter.
@Suite struct ParameterReaderTests {
    @Test func `every nf_conntrack setting is read, sorted; not the count, not frag6, not what is no number`() throws {
        let directory = try TemporaryDirectory()
        let folder = "proc/sys/net/netfilter/"
        for (name, text) in [
            ("nf_conntrack_max", "262144\n"), ("nf_conntrack_acct", "0\n"), ("nf_conntrack_count", "7\n"),
            ("nf_conntrack_frag6_timeout", "60\n"), ("nf_conntrack_tcp_loose", "garbage\n"),
            ("nf_conntrack_tcp_timeout_established", "432000\n"), ("nf_log_all_netns", "0\n"),
            ("nf_log/0", "NONE\n"),
        ] {
            try directory.write(text, to: folder + name)
        }
        let parameters = readParameters(procfs: directory.path(of: "proc"))

        #expect(
            parameters.map { "\($0.name) \($0.value)" } == [
                "nf_conntrack_acct 0", "nf_conntrack_max 262144", "nf_conntrack_tcp_timeout_established 432000",
            ])
    }

    @Test func `without the folder there are none`() throws {
        #expect(readParameters(procfs: try TemporaryDirectory().path).isEmpty)
    }
}

/// Whose table a /proc shows.
@Suite struct NetworkNamespaceTests {
    @Test func `a proc mounted from another network namespace is found out`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("", to: "proc/1/ns/net")
        let procfs = directory.path(of: "proc")
        let mismatch = try #require(NetworkNamespace.mismatch(procfs: procfs))

        #expect(mismatch.contains("\(procfs) belongs to another network namespace"))
        #expect(mismatch.contains("--netns \(procfs)/1/ns/net"))
    }

    @Test func `a proc of the same namespace is believed`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("", to: "proc/1/ns/other")
        symlink("/proc/self/ns/net", directory.path(of: "proc/1/ns/net"))

        #expect(NetworkNamespace.mismatch(procfs: directory.path(of: "proc")) == nil)
    }

    @Test func `a saved tree that says nothing of namespaces is believed`() throws {
        #expect(NetworkNamespace.mismatch(procfs: try TemporaryDirectory().path) == nil)
    }

    @Test(arguments: [("blue", "blue"), ("/run/netns/blue", "blue"), ("/var/run/netns/blue", "blue")])
    func `a namespace is called by the name it was entered by`(_ name: String, _ label: String) {
        #expect(NetworkNamespace.label(entered: name) == label)
    }

    @Test func `a path that names nothing is called as the namespace it leads to`() {
        // Entering it is the caller's doing: the label is that of the namespace this process is in by then.
        #expect(
            NetworkNamespace.label(entered: "/proc/12/ns/net") == NetworkNamespace.label(entered: nil))
    }
}
