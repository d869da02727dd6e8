// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// A table that stays empty from the start. Hooks are registered on demand (nf_ct_netns_get), so it may mean that nothing
/// is tracked. An entry settles it, or an event of one: something is tracked here.
struct NothingTrackedWatch: Sendable {
    private static let enough = 3

    private var idleSamples = 0

    mutating func observe(_ sample: Sample) -> Notice? {
        // Between two samples there may have been some: looks come more often.
        let highest = max(sample.entriesPeak ?? 0, sample.table.entries ?? 0)
        guard idleSamples < Self.enough, sample.table.entries == 0, highest == 0, sample.table.limit != nil else {
            if highest > 0 { idleSamples = Self.enough }
            return nil
        }
        // Entries that were destroyed at once (connections that are refused) leave only their events.
        guard sample.events?.total ?? 0 == 0, sample.lost.total == 0 else {
            idleSamples = Self.enough
            return nil
        }
        idleSamples += 1
        return idleSamples == Self.enough ? Notice(.nothingTracked, Explanation(nothingTrackedText)) : nil
    }
}
