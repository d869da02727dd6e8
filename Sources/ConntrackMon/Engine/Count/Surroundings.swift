// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

extension Collector {
    /// Everything that does not come through the ring, at the moment of a sample.
    struct Surroundings {
        var moment: Moment
        var buckets: UInt64?
        var statsObstacle: StatisticsObstacle?
        var tableFullLines = TableFullCount()
        var listening = false
        /// What is listened to then.
        var groups: EventGroups = [.new, .destroy]
        var isNetlinkThere: Bool?
        var ringCapacity = 0
        var ringPeak = 0
        var cpuSeconds = 0.0
        var survey: Survey?
        var traffic: Traffic?
        var degraded: [Degradation] = []
    }
}
