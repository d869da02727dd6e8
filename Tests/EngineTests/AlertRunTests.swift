// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// Alerts between two intervals, and across restarts: observations in, outputs out.
@Suite struct AlertRunTests {
    /// Two minutes with a look every 100 ms and an interval of 20 s: 28 s nearly full between two of them, then empty.
    private static let peak: ObservedStream = {
        var stream = ObservedStream()
        stream.look(0)
        stream.tick(0)
        stream.settings(0)
        for tenth in 1...1200 {
            let now = Double(tenth) / 10
            stream.look(now, entries: (210..<490).contains(tenth) ? 999 : 100)
            // What the host answers to what is wanted as soon as something was said.
            if tenth == 261 || tenth == 1090 { stream.files(now) }
            if tenth % 200 == 0 {
                stream.tick(now)
                stream.settings(now)
            }
        }
        return stream
    }()

    @Test func `a hold runs between two intervals, and the alert does not wait for the next`() {
        var run = EngineRun { plan in
            plan.interval = .seconds(20)
            plan.textfileInterval = .seconds(3600)
        }
        run.take(Self.peak)
        let times = run.outputs.flatMap { output -> [String] in
            guard case .say(let said) = output else { return [] }
            return said.map { "\($0.brief) \(rfc3339($0.time).suffix(7))" }
        }

        #expect(times == ["CRITICAL usage_high 28.310Z", "RESOLVED usage_high 51.310Z"])
    }

    @Test func `it is written and kept at once, and what fills the table is asked`() {
        var run = EngineRun { $0.interval = .seconds(20) }
        run.take(Self.peak)
        let first = run.outputs.firstIndex { if case .say = $0 { true } else { false } } ?? 0
        let (written, kept) = (run.outputs[first + 1], run.outputs[first + 2])

        if case .write(let report, let metrics) = written {
            #expect(metrics)
            #expect(report.firing.map(\.name) == [.usageHigh])
        } else {
            Issue.record("\(written)")
        }
        if case .keep(let kept) = kept {
            #expect(kept.firing.map(\.name) == [.usageHigh])
            #expect(kept.firing.map(\.level) == [.critical])
        } else {
            Issue.record("\(kept)")
        }
        #expect(run.wants.contains { if case .survey = $0 { true } else { false } })
    }

    @Test(arguments: [1, 2, 3, 7, 64])
    func `it is the same however the stream is cut into batches`(_ batch: Int) {
        var whole = EngineRun { $0.interval = .seconds(20) }
        whole.take(Self.peak)
        var cut = EngineRun { $0.interval = .seconds(20) }
        cut.take(Self.peak, batch: batch)

        #expect(cut.written == whole.written)
    }

    @Test func `no hold runs over a pause of the reader, with samples or without`() {
        for withTicks in [false, true] {
            var stream = ObservedStream()
            stream.look(0)
            stream.tick(0)
            stream.settings(0)
            for tenth in 1...20 { stream.look(Double(tenth) / 10, entries: 999) }
            for second in 3...8 where withTicks { stream.tick(Double(second)) }
            for tenth in 90...135 { stream.look(Double(tenth) / 10, entries: 999) }
            var run = EngineRun()
            run.take(stream)

            #expect(!run.said.contains("CRITICAL usage_high"), "\(withTicks)")
        }
    }

    @Test func `what fired in the last run is in the first report, and kept before it was judged`() {
        let alert = KeptAlert(
            name: .usageHigh, level: .warning, since: Moment.at(-300).wall, what: "800 of 1000 entries",
            known: Moment.at(-240).wall)
        let past = LimitWatch.Past(accepted: 1000, cause: .whileDown, story: "while not watching", isReload: false)
        let restored = Restored(limit: past, parameters: .init(), firing: [alert])
        var run = EngineRun(restored: restored)
        var stream = ObservedStream()
        stream.look(0)
        stream.tick(0)
        stream.settings(0)
        run.take(stream)
        let kept = run.outputs.compactMap { if case .keep(let kept) = $0 { kept.firing } else { nil } }

        #expect(run.said == [])
        #expect(run.reports.first?.report.firing.map(\.name) == [.usageHigh])
        #expect(kept.first?.map(\.since) == [alert.since])
        #expect(kept.first?.map(\.what) == [alert.what])
    }
}
