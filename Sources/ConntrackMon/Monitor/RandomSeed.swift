// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackEngine
internal import ConntrackModel

extension HashSeed {
    /// One from the system's random numbers. The engine has no source of its own, so that a run can be repeated.
    static func random() -> HashSeed {
        var random = SystemRandomNumberGenerator()
        return HashSeed(from: &random)
    }
}
