// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// A table that stays empty from the start. Hooks are registered on demand (nf_ct_netns_get), so it may mean that nothing
/// is tracked.
struct NothingTrackedWatch: Sendable {
    private static let enough = 3

    private var idleSamples = 0

    mutating func observe(_ sample: Sample) -> Notice? {
        guard idleSamples < Self.enough, sample.table.entries == 0, sample.table.limit != nil else {
            // Entries settle it: something is tracked here.
            if sample.table.entries ?? 0 > 0 { idleSamples = Self.enough }
            return nil
        }
        idleSamples += 1
        return idleSamples == Self.enough ? Notice(.nothingTracked, Explanation(nothingTrackedText)) : nil
    }
}
