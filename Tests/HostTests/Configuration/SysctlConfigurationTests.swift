// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing

@testable import ConntrackHost

/// Which file and line decides, on trees made for the purpose.
@Suite struct SysctlConfigurationTests {
    private static let max = "net.netfilter.nf_conntrack_max"

    private func load(_ files: [(String, String)]) throws -> SysctlConfiguration {
        let directory = try TemporaryDirectory()
        for (name, text) in files { try directory.write(text, to: name) }
        return SysctlConfiguration.load(root: directory.path)
    }

    @Test func `a setting is told with its file and line`() throws {
        let found = try load([("etc/sysctl.d/90-x.conf", "# limit\n\(Self.max) = 1048576\n")])
        let value = ConfiguredValue(
            key: "nf_conntrack_max", value: "1048576", number: 1_048_576, file: "/etc/sysctl.d/90-x.conf", line: 2,
            writtenAs: Self.max)
        #expect(found["nf_conntrack_max"] == value)
        #expect(found.all == [value])
        #expect(value.place == "/etc/sysctl.d/90-x.conf:2")
        #expect(found["nf_conntrack_acct"] == nil)
        #expect(found.problems == [])
    }

    @Test(arguments: ["etc/sysctl.d", "run/sysctl.d", "usr/local/lib/sysctl.d", "usr/lib/sysctl.d", "lib/sysctl.d"])
    func `all five folders are read`(_ folder: String) throws {
        #expect(try load([(folder + "/x.conf", "\(Self.max)=5")])["nf_conntrack_max"]?.file == "/\(folder)/x.conf")
    }

    @Test func `files go by name over all folders, and the last assignment wins`() throws {
        let found = try load([
            ("etc/sysctl.d/10-a.conf", "\(Self.max)=1"), ("usr/lib/sysctl.d/50-b.conf", "\(Self.max)=2"),
            ("run/sysctl.d/30-c.conf", "\(Self.max)=3"), ("etc/sysctl.d/99-d.txt", "\(Self.max)=4"),
            ("etc/sysctl.d/.99-e.conf", "\(Self.max)=5"),
        ])
        #expect(found["nf_conntrack_max"]?.number == 2)
    }

    @Test func `a name in a higher folder hides the same name in a lower one`() throws {
        let found = try load([
            ("usr/lib/sysctl.d/50-a.conf", "\(Self.max)=1"), ("run/sysctl.d/50-a.conf", "\(Self.max)=2"),
        ])
        #expect(found["nf_conntrack_max"]?.number == 2)
    }

    @Test(arguments: ["empty", "/dev/null", "dangling"])
    func `a file is masked by an empty one and by links to nothing`(_ mask: String) throws {
        let directory = try TemporaryDirectory()
        try directory.write("\(Self.max)=1", to: "usr/lib/sysctl.d/50-a.conf")
        try directory.write("", to: "etc/sysctl.d/50-a.conf")
        if mask != "empty" {
            unlink(directory.path(of: "etc/sysctl.d/50-a.conf"))
            try #require(symlink(mask, directory.path(of: "etc/sysctl.d/50-a.conf")) == 0)
        }
        #expect(SysctlConfiguration.load(root: directory.path)["nf_conntrack_max"] == nil)
    }

    /// systemd-sysctl 252 does not look what it is.
    @Test func `a folder that is named like a file hides one too`() throws {
        let found = try load([
            ("usr/lib/sysctl.d/50-a.conf", "\(Self.max)=1"), ("etc/sysctl.d/50-a.conf/x", "\(Self.max)=2"),
        ])
        #expect(found["nf_conntrack_max"] == nil)
        #expect(found.problems.map(\.file) == ["/etc/sysctl.d/50-a.conf"])
    }

    @Test func `both names of the limit are one setting`() throws {
        let both = "\(Self.max)=1\nnet.nf_conntrack_max=2\n"
        #expect(try load([("etc/sysctl.d/a.conf", both)])["nf_conntrack_max"]?.number == 2)
        // systemd-sysctl leaves an assignment that is repeated with the same value where it was.
        #expect(try load([("etc/sysctl.d/a.conf", both + "\(Self.max)=1")])["nf_conntrack_max"]?.number == 2)
        #expect(try load([("etc/sysctl.d/a.conf", both + "\(Self.max)=3")])["nf_conntrack_max"]?.number == 3)
    }

