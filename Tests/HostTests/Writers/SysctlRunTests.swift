// SPDX-License-Identifier: GPL-3.0-or-later

import ConntrackModel
import TestKit
import Testing

@testable import ConntrackHost

/// What one run of a sysctl program sets.
@Suite struct SysctlRunTests {
    private static let max = "net.netfilter.nf_conntrack_max"
    private static let procps4 = ("usr/lib64/libproc2.so.0", "")
    private static let procps3 = ("usr/lib64/libprocps.so.8", "")

    private func writes(
        _ text: String, _ run: SysctlRun, release: String? = "6.1.0", with others: [(String, String)] = []
    ) throws -> [String] {
        try SysctlTree([("etc/sysctl.d/50-a.conf", text)] + others, release: release).writes(run)
    }

    @Test func `a write is told with its line`() throws {
        let tree = try SysctlTree([("etc/sysctl.d/50-a.conf", "# limit\n \(Self.max)=5\u{a0}\n\(Self.max) = 7\n")])
        let evidence = Evidence(file: "/etc/sysctl.d/50-a.conf", line: 3, text: "\(Self.max) = 7")
        #expect(tree.read { SysctlRun(reader: .systemd).acts(in: $0) } == [.set("nf_conntrack_max", 7, evidence)])
    }

    @Test func `settings are written in the order of the last line for each`() throws {
        let text = "\(Self.max) = 5\nnet.netfilter.nf_conntrack_acct = 1\nnet.nf_conntrack_max = 6"
        #expect(try writes(text, SysctlRun(reader: .procps)) == ["nf_conntrack_acct=1", "nf_conntrack_max=6"])
    }

    // MARK: Files

    @Test func `procps reads sysctl conf last, and systemd only where a link leads to it`() throws {
        let conf = ("etc/sysctl.conf", "\(Self.max) = 9")
        let link = ("etc/sysctl.d/10-sysctl.conf", "-> ../sysctl.conf")
        #expect(try writes("\(Self.max) = 5", SysctlRun(reader: .procps), with: [conf]) == ["nf_conntrack_max=9"])
        #expect(try writes("\(Self.max) = 5", SysctlRun(reader: .systemd), with: [conf]) == ["nf_conntrack_max=5"])
        #expect(try writes("", SysctlRun(reader: .systemd), with: [conf, link]) == ["nf_conntrack_max=9"])
    }

    /// apply_sysctl of initscripts 9.03.
    @Test(arguments: [
        ("x", true), ("x.conf", true), ("x.conf~", false), ("x.bak", false), ("x.rpmsave", false), (".x.conf", false),
    ])
    func `EL6 reads sysctl conf first, then whatever lies in sysctl d`(_ name: String, _ isRead: Bool) throws {
        let tree = try SysctlTree([
            ("etc/sysctl.conf", "\(Self.max) = 9"), ("etc/sysctl.d/\(name)", "\(Self.max) = 5"),
            ("usr/lib/sysctl.d/z.conf", "\(Self.max) = 3"),
        ])
        #expect(tree.writes(SysctlRun(reader: .initscripts)) == ["nf_conntrack_max=\(isRead ? 5 : 9)"])
    }

    @Test(arguments: [
        (["/etc/sysctl.d/*.conf"], ["5"]), (["/etc/*.d/[0-9]*"], ["5"]),
        (["/etc/{sysctl.conf,sysctl.d/50-a.conf}"], ["5"]),
        (["/etc/sysctl.d/50-a.conf", "/etc/sysctl.conf"], ["9"]), (["/etc/nothing", "/etc/sysctl.conf"], ["9"]),
        (["/etc/{sysctl.conf"], []), (["~/x"], ["3"]), (["-"], []), (["sysctl.conf"], []), (["/etc/sysctl.d"], []),
    ])
    func `procps takes globs, braces and a tilde`(_ files: [String], _ value: [String]) throws {
        let others = [("etc/sysctl.conf", "\(Self.max) = 9"), ("root/x", "\(Self.max) = 3")]
        let run = SysctlRun(reader: .procps, files: files)
        #expect(try writes("\(Self.max) = 5", run, with: others) == value.map { "nf_conntrack_max=\($0)" })
    }

