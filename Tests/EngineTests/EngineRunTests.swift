// SPDX-License-Identifier: GPL-3.0-or-later

import CRecord
import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel
@testable import ConntrackPublish

/// Observations in, outputs out.
@Suite struct EngineRunTests {
    /// A quiet start: the first look, and the first sample.
    private static func start(limit: UInt64 = 1000) -> ObservedStream {
        var stream = ObservedStream()
        stream.look(0, limit: limit)
        stream.tick(0)
        stream.settings(0, limit: limit)
        return stream
    }

    // MARK: The founding story, in microseconds

    @Test func `a restart that drops the limit is a notice at once, and an alert when it has settled`() {
        var stream = Self.start(limit: 1_048_576)
        stream.tick(1)
        stream.look(1.1, entries: 5, limit: 65_536, unloaded: true, loads: 1)
        stream.files(1.1)
        stream.look(2.1, entries: 9, limit: 65_536)
        stream.settings(2.1, limit: 65_536, established: 600)
        stream.look(3.15, entries: 12, limit: 65_536)
        stream.settings(3.15, limit: 65_536, established: 600)
        stream.files(3.2)
        var run = EngineRun()
        run.take(stream)

        #expect(run.said == ["NOTICE module_reloaded", "CRITICAL limit_dropped"])
        let alert = run.written.last { $0.contains("limit_dropped") && $0.contains("summary") } ?? ""
        #expect(alert.contains("nf_conntrack_max 1048576 -> 65536"))
        #expect(run.written.joined().contains("also reverted: tcp_timeout_established 432000 -> 600"))
    }

    // MARK: Same observations, same outputs

    @Test(arguments: [1, 2, 3, 7, 64])
    func `the same stream gives the same outputs, however it is cut into batches`(_ batch: Int) {
        let stream = Self.busy
        var whole = EngineRun(hasConfiguration: true)
        whole.take(stream)
        var cut = EngineRun(hasConfiguration: true)
        cut.take(stream, batch: batch)

        #expect(whole.written.count > 100)
        #expect(cut.written == whole.written)
    }

    @Test func `the same stream gives the same outputs twice`() {
        var first = EngineRun(hasConfiguration: true)
        first.take(Self.busy)
        var second = EngineRun(hasConfiguration: true)
        second.take(Self.busy)

        #expect(first.written == second.written)
    }

    /// Two minutes of events, a reload, a write, a gap, a full table.
    private static let busy: ObservedStream = {
        var stream = start()
        stream.read(0, .configuration(ConfiguredSettings()))
        stream.read(0, .origin(LimitOrigin()))
        for second in 1...120 {
            let time = Double(second) + (second > 60 ? 10 : 0)
            let limit: UInt64 = second < 30 ? 1000 : second < 45 ? 500 : 1000
            for tenth in 0..<10 {
                let now = time + Double(tenth) / 10
                stream.new(now, from: "192.0.2.\(second % 7)", count: tenth)
                stream.look(now, entries: UInt64(second * 8), limit: limit, unloaded: second == 50 && tenth == 3)
                if tenth == 5, second == 30 || second == 45 || second == 50 {
                    stream.settings(now, limit: limit, established: second == 50 ? 600 : 432_000)
                    stream.read(now, .configuration(ConfiguredSettings()))
                    stream.read(now, .origin(LimitOrigin()))
                }
            }
            stream.tick(time + 0.95)
            stream.settings(time + 0.95, limit: limit)
        }
        return stream
    }()

    // MARK: Wants

    @Test func `a limit that changed is judged when the configuration and the programs are known`() {
        var stream = Self.start()
        stream.read(0, .configuration(ConfiguredSettings()))
        stream.read(0, .origin(LimitOrigin()))
        stream.tick(1)
        stream.look(1.1, limit: 500)
        var run = EngineRun(hasConfiguration: true)
        run.take(stream)
        #expect(run.said == [])
        #expect(run.wants.suffix(2) == [.configuration, .origin])
        #expect(run.engine.nextDeadline == Moment.at(1.2).monotonic)
        var answer = ObservedStream()
        let configured = ConfiguredLimit(limit: 400, place: "/etc/sysctl.d/90-conntrack.conf:1")
        answer.read(1.11, .configuration(ConfiguredSettings(limit: configured)))
        answer.read(1.11, .origin(LimitOrigin()))
        run.take(answer)

        // Written with its configuration: no fall.
        #expect(run.said == ["NOTICE limit_changed"])
    }

