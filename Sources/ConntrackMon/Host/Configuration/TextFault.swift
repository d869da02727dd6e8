// SPDX-License-Identifier: GPL-3.0-or-later

/// Why a line does nothing, and what to write instead.
struct TextFault: Equatable, Sendable {
    var reason: String
    var cure: String
    /// The setting that was meant, and the value.
    var setting: String?
    var value: UInt64?
    /// False where a name is not known and near to none that is: another program's module may bring it.
    var isCertain = true
    /// The next load of the module fails by it.
    var failsLoad = false
}