    @Test func `systemd-sysctl looks for a name in its folders`() throws {
        let others = [
            ("usr/lib/sysctl.d/50-a.conf", "\(Self.max) = 3"), ("usr/lib/sysctl.d/b.conf", "\(Self.max) = 4"),
        ]
        func value(_ file: String) throws -> [String] {
            try writes("\(Self.max) = 5", SysctlRun(reader: .systemd, files: [file]), with: others)
        }
        #expect(try value("50-a.conf") == ["nf_conntrack_max=5"])
        #expect(try value("b.conf") == ["nf_conntrack_max=4"])
        #expect(try value("/usr/lib/sysctl.d/50-a.conf") == ["nf_conntrack_max=3"])
        #expect(try value("c.conf") == [])
    }

    // MARK: Filters

    /// The line that firewalld ships for modprobe.d.
    @Test func `firewalld's pattern leaves the other spelling of the limit out`() throws {
        let text = "net.nf_conntrack_max = 7\n\(Self.max) = 5\nnet.nf_conntrack_max = 9"
        let run = SysctlRun(reader: .procps, filter: .pattern("net[.]netfilter[.]nf_conntrack.*"))
        #expect(try writes(text, run) == ["nf_conntrack_max=5"])
    }

    @Test(arguments: [
        ("max", "5", "5"), ("^net", "5", "5"), ("max$", "5", nil), ("max *= *5", nil, "5"), ("5", nil, "5"),
        ("(", nil, nil),
        ("acct", nil, nil), ("", "5", "5"), ("netfilter/", nil, nil), ("max\\b", "5", "5"),
    ])
    func `procps 3 holds a pattern against the key, procps 4 against the line`(
        _ pattern: String, _ three: String?, _ four: String?
    ) throws {
        let run = SysctlRun(reader: .procps, filter: .pattern(pattern))
        func expected(_ value: String?) -> [String] { value.map { ["nf_conntrack_max=\($0)"] } ?? [] }
        #expect(try writes("\(Self.max) = 5", run, with: [Self.procps3]) == expected(three))
        #expect(try writes("\(Self.max) = 5", run, with: [Self.procps4]) == expected(four))
        let both = three == four ? three : "5?"
        #expect(try writes("\(Self.max) = 5", run) == expected(both))
    }

