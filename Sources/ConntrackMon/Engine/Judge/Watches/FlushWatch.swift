// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Over half of the table, and over 1,000 entries, went within a second without a reload.
struct FlushWatch: Sendable {
    private var flushed = false

    /// `isReloading`: the module is gone, or has just come back.
    mutating func observe(_ sample: Sample, isReloading: Bool) -> Notice? {
        guard let peak = sample.entriesPeakSecond, let entries = sample.table.entries, sample.gap == nil else {
            return nil
        }
        let gone = peak - min(peak, entries)
        let isFlushed = gone > 1000 && gone > peak / 2
        defer { flushed = isFlushed }
        guard isFlushed, !flushed, !isReloading else { return nil }
        return Notice(
            .tableFlushed,
            Explanation(
                "\(gone) of \(peak) entries went within a second without a reload (conntrack -F or -D, or a conntrack"
                    + " helper such as a failover)",
                why: ["established connections may hang"]),
            values: ["entries_before": Double(peak), "entries": Double(entries)])
    }
}
