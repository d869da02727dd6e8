// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What is to be said where this kernel shows no statistics: which alerts cannot fire, once, and when they can again.
struct StatisticsNews: Sendable {
    /// nf_conntrack_netlink that joining the event groups loads (`--load-modules`) is there within a second.
    private static let patience = Duration.seconds(2)

    private var obstacle: StatisticsObstacle?
    private var since: MonotonicTime?
    private var isSaid = false

    /// Takes what was read at `time`; a line for the monitor's own log when there is something to say.
    mutating func take(_ reading: KernelReading, at time: MonotonicTime) -> String? {
        if reading.statisticsObstacle != obstacle {
            obstacle = reading.statisticsObstacle
            since = time
        }
        guard let obstacle else {
            guard isSaid, reading.statistics != nil else { return nil }
            isSaid = false
            return "statistics by ctnetlink, and all alerts by them, from now on"
        }
        // Without a cure they come by themselves.
        guard !isSaid, obstacle.cure != nil, let since, time - since >= StatisticsNews.patience else { return nil }
        isSaid = true
        return
            "no statistics: \(obstacle.reason); until then insert_clash and early_drop cannot fire, table_full only by"
            + " the kernel's log, and hash_overloaded only by entries per bucket"
    }
}
