// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing
import UnitKit

@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish

/// What a monitor's document is worth: fresh, not answering, or about another thing.
@Suite struct MonitorWordTests {
    private static let place = MonitorWord.Place(procfs: "/proc", netnsInode: 4_026_531_840, bootId: "boot")

    /// What a monitor wrote at second 1.
    private static func document(_ change: (inout StatusDocument) -> Void = { _ in }) -> StatusDocument {
        var report = Reports.full
        report.bootId = "boot"
        var document = StatusDocument(report)
        change(&document)
        return document
    }

    private static func word(_ document: StatusDocument, at seconds: Double) -> MonitorWord {
        MonitorWord(document, at: place, now: .at(seconds))
    }

    @Test func `what was said within 45 s counts, and how long ago that was is known`() {
        let document = Self.document()
        #expect(Self.word(document, at: 1) == .said(document, age: 0))
        #expect(Self.word(document, at: 31) == .said(document, age: 30))
        #expect(Self.word(document, at: 46) == .said(document, age: 45))
        #expect(Self.word(document, at: 46.5) == .silent(document, age: 45.5))
        #expect(Self.word(document, at: 86_401) == .silent(document, age: 86_400))
    }

    @Test func `only what comes as it should is current`() {
        let document = Self.document()
        #expect(Self.word(document, at: 6).isCurrent)
        #expect(!Self.word(document, at: 6.5).isCurrent)
        #expect(!Self.word(document, at: 60).isCurrent)
        #expect(!MonitorWord.none.isCurrent)
    }

    @Test func `a monitor with a long interval writes that seldom`() {
        let document = Self.document { $0.intervalSeconds = 60 }
        #expect(Self.word(document, at: 62) == .said(document, age: 61))
        #expect(Self.word(document, at: 184) == .silent(document, age: 183))
    }

    private static let others: [(String, @Sendable (inout StatusDocument) -> Void)] = [
        ("stopped", { $0.up = false }), ("about another /proc", { $0.procfs = "/x" }),
        ("about another namespace", { $0.netnsInode = 1 }), ("of another boot", { $0.bootId = "before" }),
        ("of a time to come, so of another boot", { $0.uptimeSeconds = 90_000 }),
    ]

    @Test func `what is not about this table now is as if it were not there`() {
        for (name, change) in Self.others {
            for seconds in [1.5, 1000] {
                #expect(Self.word(Self.document(change), at: seconds) == .none, "\(name)")
            }
        }
    }

    @Test func `a clock that is set says nothing of the age`() {
        for shift in [-86_400.0, -10, 10, 86_400] {
            let document = Self.document { $0.timestamp += shift }
            #expect(Self.word(document, at: 3) == .said(document, age: 2))
            #expect(Self.word(document, at: 61) == .silent(document, age: 60))
        }
    }

    @Test func `where no boot id is to be had the clock tells boots apart`() {
        let document = Self.document { $0.bootId = nil }
        #expect(Self.word(document, at: 61) == .silent(document, age: 60))
        // A day is how long the machine was up at second 0.
        let before = Self.document { ($0.bootId, $0.timestamp) = (nil, $0.timestamp - 86_500) }
        #expect(Self.word(before, at: 61) == .none)
    }

    @Test func `a document that does not say when it was written is of no use`() {
        #expect(
            Self.word(Self.document { $0.uptimeSeconds = nil }, at: 1) == .unusable("was written by another version"))
    }

    @Test func `a file that is no status is of no use, and none is none`() throws {
        let folder = try TemporaryDirectory()
        #expect(MonitorWord.read(in: folder.path, at: Self.place) == .none)
        for damaged in ["", "{", "[]", String(Self.document().json().prefix(100))] {
            try folder.write(damaged, to: "status.json")
            #expect(MonitorWord.read(in: folder.path, at: Self.place) == .unusable("is damaged"))
        }
    }
}