    @Test func `globs set what no explicit key names, whatever the order`() throws {
        let found = try load([
            (
                "etc/sysctl.d/a.conf",
                """
                net.netfilter.nf_conntrack_tcp_timeout_close = 7
                -net.netfilter.nf_conntrack_tcp_timeout_syn_sent
                net.netfilter.nf_conntrack_tcp_timeout_* = 30
                """
            )
        ])
        #expect(found["nf_conntrack_tcp_timeout_close"]?.number == 7)
        #expect(found["nf_conntrack_tcp_timeout_syn_sent"] == nil)
        #expect(found["nf_conntrack_tcp_timeout_time_wait"]?.number == 30)
        #expect(found["nf_conntrack_tcp_timeout_time_wait"]?.writtenAs == "net.netfilter.nf_conntrack_tcp_timeout_*")
        #expect(found["nf_conntrack_max"] == nil)
        #expect(found.all.count == 9)
    }

    @Test(arguments: ["nf_\\conntrack_ma?", "nf_conntrack_[[:lower:]]a[w-y]"])
    func `globs may hold character classes and backslashes, as glob(3) has them`(_ glob: String) throws {
        let found = try load([("etc/sysctl.d/a.conf", "net.netfilter.\(glob) = 7")])
        #expect(found["nf_conntrack_max"]?.number == 7)
        #expect(found.all.map(\.key) == ["nf_conntrack_max"])
    }

    @Test func `a key without a value takes back what came before`() throws {
        let text = "\(Self.max) = 5\n-\(Self.max)\n"
        #expect(try load([("etc/sysctl.d/a.conf", text)])["nf_conntrack_max"] == nil)
    }

    @Test func `the old names are told apart`() throws {
        let found = try load([
            ("etc/sysctl.d/a.conf", "net.ipv4.ip_conntrack_max=1\nnet.ipv4.netfilter.ip_conntrack_udp_timeout=2\n")
        ])
        #expect(found.oldNames.map(\.key) == ["nf_conntrack_max", "nf_conntrack_udp_timeout"])
        #expect(found.oldNames.map(\.number) == [1, 2])
        #expect(found.all == [])
    }

