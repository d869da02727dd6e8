// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing
import UnitKit

@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish

/// docs/status.md, which is written by hand.
@Suite struct StatusPageTests {
    @Test func `every member of the JSON has its row there`() throws {
        let rows = try readFile("\(Repository.root)/docs/status.md").split(separator: "\n").filter {
            $0.hasPrefix("| `")
        }
        var report = Reports.full
        report.bootId = "boot"
        report.thresholds = (0.75, 0.9)
        let said = MonitorWord.said(StatusDocument(report), age: 1)
        let documents = [
            StatusDocument(report), StatusDocument(judging: report, said, rules: LookRules()),
            StatusDocument(judging: report, .unusable("is damaged"), rules: LookRules()),
        ]
        // Two blanks before it: a member of the object itself.
        let names = try documents.flatMap { document in
            try PrettyJSON.layOut(document.json()).matches(of: #/\n  "?([a-z_]+)"?: /#).map { String($0.output.1) }
        }
        #expect(Set(names).count > 30)
        for name in Set(names) {
            #expect(rows.contains { $0.split(separator: " | ").first?.contains("`\(name)`") == true }, "\(name)")
        }
    }
}