    @Test func `a file system that hangs does not silence the alert`() {
        var stream = Self.start()
        for observation in Self.answers(0).observations { stream.add(observation) }
        stream.tick(1)
        stream.look(1.1, limit: 500)
        stream.look(1.15, limit: 500)
        var run = EngineRun(hasConfiguration: true)
        run.take(stream)
        #expect(run.said == [])
        #expect(run.engine.nextDeadline == Moment.at(1.2).monotonic)
        var late = ObservedStream()
        late.read(1.2, .time)
        run.take(late)

        #expect(run.said == ["CRITICAL limit_dropped"])
    }

    @Test func `at the start the first look waits longer: what it is judged by comes from a cold disk`() {
        var stream = Self.start(limit: 500)
        stream.look(4.9, limit: 500)
        var run = EngineRun(hasConfiguration: true) { $0.rules.expectMax = 1000 }
        run.take(stream)
        #expect(run.said == [])
        #expect(run.engine.nextDeadline == Moment.at(5).monotonic)
        run.take(Self.answers(0.01))

        #expect(run.said == ["CRITICAL limit_dropped"])
        #expect(run.reports.count == 1)
    }

    @Test func `at the start, too, a file system that hangs does not silence the alert`() {
        var stream = Self.start(limit: 500)
        stream.read(5, .time)
        var run = EngineRun(hasConfiguration: true) { $0.rules.expectMax = 1000 }
        run.take(stream)

        #expect(run.said == ["CRITICAL limit_dropped"])
    }

    @Test func `a line about the events is said after what the looks before it prove`() {
        var stream = Self.start(limit: 500)
        let status = cnf_status(
            .unavailable(EventObstacle(.netlinkAbsent), expected: true), at: Moment.at(0.001).monotonic)
        stream.add(.record(cnf_record(status: status)))
        var run = EngineRun(hasConfiguration: true) { $0.rules.expectMax = 1000 }
        run.take(stream)
        #expect(run.said == [])
        run.take(Self.answers(0.01))

        #expect(run.said == ["CRITICAL limit_dropped", "INFO monitor"])
    }

    private static func answers(_ seconds: Double) -> ObservedStream {
        var stream = ObservedStream()
        stream.read(seconds, .configuration(ConfiguredSettings()))
        stream.read(seconds, .origin(LimitOrigin()))
        return stream
    }

    @Test func `what was wanted once is not wanted again before it was answered`() {
        var stream = Self.start()
        for tenth in 1...30 { stream.look(Double(tenth) / 10, limit: 500) }
        var run = EngineRun(hasConfiguration: true)
        run.take(stream)

        #expect(run.wants.count { $0 == .configuration } == 1)
    }

    @Test func `while a reload settles, each look waits for the settings that were read after it`() {
        var stream = Self.start()
        stream.tick(1)
        stream.look(1.1, limit: 500, unloaded: true)
        stream.files(1.1)
        stream.look(1.2, limit: 500)
        var run = EngineRun()
        run.take(stream)

        #expect(run.wants.last == .settings)
    }

    @Test func `settings that changed wait for the configuration, also when they are read once more meanwhile`() {
        var stream = Self.start()
        stream.read(0, .configuration(ConfiguredSettings()))
        stream.read(0, .origin(LimitOrigin()))
        stream.settings(1, established: 600)
        stream.settings(1.05, established: 600)
        var run = EngineRun(hasConfiguration: true)
        run.take(stream)
        #expect(run.engine.nextDeadline == Moment.at(1.1).monotonic)
        var answer = ObservedStream()
        answer.read(1.06, .configuration(ConfiguredSettings()))
        run.take(answer)

        #expect(run.engine.nextDeadline == nil)
    }

    // MARK: Files

    @Test func `a textfile after an announcement is of one moment`() {
        var stream = Self.start()
        stream.look(0.9, entries: 100)
        stream.tick(1)
        stream.look(1.1, entries: 400, limit: 500)
        stream.files(1.1)
        var run = EngineRun()
        run.take(stream)
        let last = run.reports.last

        #expect(last?.metrics == true)
        #expect(last?.report.sample.table.entries == 400)
        #expect(last?.report.sample.entriesPeak == 400)
        #expect(last?.report.firing.map(\.name) == [.limitDropped])
    }