    @Test func `a value that the kernel refuses leaves the one before it, and is told`() throws {
        let text = """
            \(Self.max) = 5
            net.nf_conntrack_max = "7"
            net.netfilter.nf_conntrack_tcp_timeout_* = 30
            net.netfilter.nf_conntrack_tcp_timeout_c* = "40"
            net.netfilter.nf_conntrack_udp_timeout = 2147483648
            net.netfilter.nf_conntrack_frag6_high_thresh = 4294967296
            """
        let found = try load([("etc/sysctl.d/a.conf", text)])
        #expect(found["nf_conntrack_max"]?.number == 5)
        #expect(found["nf_conntrack_tcp_timeout_close"]?.number == 30)
        let udp = try #require(found["nf_conntrack_udp_timeout"])
        #expect(udp.number == nil)
        #expect(found["nf_conntrack_frag6_high_thresh"]?.number == 4_294_967_296)
        #expect(
            found.refused.map(\.place)
                == [2, 4, 4, 5].map { "/etc/sysctl.d/a.conf:\($0)" })
        #expect(found.refused.last == udp)
        #expect(found.whatProcpsDoes == [])
    }

    // MARK: sysctl.conf

    @Test func `a hidden file is read by procps and not at boot`() throws {
        let found = try load([("etc/sysctl.d/.a.conf", "\(Self.max)=5")])
        #expect(found["nf_conntrack_max"] == nil)
        #expect(found.whatProcpsDoes.map(\.procps?.number) == [5])
    }

    @Test func `systemd-sysctl keeps no value before one that is refused, procps does`() throws {
        let found = try load([("etc/sysctl.d/a.conf", "\(Self.max) = 5\n\(Self.max) = \"7\"\n")])
        #expect(found["nf_conntrack_max"]?.number == nil)
        #expect(found.whatProcpsDoes.map(\.procps?.number) == [5])
    }

    @Test(arguments: ["16 # why", "0x10", "020"])
    func `the same number is no difference, however it is written`(_ value: String) throws {
        let found = try load([("etc/sysctl.d/a.conf", "\(Self.max)=16"), ("etc/sysctl.conf", "\(Self.max)=\(value)")])
        #expect(found.whatProcpsDoes == [])
    }

    @Test(arguments: ["/net/netfilter/nf_conntrack_tcp_timeout_close", "net..netfilter.nf_conntrack_tcp_timeout_close"])
    func `procps' globs take a key that is spelled otherwise`(_ key: String) throws {
        let text = "\(key) = 7\nnet.netfilter.nf_conntrack_tcp_timeout_* = 30"
        let found = try load([("etc/sysctl.d/a.conf", text)])
        #expect(found["nf_conntrack_tcp_timeout_close"]?.number == 7)
        #expect(found.whatProcpsDoes.map(\.key) == ["nf_conntrack_tcp_timeout_close"])
        #expect(found.whatProcpsDoes.map(\.procps?.number) == [30])
    }

    @Test func `sysctl conf alone is read by procps and not at boot`() throws {
        let found = try load([("etc/sysctl.conf", "\(Self.max)=9"), ("etc/systemd/system.conf", "")])
        #expect(found["nf_conntrack_max"] == nil)
        #expect(found.whatProcpsDoes.map(\.key) == ["nf_conntrack_max"])
        #expect(found.whatProcpsDoes.first?.procps?.place == "/etc/sysctl.conf:1")
    }

    @Test func `sysctl conf is read at boot where a link leads to it`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("\(Self.max)=9", to: "etc/sysctl.conf")
        try directory.write("\(Self.max)=1", to: "etc/sysctl.d/50-a.conf")
        try #require(symlink("../sysctl.conf", directory.path(of: "etc/sysctl.d/99-sysctl.conf")) == 0)
        let found = SysctlConfiguration.load(root: directory.path)
        #expect(found["nf_conntrack_max"]?.place == "/etc/sysctl.d/99-sysctl.conf:1")
        #expect(found.whatProcpsDoes == [])
    }

    @Test func `procps reads sysctl conf after files that sort behind the link`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("\(Self.max)=9", to: "etc/sysctl.conf")
        try directory.write("\(Self.max)=1", to: "etc/sysctl.d/99-z.conf")
        try #require(symlink("../sysctl.conf", directory.path(of: "etc/sysctl.d/99-sysctl.conf")) == 0)
        let found = SysctlConfiguration.load(root: directory.path)
        #expect(found["nf_conntrack_max"]?.number == 1)
        #expect(found.whatProcpsDoes.map(\.procps?.number) == [9])
    }

    @Test func `EL6 has no systemd and reads sysctl conf at boot`() throws {
        let found = try load([("etc/sysctl.conf", "\(Self.max)=9"), ("etc/rc.d/rc.sysinit", "")])
        #expect(found["nf_conntrack_max"]?.place == "/etc/sysctl.conf:1")
        #expect(found.whatProcpsDoes == [])
    }

    // MARK: Anything may lie there

    @Test func `what can't be read or parsed is a problem with its place`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("\(Self.max)=1\nnonsense\n", to: "etc/sysctl.d/a.conf")
        try #require(symlink("b.conf", directory.path(of: "etc/sysctl.d/b.conf")) == 0)
        try #require(mkfifo(directory.path(of: "etc/sysctl.d/c.conf"), 0o644) == 0)
        let found = SysctlConfiguration.load(root: directory.path)
        #expect(found["nf_conntrack_max"]?.number == 1)
        #expect(
            found.problems == [
                ConfigurationProblem(file: "/etc/sysctl.d/a.conf", line: 2, reason: "the line is no assignment"),
                ConfigurationProblem(
                    file: "/etc/sysctl.d/b.conf", line: nil, reason: "Too many levels of symbolic links"),
                ConfigurationProblem(file: "/etc/sysctl.d/c.conf", line: nil, reason: "not a regular file"),
            ])
    }

    @Test func `a binary file gives bounded problems and no settings`() throws {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<300_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let text = String(decoding: bytes, as: UTF8.self)
        let found = try load([("etc/sysctl.d/a.conf", text), ("etc/sysctl.d/b.conf", "\(Self.max)=3")])
        #expect(found["nf_conntrack_max"]?.number == 3)
        #expect(found.problems.count <= 100)
    }

    @Test func `links of a saved tree do not lead out of it`() throws {
        let directory = try TemporaryDirectory()
        let outside = try TemporaryDirectory()
        let target = try outside.write("\(Self.max)=666", to: "x.conf")
        try directory.write("\(Self.max)=5", to: "etc/real.conf")
        try directory.write("", to: "etc/sysctl.d/x.conf")
        try #require(symlink(target, directory.path(of: "etc/sysctl.d/80-out.conf")) == 0)
        try #require(symlink("../../../../../../../etc/real.conf", directory.path(of: "etc/sysctl.d/90-up.conf")) == 0)
        let found = SysctlConfiguration.load(root: directory.path)
        #expect(found["nf_conntrack_max"]?.number == 5)
    }

    @Test func `a host without any such file has nothing configured`() throws {
        let found = try load([])
        #expect(found.all == [])
        #expect(found.problems == [])
    }

    // MARK: The real one

    /// `--cat-config` only prints: each file is announced by a line "# PATH".
    @Test(.enabled(if: Requirement.met(.process) && access("/lib/systemd/systemd-sysctl", X_OK) == 0))
    func `systemd-sysctl reads the same files of this host in the same order`() throws {
        let outcome = try Command("/lib/systemd/systemd-sysctl", "--cat-config").run()
        let files = outcome.standardOutput.split(separator: "\n")
            .filter { $0.hasPrefix("# /") && $0.hasSuffix(".conf") }.map { String($0.dropFirst(2)) }
        try #require(outcome.status == .exited(0))
        #expect(SysctlReader.systemd.files(in: FileTree(root: "/")) == files)
    }
}
