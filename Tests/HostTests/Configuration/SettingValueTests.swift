// SPDX-License-Identifier: GPL-3.0-or-later

import ConntrackModel
import Testing

@testable import ConntrackHost

/// What the kernel makes of a value.
@Suite struct SettingValueTests {
    private func shown(_ text: String, of name: String, _ release: String?) -> String? {
        SettingValue(text, of: "nf_conntrack_\(name)", release: release.flatMap { KernelRelease($0) }).map {
            "\($0.number)" + ($0.certainty == .certain ? "" : "?")
        }
    }

    @Test(arguments: [
        ("5", "5"), ("2147483647", "2147483647"), ("2147483648", nil), ("0x10", "16"), ("\"5\"", nil), ("", nil),
        ("5 # why", "5"), ("+5", nil),
    ])
    func `a limit is an int`(_ text: String, _ value: String?) {
        #expect(shown(text, of: "max", "6.1.0") == value)
        #expect(shown(text, of: "max", nil) == value)
    }

    @Test func `no limit is refused from 6 19 on`() {
        #expect(shown("0", of: "max", "6.18.0") == "0")
        #expect(shown("0", of: "max", nil) == "0")
        #expect(shown("0", of: "max", "6.19.0") == nil)
        #expect(shown("0", of: "acct", "6.19.0") == "0")
    }

    @Test(arguments: [
        ("-1", "4.18.0", "4294967295"), ("-1", "6.1.0", "4294967295?"), ("-1", "6.15.0", nil), ("-1", nil, nil),
        ("-5 x", "3.10.0", "4294967291"), ("-0", "3.10.0", "0"), ("--1", "3.10.0", nil), ("-2147483649", "3.10.0", nil),
    ])
    func `a negative limit is taken for a huge one before 6 15`(_ text: String, _ release: String?, _ value: String?) {
        #expect(shown(text, of: "max", release) == value)
    }

    @Test func `timeouts are jiffies in an int`() {
        #expect(shown("432000", of: "tcp_timeout_established", "6.1.0") == "432000")
        #expect(shown("2147483", of: "udp_timeout", "6.1.0") == "2147483")
        #expect(shown("2592000", of: "tcp_timeout_established", "6.1.0") == "2592000?")
        #expect(shown("21474837", of: "udp_timeout", "6.1.0") == nil)
        #expect(shown("-1", of: "udp_timeout", "4.18.0") == nil)
    }

    @Test func `other settings have bounds of their own`() {
        #expect(shown("0", of: "buckets", "6.1.0") == nil)
        #expect(shown("4294967296", of: "frag6_high_thresh", "6.1.0") == "4294967296")
        #expect(shown("4294967296", of: "expect_max", "6.1.0") == nil)
    }
}

/// GLOB_BRACE.
@Suite struct BracesTests {
    @Test(arguments: [
        ("abc", ["abc"]), ("a{b,c}d", ["abd", "acd"]), ("{a,b}{c,d}", ["ac", "ad", "bc", "bd"]),
        ("a{b,{c,d}}", ["ab", "ac", "ad"]),
        ("a{b", ["a{b"]), ("a}b", ["a}b"]), ("a{b}c", ["abc"]), ("{a,}", ["a", ""]), ("{x{a,b}", ["{xa", "{xb"]),
    ])
    func `braces hold alternatives`(_ text: String, _ alternatives: [String]) {
        #expect(braceAlternatives(of: text) == alternatives)
    }

    @Test func `too many alternatives are none`() {
        let text = String(repeating: "{a,b}", count: 40)
        #expect(braceAlternatives(of: text) == [text])
        let deep = String(repeating: "{", count: 10_000)
        #expect(braceAlternatives(of: deep) == [deep])
    }
}
