// SPDX-License-Identifier: GPL-3.0-or-later

internal import TestKit
package import Testing

/// Fails with the difference when `text` is not what Tests/Golden/`name` holds.
package func expectGolden(
    _ text: String, _ name: String, at location: SourceLocation = #_sourceLocation
) throws {
    if let difference = try Golden.compare(text, with: name) {
        Issue.record("\(difference)", sourceLocation: location)
    }
}
