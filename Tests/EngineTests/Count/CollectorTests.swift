// SPDX-License-Identifier: GPL-3.0-or-later

import CRecord
import Glibc
import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

@Suite struct CollectorTests {
    private func drops(_ value: UInt64, restarted: Bool = false) -> StatisticsReading {
        StatisticsReading(perCPU: [StatValues([.drop: value])], restarted: restarted)
    }

    @Test func `talkers are counted of new entries only, and told while it listens`() throws {
        var feed = Feed()
        feed.table(0)
        feed.event(CNF_UPDATE)
        feed.event(CNF_DESTROY, IPPROTO_UDP, count: 3)
        #expect(try feed.close(1).talkers == nil)
        feed.event(.new("192.0.2.1", at: 1))
        feed.event(.new("192.0.2.1", at: 2))
        let talkers = try feed.close(3).talkers

        #expect(talkers?.minute.new == 2)
        #expect(talkers?.minute.sources.brief == ["192.0.2.1 2"])
        #expect(talkers?.sinceStart.destinations.brief == ["198.51.100.7:443/tcp 2"])
    }

    @Test func `without events no talkers are told`() throws {
        var feed = Feed()
        feed.table(0)

        #expect(try feed.close(1) { $0.listening = false }.talkers == nil)
    }

    @Test func `before the first look there is no sample`() {
        var collector = Collector(seed: .fixed)
        #expect(collector.close(Collector.Surroundings(moment: .at(0))) == nil)
    }

    @Test func `every look is handed on, with its own time`() {
        var feed = Feed()
        feed.table(0)
        feed.table(0.1, entries: 200)

        #expect(feed.looks == [.at(0), .at(0.1, entries: 200)])
    }

    @Test func `the first interval knows counts but no rates`() throws {
        var feed = Feed()
        feed.table(0)
        feed.event(CNF_NEW, count: 3)
        let sample = try feed.close(0) { $0.statistics = drops(7) }

        #expect(sample.events == EventCounts(new: 3))
        #expect(sample.eventsNow == nil)
        #expect(sample.stats == StatValues([.drop: 7]))
        #expect(sample.statsNow == nil)
        #expect(sample.perSecond(3) == nil)
    }

    @Test func `an interval's counts become rates by its length`() throws {
        var feed = Feed()
        feed.table(0)
        _ = try feed.close(0) { $0.statistics = drops(7) }
        feed.table(2)
        feed.event(CNF_NEW, count: 10)
        feed.event(CNF_UPDATE, count: 4)
        feed.event(CNF_DESTROY, count: 5)
        let sample = try feed.close(2) { $0.statistics = drops(9) }

        #expect(sample.eventsNow == EventCounts(new: 10, update: 4, destroy: 5))
        #expect(sample.elapsed == .seconds(2))
        #expect(sample.perSecond(sample.eventsNow?.new) == 5)
        #expect(sample.statsNow == StatValues([.drop: 2]))
    }

    @Test func `new entries are counted by protocol, others not`() throws {
        var feed = Feed()
        feed.table(0)
        feed.event(CNF_NEW, IPPROTO_TCP, count: 2)
        feed.event(CNF_NEW, IPPROTO_UDP)
        feed.event(CNF_NEW, 255)
        feed.event(CNF_DESTROY, IPPROTO_ICMP)

        #expect(try feed.close(0).newByProtocol == [6: 2, 17: 1, 255: 1])
    }

    @Test func `without listening there are no events, and not 0 of them`() throws {
        var feed = Feed()
        feed.table(0)
        _ = try feed.close(0) { $0.listening = false }
        feed.table(1)
        let sample = try feed.close(1) { $0.listening = false }

        #expect(sample.events == nil)
        #expect(sample.eventsNow == nil)
        #expect(sample.eventsMinute == nil)
    }

    @Test func `an absent table gives nil and not 0`() throws {
        var feed = Feed()
        feed.table(0, errno: ENOENT)
        let sample = try feed.close(0)

        #expect(sample.table.absent)
        #expect(sample.table.entries == nil)
        #expect(sample.table.limit == nil)
        #expect(sample.usage == nil)
        #expect(sample.entriesPeak == nil)
        #expect(sample.entriesPeakDay == nil)
        #expect(sample.chainLength == nil)
        #expect(sample.timeToFull == nil)
        #expect(sample.stats == nil)
        #expect(sample.statsPerCPU == [])
        #expect(sample.peakKnownFor == .zero)
    }

