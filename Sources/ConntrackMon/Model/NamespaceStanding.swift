// SPDX-License-Identifier: GPL-3.0-or-later

/// What the name by which a network namespace was entered leads to now.
package enum NamespaceStanding: Sendable {
    /// To the same one.
    case there
    /// To nothing.
    case gone
    /// To another one.
    case replaced
}
