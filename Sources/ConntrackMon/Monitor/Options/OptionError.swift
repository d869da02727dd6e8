// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Wrong use: one line that names the value, and once it is known the option and the place it came from. Exit code 64.
package struct OptionError: Error, Equatable, CustomStringConvertible, Sendable {
    /// The line.
    package let description: String

    /// Of this line.
    package init(_ description: String) {
        self.description = description
    }
}
