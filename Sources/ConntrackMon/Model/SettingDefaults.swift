// SPDX-License-Identifier: GPL-3.0-or-later

/// The other settings as nf_conntrack begins with them, by kernel (net/netfilter/nf_conntrack_*.c); nil where kernels of
/// a version differ, or stable releases changed it. All numbers are as sysctl shows them: seconds, counts, switches.
extension KernelDefaults {
    /// - Parameters:
    ///   - name: "nf_conntrack_udp_timeout".
    ///   - release: nil for what all kernels since 2.6.32 agree on.
    ///   - buckets: What the hash begins with; nf_conntrack_expect_max is counted from it.
    package static func setting(_ name: String, release: KernelRelease?, buckets: UInt64? = nil) -> UInt64? {
        if name == "nf_conntrack_expect_max" {
            // nf_conntrack_expect_init: four for each of buckets / 256 chains, at least one chain.
            // Before 4.7 that is the size before it is filled up to whole pages, which only round numbers tell.
            let isOld = release.map { $0 < KernelRelease(4, 7) } ?? true
            return buckets.flatMap { isOld && ![16_384, 65_536].contains($0) ? nil : max($0 / 256, 1) * 4 }
        }
        if let fixed = fixedSettings[name] { return fixed }
        guard let release else { return nil }
        // EL's kernels carry much of later ones.
        let isEL = ["el7", "el8", "el9"].contains { release.description.contains($0) }
        switch name {
        // Some distributions configured it on, up to 3.2.
        case "nf_conntrack_acct": return release >= KernelRelease(3, 10) ? 0 : nil
        case "nf_conntrack_events":
            if isEL, !release.isEL7 { return nil }
            return release >= KernelRelease(5, 19) ? 2 : 1
        case "nf_conntrack_helper":
            // On by itself before 4.7 (3bb398d925ec).
            return isEL ? nil : release >= KernelRelease(4, 7) ? 0 : 1
        case "nf_conntrack_udp_timeout_stream":
            if isEL, release == KernelRelease(4, 18) { return nil }
            return release >= KernelRelease(5, 0) ? 120 : 180
        default: return isEL ? nil : sctp(name, release)
        }
    }

    /// The version since which a setting is no more; nil for those that are there still. What is gone is not reverted.
    package static func removal(of name: String) -> KernelRelease? {
        if name.hasPrefix("nf_conntrack_dccp_") { return KernelRelease(6, 17) }
        if name.hasPrefix("nf_conntrack_udplite_") { return KernelRelease(7, 1) }
        return switch name {
        case "nf_conntrack_helper": KernelRelease(6, 0)
        case "nf_conntrack_sctp_timeout_heartbeat_acked": KernelRelease(6, 2)
        default: nil
        }
    }

    /// Of these three, stable releases from 4.14 on took changes of 6.2 (a44b7651489f) and 6.5 (9bfab6d23a28).
    private static func sctp(_ name: String, _ release: KernelRelease) -> UInt64? {
        let isOld = release < KernelRelease(4, 14)
        switch name {
        case "nf_conntrack_sctp_timeout_established":
            return release >= KernelRelease(6, 2) ? 210 : isOld ? 432_000 : nil
        // 0.3 s, which are shown as 0.
        case "nf_conntrack_sctp_timeout_shutdown_sent", "nf_conntrack_sctp_timeout_shutdown_recd":
            return release >= KernelRelease(6, 6) ? 3 : isOld ? 0 : nil
        default: return nil
        }
    }

    private static let fixedSettings: [String: UInt64] = [
        "nf_conntrack_timestamp": 0, "nf_conntrack_checksum": 1, "nf_conntrack_log_invalid": 0,
        "nf_conntrack_generic_timeout": 600, "nf_conntrack_icmp_timeout": 30, "nf_conntrack_icmpv6_timeout": 30,
        "nf_conntrack_udp_timeout": 30, "nf_conntrack_gre_timeout": 30, "nf_conntrack_gre_timeout_stream": 180,
        "nf_conntrack_udplite_timeout": 30, "nf_conntrack_udplite_timeout_stream": 180,
        "nf_conntrack_tcp_be_liberal": 0, "nf_conntrack_tcp_loose": 1, "nf_conntrack_tcp_max_retrans": 3,
        "nf_conntrack_tcp_ignore_invalid_rst": 0,
        "nf_conntrack_tcp_timeout_syn_sent": 120, "nf_conntrack_tcp_timeout_syn_recv": 60,
        "nf_conntrack_tcp_timeout_established": 432_000, "nf_conntrack_tcp_timeout_fin_wait": 120,
        "nf_conntrack_tcp_timeout_close_wait": 60, "nf_conntrack_tcp_timeout_last_ack": 30,
        "nf_conntrack_tcp_timeout_time_wait": 120, "nf_conntrack_tcp_timeout_close": 10,
        "nf_conntrack_tcp_timeout_max_retrans": 300, "nf_conntrack_tcp_timeout_unacknowledged": 300,
        "nf_conntrack_sctp_timeout_closed": 10, "nf_conntrack_sctp_timeout_cookie_wait": 3,
        "nf_conntrack_sctp_timeout_cookie_echoed": 3, "nf_conntrack_sctp_timeout_shutdown_ack_sent": 3,
        "nf_conntrack_sctp_timeout_heartbeat_sent": 30, "nf_conntrack_sctp_timeout_heartbeat_acked": 210,
        "nf_conntrack_dccp_loose": 1, "nf_conntrack_dccp_timeout_request": 240,
        "nf_conntrack_dccp_timeout_respond": 480, "nf_conntrack_dccp_timeout_partopen": 480,
        "nf_conntrack_dccp_timeout_open": 43_200, "nf_conntrack_dccp_timeout_closereq": 64,
        "nf_conntrack_dccp_timeout_closing": 64, "nf_conntrack_dccp_timeout_timewait": 240,
    ]
}
