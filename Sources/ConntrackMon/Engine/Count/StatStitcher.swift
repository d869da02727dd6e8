// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel

/// Makes totals that never go back out of per-CPU u32 that wrap and, with a reload, start again at 0.
package struct StatStitcher: Sendable {
    private var last: [StatValues] = []
    /// Totals a CPU since the monitor began, starting from what the kernel had then.
    private(set) var perCPU: [StatValues] = []

    /// Nothing read yet.
    package init() {}

    /// Takes a new reading; `restarted` = the counters began anew since the last one.
    package mutating func take(_ reading: [StatValues], restarted: Bool) {
        for (cpu, values) in reading.enumerated() {
            if cpu >= perCPU.count { perCPU.append(StatValues()) }
            for stat in Stat.allCases {
                guard let value = values[stat] else { continue }
                let before = cpu < last.count ? last[cpu][stat] : nil
                let growth = restarted ? value : before.map { UInt64(UInt32(value) &- UInt32($0)) } ?? value
                perCPU[cpu][stat] = (perCPU[cpu][stat] ?? 0) + growth
            }
        }
        last = reading
    }

    /// The sum over all CPUs; nil before the first reading.
    package var total: StatValues? {
        guard !perCPU.isEmpty else { return nil }
        var sum = StatValues()
        for values in perCPU {
            for stat in Stat.allCases {
                guard let value = values[stat] else { continue }
                sum[stat] = (sum[stat] ?? 0) + value
            }
        }
        return sum
    }
}