    @Test func `a table that cannot be read names its fault and is not absent`() throws {
        var feed = Feed()
        feed.table(0, errno: EACCES)
        let sample = try feed.close(0)

        #expect(!sample.table.absent)
        #expect(sample.table.entriesFault == EACCES)
        #expect(sample.table.limitFault == EACCES)
        #expect(sample.usage == nil)
    }

    @Test func `a pause of more than 5 s is a gap once, and no rate crosses it`() throws {
        var feed = Feed()
        feed.table(0)
        _ = try feed.close(0) { $0.statistics = drops(1) }
        feed.table(5.001)
        let gap = try feed.close(5.001) { $0.statistics = drops(500) }
        #expect(gap.gap == .milliseconds(5001))
        #expect(gap.statsNow == nil)
        #expect(gap.statsMinute == nil)
        #expect(gap.perSecond(1) == nil)
        feed.table(6)
        let after = try feed.close(6.001) { $0.statistics = drops(503) }

        #expect(after.gap == nil)
        #expect(after.statsNow == StatValues([.drop: 3]))
        #expect(after.statsMinute == StatGrowth(StatValues([.drop: 3]), in: .seconds(1)))
        #expect(after.perSecond(3) == 3)
    }

    @Test func `a pause of 5 s is none`() throws {
        var feed = Feed()
        feed.table(0)
        feed.table(5)

        #expect(try feed.close(5).gap == nil)
    }

    @Test func `samples that are meant to be far apart are no gap`() throws {
        var feed = Feed(collector: Collector(period: .seconds(10), seed: .fixed))
        feed.table(0)
        feed.table(10)
        feed.table(30)
        #expect(try feed.close(30).gap == nil)
        feed.table(50.1)

        #expect(try feed.close(50.1).gap == .milliseconds(20_100))
    }

    private func minute(_ feed: inout Feed, _ change: (inout Feed, Double) -> Void = { _, _ in }) throws -> Sample? {
        var last: Sample?
        for second in 0...60 {
            feed.table(Double(second), entries: UInt64(100 + 5 * second))
            change(&feed, Double(second))
            last = try feed.close(Double(second))
        }
        return last
    }

    @Test func `the fill rate is known after a minute`() throws {
        var feed = Feed()
        let last = try minute(&feed)
        let rate = try #require(last?.fillRate)
        #expect(abs(rate - 5) < 1e-9)
        #expect(try abs(#require(last?.timeToFull) - 120) < 1e-6)
    }

    @Test func `a reload begins the fill rate anew`() throws {
        var feed = Feed()
        let last = try minute(&feed) { feed, second in
            if second == 30 { feed.table(30, unloaded: true) }
        }
        #expect(last?.fillRate == nil)
    }

    @Test func `a gap begins the fill rate anew`() throws {
        var feed = Feed()
        _ = try minute(&feed)
        feed.table(66)

        #expect(try feed.close(66).fillRate == nil)
    }

    @Test func `statistics across a reload go on from where they were`() throws {
        var feed = Feed()
        feed.table(0)
        _ = try feed.close(0) { $0.statistics = drops(1000) }
        feed.table(1, unloaded: true)
        let sample = try feed.close(1) { $0.statistics = drops(3, restarted: true) }

        #expect(sample.stats == StatValues([.drop: 1003]))
        #expect(sample.statsNow == StatValues([.drop: 3]))
    }

    @Test func `losses are told for the interval, the last minute, and in all`() throws {
        var feed = Feed()
        feed.table(0)
        feed.counts { $0.overrunUntyped = 1 }
        _ = try feed.close(0)
        feed.table(1)
        feed.counts {
            $0.overrun = EventCounts(new: 4, update: 3, destroy: 2)
            $0.overrunUntyped = 1
            $0.dropped = 2
        }
        _ = try feed.close(1)
        for second in 2...61 {
            feed.table(Double(second))
            feed.event(CNF_NEW)
            _ = try feed.close(Double(second))
        }
        feed.table(62)
        feed.counts {
            $0.truncated = EventCounts(new: 3, destroy: 1)
            $0.malformed = 5
        }
        let sample = try feed.close(62)

        #expect(sample.lost == LostEvents(overrun: 11, truncated: 4, malformed: 5, dropped: 2))
        #expect(sample.lostNow == LostEvents(truncated: 4, malformed: 5))
        #expect(sample.lostMinute == LostEvents(truncated: 4, malformed: 5))
        #expect(sample.eventsMinute == 59)
    }

