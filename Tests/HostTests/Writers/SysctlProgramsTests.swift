// SPDX-License-Identifier: GPL-3.0-or-later

import ConntrackModel
import Glibc
import TestKit
import Testing

@testable import ConntrackHost

/// Runs of sysctl programs, against the programs: systemd-sysctl, procps' and busybox' sysctl in a tree of their own, where
/// /proc/sys is a folder of plain files. What a kernel refuses is not to be seen there; Tests/VM/sysctl.sh has one.
@Suite(.serialized, .enabled(if: Requirement.met(.process, .initialRoot) && SysctlPrograms.areThere))
struct SysctlProgramsTests {
    private static let base = [
        (
            "etc/sysctl.d/50-a.conf",
            """
            net.netfilter.nf_conntrack_max = 1001
            -net/netfilter/nf_conntrack_acct = 1
            /net/netfilter/nf_conntrack_udp_timeout = 41
            net.netfilter.nf_conntrack_icmp_timeout=42
            -net.netfilter.nf_conntrack_tcp_timeout_syn_sent
            net.netfilter.nf_conntrack_tcp_timeout_[[:alpha:]]* = 30
            net/netfilter/../netfilter/nf_conntrack_generic_timeout = 43
            net.nf_conntrack_ma? = 7

            """
        ),
        ("usr/lib/sysctl.d/60-b.conf", "net.nf_conntrack_max = 1002\nnet.netfilter.nf_conntrack_buckets=8\n"),
        ("usr/lib/sysctl.d/50-a.conf", "net.netfilter.nf_conntrack_udp_timeout_stream = 44\n"),
        ("etc/sysctl.conf", "net.netfilter.nf_conntrack_max=1003\n#net.netfilter.nf_conntrack_acct=2\n"),
    ]

    private static let braces = [
        (
            "etc/sysctl.d/50-a.conf",
            """
            net.netfilter.nf_conntrack_{acct,buckets} = 44
            net.netfilter.nf_conntrack_tcp_timeout_{close,s*} = 30
            net/netfilter/nf_conntrack_udp_{timeout*,x{a,b}*} = 31
            net.{netfilter,ipv4}.nf_conntrack_ic* = 32
            net.netfilter.nf_conntrack_{generic}_* = 33
            net.netfilter.nf_conntrack_{m* = 34
            net.netfilter.nf_conntrack_tcp_timeout_clos[e] = 35

            """
        ),
        ("etc/sysctl.conf", ""),
    ]

    @Test(arguments: [
        "systemd-sysctl", "systemd-sysctl --prefix=net.netfilter", "systemd-sysctl --prefix=/net/netfilter",
        "systemd-sysctl --prefix net/netfilter/", "systemd-sysctl --prefix=/net/netfilter/nf_conntrack_max",
        "systemd-sysctl --prefix=net.netfilter.nf_conntrack", "systemd-sysctl --prefix=net", "systemd-sysctl --prefix=",
        "systemd-sysctl --prefix=/proc/sys/net/netfilter", "systemd-sysctl --prefix=proc.sys.net",
        "systemd-sysctl --prefix=net/nf_conntrack_max --prefix=net.netfilter.nf_conntrack_tcp_timeout_close",
        "systemd-sysctl --prefix=/net/ipv4", "systemd-sysctl 60-b.conf", "systemd-sysctl 60-b.conf 50-a.conf",
        "systemd-sysctl /etc/sysctl.conf 50-a.conf", "systemd-sysctl nothing.conf /usr/lib/sysctl.d/50-a.conf",
        "sysctl --system", "sysctl -q --pattern net[.]netfilter[.]nf_conntrack.* --system",
        "sysctl -r ^net.netfilter --system", "sysctl -r max$ --system", "sysctl -r 30$ --system",
        "sysctl -r 42 --system", "sysctl -r ^- --system", "sysctl -r nf_conntrack_(max|acct) --system",
        "sysctl -r ( --system", "sysctl -r udp|= --system", "sysctl -p", "sysctl -p /etc/sysctl.d/* /etc/sysctl.conf",
        "sysctl -p/etc/sysctl.conf /etc/sysctl.d/50-a.conf", "sysctl --load=/etc/{sysctl.conf,sysctl.d/5*}",
        "sysctl -q -p /etc/nothing /usr/lib/sysctl.d/[56]*", "sysctl -p /etc/sysctl.d /etc/sysctl.conf",
        "sysctl --dry-run --system", "sysctl net.netfilter.nf_conntrack_max", "sysctl -p -x /etc/sysctl.conf",
        "busybox sysctl -p", "busybox sysctl -q -p /etc/sysctl.conf /usr/lib/sysctl.d/60-b.conf",
        "busybox sysctl --system", "busybox sysctl -a",
    ])
    func `a run sets what the program does`(_ command: String) throws {
        try compare(command, on: Self.base)
    }

