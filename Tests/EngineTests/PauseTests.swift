// SPDX-License-Identifier: GPL-3.0-or-later

import CRecord
import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel
@testable import ConntrackPublish

/// The process or the machine stood still, or a part of it does: no line has a rate that was none.
@Suite struct PauseTests {
    private static func run() -> EngineRun {
        EngineRun { $0.sample = .milliseconds(100) }
    }

    /// Looks every tenth and 500 new entries a second over `seconds`, with a line a second.
    private static func steady(_ seconds: ClosedRange<Int>) -> ObservedStream {
        var stream = ObservedStream()
        stream.listening()
        stream.look(Double(seconds.lowerBound))
        close(&stream, Double(seconds.lowerBound))
        add(&stream, Double(seconds.lowerBound), to: seconds.upperBound)
        return stream
    }

    /// The end of an interval, with all that it is closed with.
    private static func close(_ stream: inout ObservedStream, _ seconds: Double) {
        stream.tick(seconds)
        stream.settings(seconds)
    }

    private static func add(_ stream: inout ObservedStream, _ start: Double, to end: Int) {
        let first = Int((start * 10).rounded())
        for tenth in (first + 1)...(end * 10) {
            let now = Double(tenth) / 10
            stream.counts(now, new: 50)
            stream.look(now, entries: UInt64(tenth * 50))
            if tenth % 10 == 0 { close(&stream, now) }
        }
    }

    /// The new entries a second that each line tells, nil for none.
    private static func rates(_ run: borrowing EngineRun) -> [Double?] {
        run.outputs.compactMap { output -> Double?? in
            guard case .show(let report) = output else { return nil }
            return .some(report.sample.newPerSecond.map { ($0 * 10).rounded() / 10 })
        }
    }

    // MARK: Everything stood still

    @Test func `the interval closes with the look that ends the pause, and what came meanwhile is in no rate`() {
        var stream = Self.steady(0...2)
        // The process goes on: its timer ran, and the reader has not looked yet.
        Self.close(&stream, 14)
        var run = Self.run()
        run.take(stream)
        #expect(run.lines.count == 2)
        #expect(run.engine.nextDeadline.map { $0 <= Moment.at(14).monotonic } == true)
        var back = ObservedStream()
        back.counts(14.03, new: 6000)
        back.look(14.03, entries: 7000)
        run.take(back)
        #expect(run.lines.count == 2)
        // Read after it.
        #expect(run.wants.suffix(3).contains(.health))
        var answers = ObservedStream()
        Self.close(&answers, 14.04)
        // The next tick falls into the same half of an interval.
        Self.close(&answers, 14.2)
        #expect(run.lines.count == 2)
        Self.add(&answers, 14, to: 16)
        run.take(answers)

        #expect(run.lines.count == 5)
        #expect(Self.rates(run)[2] == nil)
        #expect(Self.rates(run).allSatisfy { $0 ?? 500 < 550 })
        let gap = run.reports.map(\.report.sample).first { $0.gap != nil }
        #expect(gap?.gap == .milliseconds(12_030))
        #expect(gap?.age == nil)
        #expect(gap?.table.entries == 7000)
        #expect(gap?.events?.new == 7000)
        #expect(run.said.filter { $0.contains("sampling_gap") }.count == 1)
    }

    @Test func `after a shorter pause the rate is that of the whole time`() {
        var stream = Self.steady(0...2)
        Self.close(&stream, 5)
        var run = Self.run()
        run.take(stream)
        #expect(run.lines.count == 2)
        var back = ObservedStream()
        back.counts(5.02, new: 1510)
        back.look(5.02, entries: 2510)
        Self.close(&back, 5.02)
        run.take(back)

        #expect(Self.rates(run) == [500, 500, 500])
        #expect(run.said.allSatisfy { !$0.contains("sampling_gap") })
    }

    @Test func `a pause between a tick and its readings is none between two looks`() {
        var stream = Self.steady(0...2)
        stream.read(3, .tick)
        // Answered after the pause.
        stream.read(15, .kernel(KernelReading()))
        stream.read(15, .log(TableFullCount()))
        stream.read(15, .health(Health()))
        stream.settings(15)
        var run = Self.run()
        run.take(stream)
        #expect(run.lines.count == 2)
        var back = ObservedStream()
        back.counts(15.01, new: 6500)
        back.look(15.01)
        Self.close(&back, 15.02)
        run.take(back)

        #expect(Self.rates(run) == [500, 500, nil])
    }

    // MARK: The reader hangs

