// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackEngine
@testable import ConntrackModel

/// Most of the table goes at once: who did that is said, once, and nothing is said of entries that just end.
@Suite struct FlushTests {
    private static let flushed = ["NOTICE table_flushed"]
    private static let programs = "(conntrack -F or -D do that, and so do conntrackd, kube-proxy and Docker)"

    // MARK: Flushes

    @Test(
        arguments: (0..<40).map { ($0, 0.1, 1.0) }
            + (0..<40).filter { $0 % 7 == 0 }.flatMap { [($0, 0.1, 20), ($0, 0.5, 1), ($0, 0.01, 0.05)] })
    func `a flush is said once, at whatever time between two looks and two ticks`(
        _ offset: Int, _ sample: Double, _ interval: Double
    ) {
        var table = EntryTable(2_100, sample: sample, interval: interval)
        table.pass(2 + Double(offset) * 0.025)
        table.end(2_004, .deleted)
        // Read before the next look, or after it.
        if offset % 2 == 0 { table.hear() }
        table.pass(4)

        #expect(
            table.texts == [
                "2004 of 2100 entries were deleted by a program within a second \(Self.programs);"
                    + " established connections may hang"
            ])
    }

    @Test func `with looks that are seconds apart it is said within which time`() {
        var table = EntryTable(12_100, sample: 10, interval: 10)
        table.pass(25)
        table.end(12_004, .deleted)
        table.pass(50)

        #expect(table.said() == Self.flushed)
        #expect(table.texts.first?.contains("12004 of 12100 entries were deleted by a program within 10.0s") == true)
    }

    @Test func `a flush that takes its time is said once, and when it is over`() {
        var table = EntryTable(2_000)
        table.pass(3)
        table.make(10_000)
        table.pass(3.03)
        for _ in 0..<15 {
            table.end(800, .deleted)
            table.pass(0.1)
        }
        table.pass(5)

        #expect(table.said() == Self.flushed)
        let text = table.texts.first ?? ""
        #expect(text.hasPrefix("12000 of 12000 entries were deleted by a program within 1.5s"), "\(text)")
    }

    @Test func `a flush that takes minutes is said once`() {
        var table = EntryTable(20_000)
        table.pass(3)
        for _ in 0..<90 {
            table.end(Int(table.entries) / 10, .deleted)
            table.make(Int(table.entries) / 9)
            table.pass(0.1)
        }
        #expect(table.said() == [])
        while table.entries > 0 {
            table.end(min(200, Int(table.entries)), .deleted)
            table.pass(0.1)
        }
        table.pass(5)

        #expect(table.said() == Self.flushed)
    }

    @Test func `each flush is said, and what came back meanwhile is no part of it`() {
        var table = EntryTable(5_000)
        for _ in 0..<3 {
            table.pass(5)
            table.end(5_000, .deleted)
            table.pass(0.05)
            // A busy host fills it again at once.
            for _ in 0..<25 {
                table.make(200)
                table.pass(0.04)
            }
        }
        table.pass(5)

        #expect(table.said() == Self.flushed + Self.flushed + Self.flushed)
    }

    @Test(
        arguments: [
            (2002, 1002, true), (2000, 1000, false), (2002, 1001, false), (1001, 1001, true), (1000, 1000, false),
        ] as [(UInt64, Int, Bool)])
    func `a flush is more than half and more than 1,000 entries`(_ before: UInt64, _ gone: Int, _ isSaid: Bool) {
        var table = EntryTable(before)
        table.pass(2)
        table.end(gone, .deleted)
        table.pass(5)

        #expect(table.said() == (isSaid ? Self.flushed : []))
    }

    @Test func `with events lost, what was heard of a flush is enough to say whose it was`() {
        var table = EntryTable(12_100)
        table.pass(5)
        table.end(1_300, .deleted)
        table.endUnheard(10_700)
        table.tell { $0.overrunUntyped = 10_700 }
        table.pass(5)

        #expect(table.said().count { $0 == Self.flushed[0] } == 1)
        #expect(
            table.texts.first
                == "12000 of 12100 entries went within a second; of the 1300 whose end was heard a program"
                + " deleted 1300 \(Self.programs); established connections may hang")
    }

    @Test(arguments: [1, 7, 64])
    func `it is the same however the records come`(_ batch: Int) {
        var table = EntryTable(3_000)
        table.pass(2)
        table.end(2_500, .deleted)
        table.pass(5)

        #expect(table.said(batch: batch) == Self.flushed)
    }

    // MARK: No flushes

    /// What an ordinary host does at an ordinary time.
    enum Ordinary: CaseIterable {
        case expiryTogether, lateSweep, deploy, deployAndDeleted, staleDeleted, resolverStorm, batchEnds, backup, pool
        case eviction, stopsListening, idleExpire, untold
    }

    @Test(arguments: Ordinary.allCases) func `nothing is said of`(_ what: Ordinary) {
        var table = EntryTable(20_000)
        table.pass(5.02)
        switch what {
        case .expiryTogether: table.end(19_000, .expired)
        case .lateSweep: endInTurns(&table, 19_000, .expired, turns: 8)
        case .deploy: endInTurns(&table, 19_000, .closed, turns: 3)
        case .deployAndDeleted:
            table.end(400, .deleted)
            table.end(18_000, .closed)
        case .staleDeleted: table.end(900, .deleted)
        case .resolverStorm:
            table.make(50_000)
            table.pass(2)
            table.end(50_000, .expired)
            table.end(300, .deleted)
        case .batchEnds: endInTurns(&table, 19_500, .closed, turns: 20)
        case .backup: churn(&table, 1_200)
        case .pool: churn(&table, 9_900)
        case .eviction: endInTurns(&table, 19_000, .evicted, turns: 5)
        case .stopsListening: table.endUnheard(19_000)
        case .idleExpire: table.end(19_000, .openExpired)
        case .untold: table.end(19_000, .forgottenUntold)
        }
        table.pass(5)

        #expect(table.said() == [])
    }

    private func endInTurns(_ table: inout EntryTable, _ count: Int, _ ending: EntryEnd, turns: Int) {
        for _ in 0..<turns {
            table.end(count / turns, ending)
            table.pass(0.1)
        }
    }

    /// A program makes entries and deletes them as fast, as conntrackd does on a host that stands by.
    private func churn(_ table: inout EntryTable, _ count: Int) {
        for _ in 0..<50 {
            table.end(count, .deleted)
            table.make(count)
            table.pass(0.1)
        }
    }

    @Test func `a program's entries that come and go in a small table are no flush`() {
        var table = EntryTable(0)
        for _ in 0..<100 {
            table.make(256)
            table.pass(0.03)
            table.end(256, .deleted)
            table.pass(0.03)
        }

        #expect(table.said() == [])
    }

    @Test func `a few deletions beside many that nobody heard of are no flush`() {
        // The groups were left, or entries older than the monitor went.
        var table = EntryTable(20_000)
        table.pass(5)
        table.endUnheard(17_000)
        table.end(600, .deleted)
        table.pass(5)

        #expect(table.said() == [])
    }

    enum Break: CaseIterable {
        case reload, unload, uevent, pause
    }

    @Test(arguments: Break.allCases) func `what happens across a reload or a gap is no flush`(_ what: Break) {
        var table = EntryTable(12_000)
        table.pass(2.05)
        table.end(12_000, .deleted)
        let time = table.time + 0.01
        switch what {
        case .reload: table.stream.look(time, entries: 0, limit: 262_144, unloaded: true)
        case .unload: table.stream.look(time, limit: nil)
        case .uevent: table.stream.look(time, entries: 0, limit: 262_144, loads: 1)
        case .pause: table = paused(table)
        }
        table.pass(8)

        #expect(!table.said().contains(Self.flushed[0]))
    }

    /// The same table, not looked at for a minute.
    private func paused(_ table: EntryTable) -> EntryTable {
        var later = table
        later.skip(60)
        return later
    }

    // MARK: Connections that the kernel forgets

    @Test(arguments: [(20_000, 19_000, true), (2_100, 1_051, true), (2_100, 1_050, false), (1_500, 1_000, false)])
    func `open connections that the kernel drops at once are said as that`(
        _ before: UInt64, _ gone: Int, _ isSaid: Bool
    ) {
        var table = EntryTable(before)
        table.pass(5.33)
        endInTurns(&table, gone, .forgotten, turns: 1)
        table.pass(5)

        #expect(table.said() == (isSaid ? ["NOTICE connections_forgotten"] : []))
        guard isSaid else { return }
        #expect(
            table.texts.first
                == "\(gone) established connections of \(before) entries were dropped from the table within"
                + " a second, before their time and by no program; masquerade drops its connections when their address or"
                + " link goes, and IPVS those of a server that it gives up; connections that were to go on may hang")
    }

    @Test func `open connections that go a few at a time are not said`() {
        var table = EntryTable(20_000)
        table.pass(5)
        for _ in 0..<190 {
            table.end(100, .forgotten)
            table.make(90)
            table.pass(0.1)
        }

        #expect(table.said() == [])
    }
}