    @Test func `a textfile after an announcement waits for nothing where an interval ends before it is written`() {
        var stream = Self.start()
        stream.look(0.9)
        stream.tick(1)
        stream.look(1.1, limit: 500)
        stream.look(2, limit: 500)
        stream.tick(2)
        stream.settings(2, limit: 500)
        var run = EngineRun()
        run.take(stream)

        #expect(run.reports.map(\.metrics) == [true, false, true])
        #expect(run.reports.last?.report.firing.map(\.name) == [.limitDropped])
    }

    @Test func `the first sample is written and not shown, the others are both`() {
        var stream = Self.start()
        stream.look(1)
        stream.tick(1)
        stream.look(2)
        stream.tick(2)
        var run = EngineRun()
        run.take(stream)
        let shown = run.outputs.count { if case .show = $0 { true } else { false } }

        #expect(run.reports.count == 3)
        #expect(shown == 2)
    }

    @Test func `the textfile is due at the start, and then in its own time`() {
        var stream = Self.start()
        for second in 1...31 {
            stream.look(Double(second), entries: 1)
            stream.tick(Double(second))
            stream.settings(Double(second))
        }
        var run = EngineRun()
        run.take(stream)
        let due = run.reports.enumerated().filter(\.element.metrics).map(\.offset)

        #expect(due == [0, 15, 30])
    }

    @Test func `a doctor that answers before the first sample does not keep the textfile waiting`() {
        var stream = ObservedStream()
        stream.look(0)
        stream.tick(0)
        stream.read(0.5, .doctor(.nothing))
        stream.settings(0)
        var run = EngineRun()
        run.take(stream)

        #expect(run.reports.map(\.metrics) == [true])
    }

    @Test func `a status that is asked for before the first sample comes with it`() {
        var stream = ObservedStream()
        stream.read(0, .show)
        for observation in Self.start().observations { stream.add(observation) }
        var run = EngineRun()
        run.take(stream)

        #expect(run.outputs.count { if case .status = $0 { true } else { false } } == 1)
    }

    // MARK: The end

    @Test func `it ends after --count intervals, after --duration, or when it is told`() {
        var counted = EngineRun { $0.count = 2 }
        var stream = Self.start()
        stream.look(1)
        stream.tick(1)
        counted.take(stream)
        #expect(counted.engine.ending == nil)
        var second = ObservedStream()
        second.tick(2)
        counted.take(second)
        #expect(counted.engine.ending?.why == "--count is reached")

        // Two ticks before the first of them could be closed are one interval, as they are one line.
        var late = EngineRun { $0.count = 1 }
        var ticks = Self.start()
        ticks.look(1)
        ticks.read(1, .tick)
        ticks.tick(2)
        late.take(ticks)
        #expect(late.outputs.count { if case .show = $0 { true } else { false } } == 1)
        #expect(late.engine.ending?.why == "--count is reached")

        var timed = EngineRun { $0.duration = .seconds(1.5) }
        timed.take(Self.start())
        #expect(timed.engine.nextDeadline == Moment.at(1.5).monotonic)
        var over = ObservedStream()
        over.read(1.5, .time)
        timed.take(over)
        #expect(timed.engine.ending?.why == "--duration is over")
    }

    @Test func `what a stopped monitor leaves says so, and waits for nothing`() {
        var stream = Self.start()
        for observation in Self.answers(0).observations { stream.add(observation) }
        stream.look(1.1, limit: 500)
        stream.read(1.2, .end(Ending("SIGTERM")))
        stream.read(1.2, .stop)
        stream.settings(1.2, limit: 500)
        stream.files(1.2)
        var run = EngineRun(hasConfiguration: true)
        run.take(stream)

        #expect(run.engine.ending?.why == "SIGTERM")
        #expect(run.said == ["CRITICAL limit_dropped"])
        #expect(run.reports.last?.report.isUp == false)
    }

    @Test func `accepting waits for what is configured and live now`() {
        var stream = Self.start()
        stream.tick(1)
        stream.look(1.1, limit: 500)
        stream.files(1.1)
        stream.read(1.3, .accept)
        var run = EngineRun()
        run.take(stream)
        #expect(run.said == ["CRITICAL limit_dropped"])
        var answer = ObservedStream()
        answer.settings(1.31, limit: 500)
        answer.look(1.4, limit: 500)
        run.take(answer)

        #expect(run.said == ["CRITICAL limit_dropped", "INFO monitor", "RESOLVED limit_dropped"])
    }
}
