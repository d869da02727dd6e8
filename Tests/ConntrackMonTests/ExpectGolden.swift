// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

/// Fails with the difference when `text` is not what Tests/Golden/`name` holds.
func expectGolden(
    _ text: String, _ name: String, at location: SourceLocation = #_sourceLocation
) throws {
    if let difference = try Golden.compare(text, with: name) {
        Issue.record("\(difference)", sourceLocation: location)
    }
}
