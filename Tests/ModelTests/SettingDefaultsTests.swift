// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackModel

/// What settings begin with, and when they ended.
@Suite struct SettingDefaultsTests {
    private func setting(_ name: String, _ release: String?, buckets: UInt64? = nil) -> UInt64? {
        KernelDefaults.setting("nf_conntrack_" + name, release: release.flatMap { KernelRelease($0) }, buckets: buckets)
    }

    /// As read from /proc/sys/net/netfilter of a 6.18 kernel just booted.
    @Test func `all of 6_18 are known`() {
        let live: [String: UInt64] = [
            "acct": 0, "checksum": 1, "events": 2, "expect_max": 4096, "generic_timeout": 600, "gre_timeout": 30,
            "gre_timeout_stream": 180, "icmp_timeout": 30, "icmpv6_timeout": 30, "log_invalid": 0,
            "sctp_timeout_closed": 10, "sctp_timeout_cookie_echoed": 3, "sctp_timeout_cookie_wait": 3,
            "sctp_timeout_established": 210, "sctp_timeout_heartbeat_sent": 30, "sctp_timeout_shutdown_ack_sent": 3,
            "sctp_timeout_shutdown_recd": 3, "sctp_timeout_shutdown_sent": 3, "tcp_be_liberal": 0,
            "tcp_ignore_invalid_rst": 0, "tcp_loose": 1, "tcp_max_retrans": 3, "tcp_timeout_close": 10,
            "tcp_timeout_close_wait": 60, "tcp_timeout_established": 432_000, "tcp_timeout_fin_wait": 120,
            "tcp_timeout_last_ack": 30, "tcp_timeout_max_retrans": 300, "tcp_timeout_syn_recv": 60,
            "tcp_timeout_syn_sent": 120, "tcp_timeout_time_wait": 120, "tcp_timeout_unacknowledged": 300,
            "timestamp": 0, "udp_timeout": 30, "udp_timeout_stream": 120,
        ]
        for (name, value) in live { #expect(setting(name, "6.18.44", buckets: 262_144) == value, "\(name)") }
    }

    @Test(
        arguments: [
            ("udp_timeout_stream", "4.19.0-27-amd64", 180), ("udp_timeout_stream", "5.0.0", 120),
            ("udp_timeout_stream", "4.18.0-553.el8_10.x86_64", nil),
            ("udp_timeout_stream", "3.10.0-1160.el7.x86_64", 180),
            ("events", "5.15.0-125-generic", 1), ("events", "6.1.0", 2), ("events", "5.14.0-503.el9.x86_64", nil),
            ("helper", "4.4.0-210-generic", 1), ("helper", "4.19.0-27-amd64", 0), ("helper", "3.10.0-1160.el7", nil),
            ("acct", "2.6.32-754.el6.x86_64", nil), ("acct", "3.10.0-1160.el7.x86_64", 0),
            ("sctp_timeout_established", "4.9.0", 432_000), ("sctp_timeout_established", "5.10.0", nil),
            ("sctp_timeout_shutdown_sent", "4.9.0", 0), ("sctp_timeout_shutdown_sent", "6.12.0", 3),
            ("dccp_timeout_open", "6.1.0", 43_200), ("no_such", "6.1.0", nil), ("events", nil, nil),
            ("udp_timeout", nil, 30),
        ] as [(String, String?, UInt64?)])
    func `the kernel's version decides, or nothing is said`(_ name: String, _ release: String?, _ value: UInt64?) {
        #expect(setting(name, release) == value)
    }

    @Test(
        arguments: [
            ("6.1.0", 65_536, 1024), ("6.1.0", 1024, 16), ("6.1.0", 70_144, 1096), ("3.10.0", 16_384, 256),
            ("3.10.0", 70_144, nil), ("6.1.0", nil, nil),
        ] as [(String, UInt64?, UInt64?)])
    func `expectations are counted from the hash`(_ release: String, _ buckets: UInt64?, _ value: UInt64?) {
        #expect(setting("expect_max", release, buckets: buckets) == value)
    }

    @Test(arguments: [
        ("nf_conntrack_helper", "6.0"), ("nf_conntrack_dccp_loose", "6.17"), ("nf_conntrack_dccp_timeout_open", "6.17"),
        ("nf_conntrack_udplite_timeout", "7.1"), ("nf_conntrack_max", nil), ("nf_conntrack_udp_timeout", nil),
    ])
    func `some settings are gone`(_ name: String, _ release: String?) {
        #expect(KernelDefaults.removal(of: name)?.description == release)
    }
}
