// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackEngine

extension HashSeed {
    /// The same in each run.
    package static var fixed: HashSeed {
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
