// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackHost

/// sysctl.d(5), line by line.
@Suite struct SysctlSyntaxTests {
    @Test(arguments: [
        ("net.netfilter.nf_conntrack_max=1", "net/netfilter/nf_conntrack_max", "1"),
        ("  net.netfilter.nf_conntrack_max \t=  1 2\t ", "net/netfilter/nf_conntrack_max", "1 2"),
        ("net/netfilter/nf_conntrack_max = 1", "net/netfilter/nf_conntrack_max", "1"),
        ("/net//netfilter/nf_conntrack_max = 1", "net/netfilter/nf_conntrack_max", "1"),
        ("net/./netfilter/nf_conntrack_max = 1", "net/netfilter/nf_conntrack_max", "1"),
        ("net.ipv4.conf.eth0/1.rp_filter = 1", "net/ipv4/conf/eth0.1/rp_filter", "1"),
        ("net/ipv4/conf/eth0.1/rp_filter = 1", "net/ipv4/conf/eth0.1/rp_filter", "1"),
        ("-net.netfilter.nf_conntrack_acct = 1", "net/netfilter/nf_conntrack_acct", "1"),
        ("-net.netfilter.nf_conntrack_acct", "net/netfilter/nf_conntrack_acct", nil),
        ("net.netfilter.nf_conntrack_acct=", "net/netfilter/nf_conntrack_acct", ""),
        ("a = b = c", "a", "b = c"),
        ("net.netfilter.* = 1", "net/netfilter/*", "1"),
        ("net.netfilter.nf_conntrack_max = \"7\"", "net/netfilter/nf_conntrack_max", "\"7\""),
        ("net.netfilter.nf_conntrack_max = 7 # why", "net/netfilter/nf_conntrack_max", "7 # why"),
    ])
    func `an assignment is a key, an equals sign and a value`(_ line: String, _ key: String, _ value: String?) {
        let (assignments, faulty) = SysctlSyntax.parse(line)
        #expect(assignments.map(\.key) == [key])
        #expect(assignments.map(\.value) == [value])
        #expect(faulty == [])
    }

    @Test(arguments: ["", "   ", "# net.a = 1", "\t; net.a = 1", "#", ";"])
    func `blank lines and comments say nothing`(_ line: String) {
        let (assignments, faulty) = SysctlSyntax.parse(line)
        #expect(assignments == [])
        #expect(faulty == [])
    }

    @Test(arguments: ["net.netfilter.nf_conntrack_max 7", "= 7", "-", "- = 7", "\u{1}\u{2}"])
    func `a line that assigns nothing is a fault`(_ line: String) {
        let (assignments, faulty) = SysctlSyntax.parse(line)
        #expect(assignments == [])
        #expect(faulty == [1])
    }

    @Test func `lines are counted from 1, however they end`() {
        let (assignments, faulty) = SysctlSyntax.parse("a=1\r\nb=2\n\nnonsense\rc=3\0d=4")
        #expect(assignments.map(\.line) == [1, 2, 5, 6])
        #expect(faulty == [4])
    }

    @Test func `to procps only a line feed ends a line, and a zero byte hides the rest of it`() {
        let (assignments, faulty) = SysctlSyntax.parse("a=1\r\nb=2\rc=3\nd=4\0e=5\n\0f=6\r\n", by: .procps)
        #expect(assignments.map(\.key) == ["a", "b", "d"])
        #expect(assignments.map(\.value) == ["1", "2\rc=3", "4"])
        #expect(faulty == [])
        #expect(SysctlSyntax.number("2\rc=3") == nil)
    }

    @Test(arguments: [
        "net.netfilter.nf_conntrack_max. = 1", "net/netfilter/nf_conntrack_max/ = 1",
        "- net.netfilter.nf_conntrack_max = 1",
    ])
    func `procps takes no key with a separator behind it or a blank before it`(_ line: String) {
        #expect(SysctlSyntax.parse(line).assignments.map(\.key) == ["net/netfilter/nf_conntrack_max"])
        #expect(SysctlSyntax.parse(line, by: .procps).assignments.map(\.key) != ["net/netfilter/nf_conntrack_max"])
    }

    @Test(arguments: [
        ("1048576", 1_048_576), ("7 # why", 7), ("0x10", 16), ("010", 8), ("0", 0), (" 5 6", 5),
        ("\"9\"", nil), ("12k", nil), ("-1", nil), ("+1", nil), ("", nil), ("0x", nil), ("0x+1", nil),
        ("99999999999999999999", nil),
    ])
    func `a value is a number where the kernel takes it for one`(_ value: String, _ number: UInt64?) {
        #expect(SysctlSyntax.number(value) == number)
    }

    @Test(arguments: [
        ("net/netfilter/*", "net/netfilter/nf_conntrack_max", true),
        ("net/*/nf_conntrack_max", "net/netfilter/nf_conntrack_max", true),
        ("net/*", "net/netfilter/nf_conntrack_max", false),
        ("*", "net", true),
        ("net/netfilter/nf_conntrack_tcp_timeout_*", "net/netfilter/nf_conntrack_tcp_timeout_close", true),
        ("net/netfilter/nf_conntrack_tcp_*_close", "net/netfilter/nf_conntrack_tcp_timeout_close", true),
        ("a?c", "abc", true), ("a?c", "ac", false), ("a[bx]c", "abc", true), ("a[!b]c", "abc", false),
        ("a[a-c]c", "abc", true), ("a[^a-c]c", "axc", true), ("a[]b]c", "a]c", true), ("a[b", "a[b", true),
        ("a[[:digit:]]c", "a7c", true), ("a[[:digit:]]c", "axc", false), ("a[![:digit:]_]c", "axc", true),
        ("a\\*c", "abc", false), ("a\\*c", "a*c", true), ("a\\b?", "abc", true), ("a[\\]]c", "a]c", true),
        ("*/b", ".a/b", false), ("{a,b}*", "ab", false), ("a*", "a/b", false), ("a[!b]c", "a/c", false),
        ("a[b", "ab", false), ("abc", "abc", true), ("abc", "abcd", false), ("a*", "a", true), ("", "", true),
    ])
    func `globs match within one part of a path`(_ pattern: String, _ path: String, _ matches: Bool) {
        #expect(globMatches(pattern, path) == matches)
    }

    @Test func `a pattern of many stars ends soon`() {
        let pattern = String(repeating: "a*", count: 5000) + "b"
        #expect(!globMatches(pattern, String(repeating: "a", count: 5000)))
    }

    @Test(
        arguments: [
            ("net/netfilter/../netfilter/nf_conntrack_acct", "net/netfilter/nf_conntrack_acct"),
            ("net/*/../netfilter/nf_conntrack_acct", "net/netfilter/nf_conntrack_acct"),
            // A setting is no folder to climb out of.
            (
                "net/netfilter/nf_conntrack_max/../nf_conntrack_acct",
                "net/netfilter/nf_conntrack_max/../nf_conntrack_acct"
            ),
        ])
    func `procps follows two dots as the kernel does`(_ key: String, _ path: String) {
        #expect(SysctlSyntax.parse("\(key) = 1", by: .procps).assignments.map(\.key) == [path])
    }
}
