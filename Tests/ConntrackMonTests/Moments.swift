// SPDX-License-Identifier: GPL-3.0-or-later

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

// Time and looks as tests make them: no clock is ever asked.

extension Moment {
    /// `seconds` after 2026-11-24T05:47:02.310Z, on a machine that had been up for a day then.
    static func at(_ seconds: Double) -> Moment {
        let offset = Int64((seconds * 1e9).rounded())
        return Moment(
            monotonic: MonotonicTime(nanoseconds: UInt64(86_400_000_000_000 + offset)),
            wall: WallTime(nanoseconds: 1_795_499_222_310_000_000 + offset))
    }
}

extension TableLook {
    /// A table that can be read.
    static func at(
        _ seconds: Double, entries: UInt64? = 100, limit: UInt64? = 1000, unloaded: Bool = false
    ) -> TableLook {
        var look = TableLook(moment: .at(seconds))
        look.entries = entries
        look.limit = limit
        look.unloaded = unloaded
        return look
    }

    /// No nf_conntrack.
    static func gone(at seconds: Double, unloaded: Bool = false) -> TableLook {
        var look = TableLook.at(seconds, entries: nil, limit: nil, unloaded: unloaded)
        look.absent = true
        return look
    }
}

extension Sample {
    /// A sample of one second with a readable table, and what `change` adds to it.
    static func at(
        _ seconds: Double, entries: UInt64? = 100, limit: UInt64? = 1000, _ change: (inout Sample) -> Void = { _ in }
    ) -> Sample {
        var sample = Sample(moment: .at(seconds), table: .at(seconds, entries: entries, limit: limit))
        sample.elapsed = .seconds(1)
        change(&sample)
        return sample
    }
}

extension StatValues {
    /// Some statistics; the others are not known.
    init(_ values: [Stat: UInt64]) {
        self.init()
        for (stat, value) in values { self[stat] = value }
    }
}

extension HashSeed {
    /// The same in each run.
    static var fixed: HashSeed {
        var random = FixedNumbers()
        return HashSeed(from: &random)
    }

    private struct FixedNumbers: RandomNumberGenerator {
        private var state: UInt64 = 0x9e37_79b9_7f4a_7c15

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state
        }
    }
}
