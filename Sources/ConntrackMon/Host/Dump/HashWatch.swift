// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Whether the table's hash was resized while a dump walked it. Then the dump's place in it means nothing any more: of
/// 200,000 entries 105,644 came, or 216,741, and ctnetlink sets no NLM_F_DUMP_INTR (seen on 6.18; up to there it never
/// calls nl_dump_check_consistent). So the number of buckets is looked at along the way.
struct HashWatch: ~Copyable {
    private var buckets: KeptValue
    private let before: UInt64
    /// Whether any look saw another number than at the beginning.
    private(set) var isResized = false

    /// Begins now, before the dump is asked for.
    init(procfs: String) {
        buckets = KeptValue(procfs + "/sys/net/netfilter/nf_conntrack_buckets")
        before = buckets.read().value
    }

    /// A microsecond.
    mutating func look() {
        if buckets.read().value != before { isResized = true }
    }
}
