// SPDX-License-Identifier: GPL-3.0-or-later

/// The hash size and limit that nf_conntrack begins with. Depends on kernel, memory and the `hashsize` given at load.
///
/// nf_conntrack_init_start of 2.6.32, 4.0, 5.4 and 5.15; the last agrees with 6.1 and 6.12 in virtual machines from
/// 128 MB to 9 GB.
public struct KernelDefaults: Equatable, Sendable {
    /// nf_conntrack_buckets.
    public var buckets: UInt64
    /// nf_conntrack_max.
    public var limit: UInt64
    /// False where kernels of the same version differ (EL7 above 4 GiB).
    public var isCertain = true

    private static let gibibyte: UInt64 = 1 << 30

    /// What a load on this kernel would give.
    /// - Parameters:
    ///   - memory: MemTotal, in bytes.
    ///   - release: The kernel's version.
    ///   - hashsize: The module parameter, if one is given at load.
    ///   - pageSize: The hash fills whole pages.
    public init(memory: UInt64, release: KernelRelease, hashsize: UInt64? = nil, pageSize: UInt64 = 4096) {
        let pointer: UInt64 = release.is64Bit ? 8 : 4
        let slots = pageSize / pointer
        func wholePages(_ size: UInt64) -> UInt64 { (size + slots - 1) / slots * slots }

        if let hashsize, hashsize > 0 {
            buckets = wholePages(min(hashsize, 1 << 31))
            limit = buckets * 8
            return
        }
        // 5.15 made the hash four times larger and left the limit where it was.
        let isNew = release >= KernelRelease(5, 15)
        let hasStep = release >= KernelRelease(4, 0) || release.isEL7
        let size =
            if memory > 4 * Self.gibibyte && hasStep {
                isNew ? 262_144 : 65_536 as UInt64
            } else if memory > Self.gibibyte {
                isNew ? 65_536 : 16_384 as UInt64
            } else {
                max(memory / 16_384 / pointer, isNew ? 1024 : 32)
            }
        buckets = wholePages(size)
        limit = buckets * (isNew ? 1 : 4)
        isCertain = !(release.isEL7 && memory > 4 * Self.gibibyte)
    }

    /// Where a limit comes from, when it is a number that a kernel chooses; else nil.
    public static func recognise(
        limit: UInt64, buckets: UInt64?, memory: UInt64?, release: KernelRelease?, hashsize: UInt64? = nil
    ) -> LimitOrigin.Guess? {
        if let memory, let release {
            if let hashsize, limit == KernelDefaults(memory: memory, release: release, hashsize: hashsize).limit {
                return .givenHashsize(hashsize)
            }
            if limit == KernelDefaults(memory: memory, release: release).limit { return .kernelDefault(memory: memory) }
            if release.isEL7, memory > 4 * gibibyte, limit == 65_536 { return .el7Default }
        }
        if let buckets, buckets > 0, limit == 8 * buckets { return .hashsize(buckets) }
        return nil
    }

    /// Memory as people say it: "2 GB", "964 MB". MemTotal is a little below what is built in, so it is rounded up.
    package static func size(_ memory: UInt64) -> String {
        let mebibytes = Double(memory) / 1_048_576
        guard mebibytes >= 1000 else { return "\(fixed(mebibytes, 0)) MB" }
        return "\(fixed(mebibytes / 1024, 1).replacing(".0", with: "")) GB"
    }

    /// The other settings as nf_conntrack begins with them, where all kernels since 2.6.32 agree or the version tells.
    package static func setting(_ name: String, release: KernelRelease?) -> UInt64? {
        switch name {
        case "nf_conntrack_udp_timeout_stream": release.map { $0 >= KernelRelease(5, 0) ? 120 : 180 }
        default: fixedSettings[name]
        }
    }

    private static let fixedSettings: [String: UInt64] = [
        "nf_conntrack_acct": 0, "nf_conntrack_timestamp": 0, "nf_conntrack_checksum": 1, "nf_conntrack_log_invalid": 0,
        "nf_conntrack_generic_timeout": 600, "nf_conntrack_icmp_timeout": 30, "nf_conntrack_icmpv6_timeout": 30,
        "nf_conntrack_udp_timeout": 30, "nf_conntrack_gre_timeout": 30, "nf_conntrack_gre_timeout_stream": 180,
        "nf_conntrack_tcp_be_liberal": 0, "nf_conntrack_tcp_loose": 1, "nf_conntrack_tcp_max_retrans": 3,
        "nf_conntrack_tcp_timeout_syn_sent": 120, "nf_conntrack_tcp_timeout_syn_recv": 60,
        "nf_conntrack_tcp_timeout_established": 432_000, "nf_conntrack_tcp_timeout_fin_wait": 120,
        "nf_conntrack_tcp_timeout_close_wait": 60, "nf_conntrack_tcp_timeout_last_ack": 30,
        "nf_conntrack_tcp_timeout_time_wait": 120, "nf_conntrack_tcp_timeout_close": 10,
        "nf_conntrack_tcp_timeout_max_retrans": 300, "nf_conntrack_tcp_timeout_unacknowledged": 300,
    ]
}