    @Test func `a look that does not come is waited for once, and then its age is said and no rate`() {
        var stream = Self.steady(0...2)
        Self.close(&stream, 3)
        var run = Self.run()
        run.take(stream)
        #expect(run.lines.count == 2)
        var late = ObservedStream()
        late.read(3.4, .time)
        late.read(3.5, .time)
        run.take(late)
        #expect(run.lines.count == 3)
        var after = ObservedStream()
        for second in 4...9 { Self.close(&after, Double(second)) }
        run.take(after)

        #expect(run.lines.count == 9)
        #expect(run.lines[2].contains(" age=1.0s entries=1000 "))
        #expect(run.lines.dropFirst(2).allSatisfy { !$0.contains("/s") && !$0.contains(" lost=") })
        #expect(run.lines.last?.contains(" age=7.0s ") == true)
        #expect(run.said.filter { $0.contains("sampling_gap") }.count == 1)
        let last = run.reports.last?.report
        #expect(last?.sample.age == .seconds(7))
        #expect(last?.sample.gap == .seconds(7))
        #expect(last.map { StatusDocument($0).json().contains("\"look_age_seconds\":7,") } == true)
        #expect(last.map { StatusDocument($0).text().contains("1,000 of 1,000 (100.0%) as of 7.0s ago") } == true)
    }

    @Test func `what was counted without a look belongs to no rate when the look comes, and is not lost`() {
        var stream = Self.steady(0...2)
        for time in [3, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5] { Self.close(&stream, time) }
        stream.counts(9.2, new: 3600)
        stream.look(9.2)
        Self.close(&stream, 9.5)
        Self.add(&stream, 9.5, to: 11)
        var run = Self.run()
        run.take(stream)

        #expect(Self.rates(run).suffix(3) == [nil, 500, 500])
        #expect(run.reports.last?.report.sample.events?.new == 5350)
        #expect(run.said.filter { $0.contains("sampling_gap") }.count == 1)
    }

    @Test func `what the kernel log said meanwhile is judged with the look that comes`() {
        var stream = Self.steady(0...2)
        stream.read(3, .tick)
        stream.read(3, .kernel(KernelReading()))
        var lines = TableFullCount()
        lines.ours = 1
        stream.read(3, .log(lines))
        stream.read(3, .health(Health()))
        stream.read(3.5, .time)
        var run = Self.run()
        run.take(stream)
        #expect(run.lines.last?.contains(" age=1.0s ") == true)
        #expect(!run.said.contains("CRITICAL table_full"))
        var back = ObservedStream()
        back.look(3.9, entries: 1000)
        Self.close(&back, 4)
        run.take(back)

        #expect(run.said.contains("CRITICAL table_full"))
    }

    // MARK: The main thread alone is held up

    @Test func `looks that waited keep their times, and the rate is that of the whole time`() {
        var stream = Self.steady(0...2)
        // Its tick is taken before what waits in the ring.
        stream.read(14, .tick)
        for tenth in 21...140 {
            stream.counts(Double(tenth) / 10, new: 50)
            stream.look(Double(tenth) / 10, entries: UInt64(tenth * 50))
        }
        Self.close(&stream, 14)
        var run = Self.run()
        run.take(stream)

        #expect(Self.rates(run) == [500, 500, 500])
        #expect(run.reports.last?.report.sample.gap == nil)
        #expect(run.reports.last?.report.sample.entriesPeak == 7000)
        #expect(run.said.allSatisfy { !$0.contains("sampling_gap") })
    }

    // MARK: Whose time it is

    @Test func `the time of the last sample is the look's own in every file, also between intervals and at the end`() {
        var stream = ObservedStream()
        stream.look(0.25)
        stream.tick(0.5)
        stream.settings(0.5)
        stream.look(1.25)
        stream.tick(1.5)
        // Said at once, so the files are written between two intervals.
        stream.look(1.75, limit: 500)
        stream.files(1.8)
        stream.look(2.25, limit: 500)
        stream.read(2.5, .end(Ending("SIGTERM")))
        stream.read(2.5, .stop)
        stream.settings(2.5, limit: 500)
        stream.files(2.5)
        var run = EngineRun { $0.textfileInterval = .zero }
        run.take(stream)
        let times = run.reports.filter(\.metrics).map { written in
            exposition(of: written.report).split(separator: "\n")
                .first { $0.hasPrefix("conntrack_mon_last_sample_timestamp_seconds ") }.map { String($0.suffix(14)) }
        }
        let expected = [0.25, 1.25, 1.75, 2.25].map { fixed(Moment.at($0).wall.seconds, 3) }

        #expect(times == expected)
    }
}