    @Test(arguments: ["((a{1,255}){1,255}){1,255}", "(a*)*\\1"])
    func `a pattern that could take any time is not tried`(_ pattern: String) throws {
        #expect(
            try writes("\(Self.max) = 5", SysctlRun(reader: .procps, filter: .pattern(pattern))) == [
                "nf_conntrack_max=5?"
            ])
    }

    @Test(arguments: [
        (".nf_conntrack", ["nf_conntrack_max=6"]), ("net.netfilter.nf_conntrack", ["nf_conntrack_max=5"]),
        ("nf_conntrack", ["nf_conntrack_max=6"]), ("net.nf_conntrack", ["nf_conntrack_max=6"]),
        ("netfilter.nf_conntrack_max=", []), ("udp", ["nf_conntrack_max=6"]),
    ])
    func `a load list takes lines that hold a word, as it is written`(_ word: String, _ expected: [String]) throws {
        let tree = try SysctlTree([
            ("etc/sysctl.conf", "#\(Self.max) = 4\n\(Self.max) = 5\nnet.nf_conntrack_max = 6 # udp\n")
        ])
        let run = SysctlRun(reader: .procps, files: ["/etc/sysctl.conf"], filter: .lines(with: [word]))
        #expect(tree.writes(run) == expected)
    }

    @Test func `the words of a load list act one after the other`() throws {
        let tree = try SysctlTree([("etc/sysctl.conf", "net.nf_conntrack_max = 6\n\(Self.max) = 5\n")])
        let run = SysctlRun(
            reader: .procps, files: ["/etc/sysctl.conf"], filter: .lines(with: ["netfilter", "net.nf_conntrack"]))
        #expect(tree.writes(run) == ["nf_conntrack_max=5", "nf_conntrack_max=6"])
    }

    /// 239 took it as it was meant.
    @Test func `a prefix that begins with proc is of no use since 245`() throws {
        let run = SysctlRun(reader: .systemd, filter: .prefixes(["/proc/sys/net/netfilter"]))
        #expect(try writes("\(Self.max) = 5", run) == [])
        #expect(try writes("\(Self.max) = 5", run, release: "4.18.0") == ["nf_conntrack_max=5?"])
        let old = ("usr/lib/systemd/libsystemd-shared-239.so", "")
        #expect(try writes("\(Self.max) = 5", run, release: "4.18.0", with: [old]) == ["nf_conntrack_max=5"])
    }

    // MARK: Versions

    @Test func `globs are for newer programs`() throws {
        let text = "net.netfilter.nf_conntrack_ma* = 5"
        #expect(try writes(text, SysctlRun(reader: .procps), with: [Self.procps3]) == [])
        #expect(try writes(text, SysctlRun(reader: .procps), with: [Self.procps4]) == ["nf_conntrack_max=5"])
        #expect(try writes(text, SysctlRun(reader: .procps)) == ["nf_conntrack_max=5?"])
        #expect(try writes(text, SysctlRun(reader: .systemd)) == ["nf_conntrack_max=5"])
        #expect(try writes(text, SysctlRun(reader: .systemd), release: "4.18.0") == ["nf_conntrack_max=5?"])
        let old = ("lib/systemd/libsystemd-shared-241.so", "")
        #expect(try writes(text, SysctlRun(reader: .systemd), with: [old]) == [])
        #expect(try writes(text, SysctlRun(reader: .initscripts)) == [])
    }

    @Test func `what only may come after what is certain is told too`() throws {
        let text = "\(Self.max) = 5\nnet.nf_conntrack_m* = 6\nnet.nf_conntrack_ma* = 6\n"
        #expect(try writes(text, SysctlRun(reader: .procps)) == ["nf_conntrack_max=5", "nf_conntrack_max=6?"])
        let certainly = text + "\(Self.max) = 7"
        #expect(try writes(certainly, SysctlRun(reader: .procps)) == ["nf_conntrack_max=7"])
    }

    // MARK: Settings

    @Test func `the names of ip_conntrack count before 4 9`() throws {
        let text = "net.ipv4.netfilter.ip_conntrack_max = 5\nnet.ipv4.ip_conntrack_max = 6"
        #expect(try writes(text, SysctlRun(reader: .procps), release: "2.6.32") == ["nf_conntrack_max=5?"])
        #expect(try writes(text, SysctlRun(reader: .procps), release: "4.9.0") == [])
        #expect(try writes(text, SysctlRun(reader: .procps), release: nil) == [])
    }

    @Test(arguments: [
        ("helper", "5.19.0", "6.0.0"), ("dccp_loose", "6.16.0", "6.17.0"), ("udplite_timeout", "7.0.0", "7.1.0"),
    ])
    func `settings that a kernel no longer has are not set`(_ name: String, _ last: String, _ first: String) throws {
        let text = "net.netfilter.nf_conntrack_\(name) = 1"
        #expect(try writes(text, SysctlRun(reader: .systemd), release: last) == ["nf_conntrack_\(name)=1"])
        #expect(try writes(text, SysctlRun(reader: .systemd), release: first) == [])
    }

    @Test func `what is no setting is not set`() throws {
        let text = "net.netfilter.nf_conntrack_count = 5\nnet.netfilter.nf_conntrack_buckets = 6"
        #expect(try writes(text, SysctlRun(reader: .systemd)) == ["nf_conntrack_buckets=6"])
        #expect(try writes(text, SysctlRun(reader: .systemd), release: "4.4.0") == [])
    }

    @Test func `files of any size and kind are read boundedly`() throws {
        let many = (0..<5000).map {
            "net.netfilter.nf_conntrack_x\($0)* = 1\nnet.netfilter.nf_conntrack_*y\($0 % 7)* = 2\n"
        }
        let tree = try SysctlTree([("etc/sysctl.d/a.conf", many.joined())])
        #expect(tree.writes(SysctlRun(reader: .systemd)) == [])
    }
}
