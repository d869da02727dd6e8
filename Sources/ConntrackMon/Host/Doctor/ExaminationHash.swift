// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// The hash against the limit.
extension Examination {
    /// The limit was raised and the hash was not: chains get long, and too long for kernels since 5.15.
    mutating func findHash(_ limit: UInt64) {
        guard let buckets = facts.buckets, HashSize.isSmall(buckets, for: limit, facts.release) else { return }
        // What live_differs or limit_not_applied ask for is no reason to ask again.
        let most = max(limit, facts.configuration["nf_conntrack_max"]?.number ?? 0)
        let wanted = HashSize.recommended(for: most, facts.release)
        let memory = TableSize(entries: limit, buckets: wanted, entrySize: facts.entrySize)
        let chain = fixed(2 * Double(limit) / Double(buckets), 0)
        add(
            "hash_small", .warning,
            "\(buckets) buckets for a limit of \(limit): a full table has \(chain) tuples in each\(reachText(buckets, limit));"
                + " \(wanted) are recommended\(most > limit ? " for the configured \(most)" : ""). A full table takes \(memory.text)",
            evidence: facts.configuration["nf_conntrack_buckets"].map { [$0.evidence] } ?? [],
            cure: hashCure(limit: most, buckets: wanted))
    }

    /// What chains really take.
    private func reachText(_ buckets: UInt64, _ limit: UInt64) -> String {
        guard let chains = facts.release.flatMap({ ChainLimit($0) }) else { return "" }
        func most(_ chains: ChainLimit) -> String {
            "about \(roughly(chains.reachable(buckets: buckets))) entries"
        }
        let what = "before 1 new connection in 1000 is refused"
        guard chains.isCertain else {
            return "; this kernel's chains take \(most(chains)) \(what), if they may be \(chains.text) long, and"
                + " \(most(.short)) if \(ChainLimit.short.text): its version does not tell"
        }
        return "; this kernel's chains, \(chains.text) long, take \(most(chains)) \(what)"
    }

    /// With which nothing is left to find. A hash size that is written leaves the limit where it is; one that is given at
    /// load makes it 8 times as many, so that is named only where no sysctl has the buckets, with what puts the limit back.
    private func hashCure(limit: UInt64, buckets: UInt64) -> String {
        if facts.release.map({ $0 >= KernelRelease(4, 8) }) ?? true {
            let file = facts.configuration["nf_conntrack_buckets"]?.file ?? facts.sysctlFile
            return "sysctl -w net.netfilter.nf_conntrack_buckets=\(buckets); and in \(file):"
                + " net.netfilter.nf_conntrack_buckets = \(buckets)"
        }
        let now = "echo \(buckets) > /sys/module/nf_conntrack/parameters/hashsize"
        guard facts.modules.conntrack != .builtIn else {
            return "\(now); nf_conntrack.hashsize=\(buckets) on the kernel's command line"
        }
        var against: [String] = []
        if facts.configuration["nf_conntrack_max"]?.number == nil {
            against.append("net.netfilter.nf_conntrack_max = \(limit) in \(facts.sysctlFile)")
        }
        if !restoresLimit { against.append(restoreCure(for: [])) }
        return
            "\(now); options nf_conntrack hashsize=\(buckets) in /etc/modprobe.d/conntrack.conf, with which a load begins"
            + " with 8 times that as limit until \(against.isEmpty ? "what is configured" : "it") is put back"
            + (against.isEmpty ? "" : ": " + against.joined(separator: "; "))
    }
}