    @Test(arguments: ["systemd-sysctl", "systemd-sysctl --prefix=net.netfilter", "sysctl --system"])
    func `braces are a feature of systemd-sysctl's globs alone`(_ command: String) throws {
        try compare(command, on: Self.braces)
    }

    @Test(arguments: [
        ["sysctl", "-w", "net.netfilter.nf_conntrack_max=9", "net.netfilter.nf_conntrack_acct=0"],
        ["sysctl", "net.nf_conntrack_max=5", "-e", "--", "net/netfilter/nf_conntrack_acct=4"],
        ["sysctl", "-n", "net.netfilter.nf_conntrack_acct", "net.netfilter.nf_conntrack_max=3"],
        ["busybox", "sysctl", "-w", "net.netfilter.nf_conntrack_max=4"],
        ["busybox", "sysctl", "-n", "net.netfilter.nf_conntrack_max=6"],
    ])
    func `a command line sets what the program does`(_ words: [String]) throws {
        let root = try SysctlPrograms.root()
        var expected: [String: String] = [:]
        for case .assign(let key, let value) in try #require(SysctlRun.of(words: words)) {
            let name = SysctlSyntax.normalized(key).split(separator: "/").last.map(String.init)
            expected[try #require(name)] = value
        }
        #expect(try root.run(words) == expected)
    }

    private func compare(_ command: String, on files: [(String, String)]) throws {
        let root = try SysctlPrograms.root()
        try root.lay(files)
        let words = command.split(separator: " ").map(String.init)
        var expected: [String: String] = [:]
        for case .run(let run) in try #require(SysctlRun.of(words: words)) {
            for act in run.acts(in: root.sources) {
                guard case .write(let write) = act, case .set(let number) = write.change else { continue }
                #expect(write.certainty == .certain)
                if SysctlPrograms.settings.contains(write.key) { expected[write.key] = "\(number)" }
            }
        }
        #expect(try root.run(words) == expected)
    }
}

/// The programs of this machine with the libraries they need, in a root of their own.
struct SysctlPrograms {
    static let programs = ["/lib/systemd/systemd-sysctl", "/usr/sbin/sysctl", "/usr/bin/busybox"]
    static let areThere = programs.allSatisfy { access($0, X_OK) == 0 }
    static let settings = [
        "max", "acct", "buckets", "tcp_timeout_close", "tcp_timeout_close_wait", "tcp_timeout_syn_sent", "udp_timeout",
        "udp_timeout_stream", "icmp_timeout", "generic_timeout",
    ].map { "nf_conntrack_\($0)" }
    private static let made = Result { try SysctlPrograms() }

    static func root() throws -> SysctlPrograms { try made.get() }

    private let directory: TemporaryDirectory
    let sources: WriterSources

    private init() throws {
        directory = try TemporaryDirectory()
        let script = """
            set -e
            for program in \(Self.programs.joined(separator: " ")); do
                mkdir -p bin
                cp -L $program bin/
                for library in $(ldd $program 2>/dev/null | grep -o '/[^ ]*'); do cp -L --parents $library .; done
            done
            # sysctl is not linked with it, and it tells the version.
            for library in /lib/*/libproc*.so.*; do cp -L --parents $library .; done
            mkdir -p proc/sys/net/netfilter etc/sysctl.d usr/lib/sysctl.d
            cd proc/sys/net
            for name in \(Self.settings.joined(separator: " ")); do : >netfilter/$name; done
            ln netfilter/nf_conntrack_max nf_conntrack_max
            """
        let outcome = try Command("/bin/sh", "-c", "cd \(directory.path); \(script)").run()
        try #require(outcome.status == .exited(0), "\(outcome)")
        let release = KernelRelease(6, 1)
        sources = WriterSources(
            tree: FileTree(root: directory.path), procfs: FileTree(root: directory.path + "/proc"), release: release,
            cores: 1, names: SettingNames(live: Self.settings, release: release))
    }

    /// Makes these the files of configuration.
    func lay(_ files: [(String, String)]) throws {
        for folder in ["etc/sysctl.d", "usr/lib/sysctl.d"] {
            for name in FileTree(root: directory.path).names(in: folder) ?? [] {
                unlink(directory.path(of: "\(folder)/\(name)"))
            }
        }
        for (name, text) in files { try directory.write(text, to: name) }
    }

    /// Runs a program, and tells which settings have which value then. What it says of others does not matter.
    func run(_ words: [String]) throws -> [String: String] {
        for name in Self.settings { try directory.write("", to: "proc/sys/net/netfilter/\(name)") }
        _ = try Command("chroot", arguments: [directory.path, "/bin/" + words[0]] + words.dropFirst()).run()
        var values: [String: String] = [:]
        for name in Self.settings {
            // Written over, not truncated: what stands in the first line is the last value.
            let text = try directory.read("proc/sys/net/netfilter/\(name)")
            values[name] = text.isEmpty ? nil : text.split(separator: "\n").first.map(String.init) ?? ""
        }
        return values
    }
}