    @Test func `a loss that became inexact stays so`() throws {
        var feed = Feed()
        feed.table(0)
        feed.counts {
            $0.overrunUntyped = 1
            $0.becameInexact = true
        }
        feed.counts { $0.received.new = 1 }

        #expect(try !feed.close(0).lossIsExact)
    }

    @Test func `a duty comes through the ring, and the last one counts`() throws {
        let limits = EventBudget.Limits(share: 0.05, cost: .microseconds(4))
        var feed = Feed(collector: Collector(limits: limits, seed: .fixed))
        feed.table(0)
        var duty = EventDuty(settledAt: Moment.at(0).monotonic)
        for ratio in [1, 0.3] {
            duty.ratio = ratio
            feed.take([cnf_record(duty: cnf_duty(duty, at: Moment.at(0).monotonic))])
        }
        let sample = try feed.close(0)

        #expect(sample.duty?.ratio == 0.3)
        #expect(sample.duty?.budget == 0.05)
        #expect(try feed.close(1) { $0.listening = false }.duty == nil)
    }

    @Test func `the rate of new entries is that of the last minute, or since the start`() throws {
        var feed = Feed()
        var rates: [Double?] = []
        for second in 0...70 {
            feed.table(Double(second))
            feed.event(CNF_NEW, count: second <= 5 ? 20 : 2)
            rates.append(try feed.close(Double(second)).newRate)
        }

        #expect([rates[0], rates[5], rates[70]] == [nil, 20, 2])
    }

    @Test func `peaks see every look between two intervals`() throws {
        var feed = Feed()
        feed.table(0, entries: 10)
        feed.table(0.1, entries: 900)
        feed.table(0.2, entries: 20)
        let sample = try feed.close(1)

        #expect(sample.table.entries == 20)
        #expect(sample.entriesPeak == 900)
        #expect(sample.entriesPeakDay == 900)
        #expect(sample.entriesPeakSecond == 900)
        #expect(sample.peakKnownFor == .seconds(1))
    }

    @Test(arguments: [false, true])
    func `the last second's peak does not cross an unload`(_ seenAbsent: Bool) throws {
        var feed = Feed()
        feed.table(0, entries: 5000)
        if seenAbsent { feed.table(0.1, errno: ENOENT, unloaded: true) }
        feed.table(0.2, entries: 3, unloaded: !seenAbsent)
        let sample = try feed.close(0.3)

        #expect(sample.entriesPeakSecond == 3)
        #expect(sample.entriesPeak == 5000)
    }

    @Test func `what is shown between two samples is of one moment, and takes nothing from the next sample`() throws {
        var feed = Feed()
        feed.table(0, entries: 100)
        let first = try feed.close(0)
        feed.table(0.5, entries: 900)
        feed.event(CNF_NEW, count: 800)
        let preview = try feed.preview(0.5, after: first)
        feed.table(1, entries: 950)
        feed.event(CNF_NEW, count: 50)
        let next = try feed.close(1)

        #expect(preview.table.entries == 900)
        #expect(preview.entriesPeak == 900)
        #expect(preview.events?.new == 800)
        #expect(preview.newPerSecond == 1600)
        #expect(next.eventsNow?.new == 850)
        #expect(next.elapsed == .seconds(1))
    }

    @Test func `of a moment's events no rate is told`() throws {
        var feed = Feed()
        feed.table(0)
        let first = try feed.close(0)
        feed.event(CNF_NEW)

        #expect(try feed.preview(0.02, after: first).newPerSecond == nil)
    }

    @Test func `what surrounds the ring is passed on`() throws {
        var feed = Feed()
        feed.table(0)
        let sample = try feed.close(0) {
            $0.buckets = 64
            $0.ringCapacity = 8
            $0.ringPeak = 5
            $0.cpuSeconds = 1.5
            $0.tableFullLines.ours = 2
            $0.degraded = [Degradation(part: "textfile", reason: "full")]
        }

        #expect(sample.buckets == 64)
        #expect(sample.chainLength == 3.125)
        #expect(sample.ringCapacity == 8)
        #expect(sample.ringPeak == 5)
        #expect(sample.cpuSeconds == 1.5)
        #expect(sample.lossIsExact)
        #expect(sample.tableFullLines.ours == 2)
        #expect(sample.degraded.map(\.part) == ["textfile"])
    }
}
