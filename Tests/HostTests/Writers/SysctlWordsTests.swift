// SPDX-License-Identifier: GPL-3.0-or-later

import ConntrackModel
import Testing

@testable import ConntrackHost

/// What the words of a command make a sysctl program do.
@Suite struct SysctlWordsTests {
    private typealias Step = SysctlRun.Step

    private static func run(_ files: [String]? = nil, _ filter: SysctlRun.Filter = .all) -> [Step] {
        [.run(SysctlRun(reader: .procps, files: files, filter: filter))]
    }

    private static func systemd(_ files: [String]? = nil, _ filter: SysctlRun.Filter = .all) -> [Step] {
        [.run(SysctlRun(reader: .systemd, files: files, filter: filter))]
    }

    @Test(arguments: [
        ("sysctl --system", run()),
        ("/usr/sbin/sysctl --sys -q", run()),
        ("sysctl -q --pattern RE --system", run(nil, .pattern("RE"))),
        ("sysctl -qr RE --system", run(nil, .pattern("RE"))),
        ("sysctl --pattern=RE --system", run(nil, .pattern("RE"))),
        ("sysctl -p", run(["/etc/sysctl.conf"])),
        ("sysctl -e -p -q", run(["/etc/sysctl.conf"])),
        ("sysctl -f", run(["/etc/sysctl.conf"])),
        ("sysctl --load", run(["/etc/sysctl.conf"])),
        ("sysctl -p /a /b", run(["/a", "/b"])),
        ("sysctl -p/a /b", run(["/a", "/b"])),
        ("sysctl /b -p", run(["/b"])),
        ("sysctl -eqp /a", run(["/a"])),
        ("sysctl -ep/a", run(["/a"])),
        ("sysctl --load=/a", run(["/a"])),
        ("sysctl --load /a", run(["/a"])),
        ("sysctl -p -", run(["-"])),
        ("sysctl -p /a -r RE", run(["/a"], .pattern("RE"))),
        ("systemd-sysctl", systemd()),
        ("/usr/lib/systemd/systemd-sysctl --strict", systemd()),
        ("systemd-sysctl --prefix=/net/netfilter", systemd(nil, .prefixes(["/net/netfilter"]))),
        ("systemd-sysctl --prefix a --prefix b x.conf", systemd(["x.conf"], .prefixes(["a", "b"]))),
    ])
    func `files are applied`(_ command: String, _ steps: [SysctlRun.Step]) {
        #expect(SysctlRun.of(words: command.split(separator: " ").map(String.init)) == steps)
    }

    @Test(arguments: [
        ["sysctl", "-w", "net.a=1", "net.b=2"], ["sysctl", "net.a=1", "-q", "net.b=2"],
        ["/sbin/sysctl", "-w", "--", "net.a=1", "net.b=2"], ["sysctl", "-n", "net.a=1", "net.c", "net.b=2"],
        ["busybox", "sysctl", "-w", "net.a=1", "net.b=2"], ["/bin/busybox", "sysctl", "net.a=1", "net.b=2"],
        ["systemd-sysctl", "--inline", "net.a=1", "net.b=2"],
    ])
    func `a command line assigns`(_ words: [String]) {
        #expect(SysctlRun.of(words: words) == [.assign(key: "net.a", value: "1"), .assign(key: "net.b", value: "2")])
    }

    @Test(arguments: [
        "sysctl", "sysctl -a", "sysctl -n net.a", "sysctl net.a", "sysctl -A -p", "sysctl --dry-run --system",
        "sysctl --help", "sysctl -p --nonsense", "sysctl =1", "sysctl -y net.a=1",
        "systemd-sysctl --cat-config", "systemd-sysctl --help", "systemd-sysctl --nonsense", "systemd-sysctl --prefix",
        "busybox sysctl --system", "busybox sysctl -a", "busybox sysctl -e net.a",
    ])
    func `nothing is set by one that shows, or fails`(_ command: String) {
        #expect(SysctlRun.of(words: command.split(separator: " ").map(String.init)) == [])
    }

    @Test(arguments: [
        "", "echo sysctl", "mysysctl -p", "busybox", "busybox modprobe a", "sysctl.sh -p", "sudo sysctl -p",
    ])
    func `other programs are not looked at`(_ command: String) {
        #expect(SysctlRun.of(words: command.split(separator: " ").map(String.init)) == nil)
    }

    @Test(arguments: [
        "sysctl --system --dry-run", "sysctl -a --system", "sysctl --system -h", "sysctl --system --nonsense",
    ])
    func `most versions of procps are done when they have come to --system`(_ command: String) {
        let words = command.split(separator: " ").map(String.init)
        #expect(SysctlRun.of(words: words) == [.run(SysctlRun(reader: .procps, certainty: .may))])
    }

    /// From 4.0.6 on the pattern counts wherever it stands.
    @Test func `a pattern behind --system is not heeded by most versions of procps`() {
        let words = ["sysctl", "--system", "--pattern", "RE"]
        #expect(
            SysctlRun.of(words: words) == [
                .run(SysctlRun(reader: .procps, certainty: .may)),
                .run(SysctlRun(reader: .procps, filter: .pattern("RE"))),
            ])
    }
}
