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

/// What programs read line by line. Golden files have JSON laid out for people; here it is as it is really written.
@Suite struct JSONLineTests {
    /// Each kind of document, of each kind there is.
    private static func documents() throws -> [String] {
        var documents = [Reports.full, Reports.estimated, Reports.hindered, Reports.minimal, Reports.stopped].map {
            StatusDocument($0).json()
        }
        documents += Reports.announcements.map { alertJSON($0, identity: Reports.identity) }
        documents += DoctorTests.trees.map { DoctorTests.examine($0.0).json() }
        documents += [TopReportTests.report([.source]), TopReportTests.report(TopField.allCases, limit: 0)].map {
            $0.json()
        }
        return documents
    }

    @Test func `each document is exactly one line and JSON`() throws {
        for document in try Self.documents() {
            #expect(document.hasPrefix("{") && document.hasSuffix("}"))
            #expect(!document.utf8.contains { $0 < 0x20 || $0 == 0x7f }, "\(document)")
            #expect(throws: Never.self, "\(document)") { try PrettyJSON.layOut(document) }
        }
    }

    @Test func `members are written as they come, separated by commas`() throws {
        struct Header: Encodable {
            var dumpSeconds = 0.5
            var a = 1
        }
        var line = JSONLine()
        line.object { line in
            line.members(of: Header())
            line.member("x", UInt8(7))
            line.array("rows") { line in
                line.object { $0.member("share", 0.25) }
                line.object { _ in }
                line.object { line in
                    line.object("key") { $0.member("assured", true) }
                    line.member("left", -1)
                }
            }
            line.member("none", Double.nan)
            line.array("empty") { _ in }
        }

        #expect(
            line.text()
                == #"{"a":1,"dump_seconds":0.5,"x":7,"rows":[{"share":0.25},{},{"key":{"assured":true},"left":-1}],"empty":[]}"#
        )
    }

    @Test(arguments: ["plain", "a \"b\" \\ c", "x\ny\r\t\u{1}\u{1f}", "é 漢 \u{1F600}", "/"])
    func `a string is escaped as the encoder does it`(_ text: String) {
        var line = JSONLine()
        line.object { $0.member("text", text) }

        #expect(line.text() == encodeJSON(["text": text]))
    }
}
