// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// What README.md says of the options.
@Suite struct ReadmeTests {
    @Test func `the flags of watch in README are those of the table`() throws {
        let lines = OptionTable.rows(of: .watch).map { row in
            "| `--\(row.name)` | \(row.defaultText ?? "none") | \(row.meaning(for: .watch)) |\n"
        }
        let table = "| flag | default | meaning |\n| --- | --- | --- |\n" + lines.joined()
        let readme = try readFile(Repository.root + "/README.md")

        #expect(readme.contains("#### Flags of watch\n\n" + table + "\n"), "README.md should have:\n\(table)")
    }
}
