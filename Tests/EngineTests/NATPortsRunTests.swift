// SPDX-License-Identifier: GPL-3.0-or-later

import CRecord
import Glibc
import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// The ports of NAT from the events to the alert, and the dumps that this takes.
@Suite struct NATPortsRunTests {
    private let remote = "198.51.100.7"

    private func survey(_ entries: UInt64, at seconds: Double) -> Reading {
        var survey = Survey(moment: .at(seconds))
        let destination = Flow.Endpoint(AddressPrefix(.of(remote)), protocol: .tcp, port: 443)
        let pair = Survey.NATPair(address: .of("192.0.2.1"), destination: destination)
        if entries > 0 { survey.natPairs = [Survey.Holder(pair, entries: entries)] }
        survey.entries = entries
        return .survey(.success(survey), took: .milliseconds(10))
    }

    private func stream(
        _ events: Int = 0, kind: cnf_kind = CNF_NEW, _ make: (Int) -> cnf_event = { _ in .translated() }
    )
        -> ObservedStream
    {
        var stream = ObservedStream()
        for number in 0..<events { stream.add(.record(cnf_record(event: make(number)))) }
        return stream
    }

    /// A second goes by.
    private func second(_ number: Int, _ stream: ObservedStream = ObservedStream(), entries: UInt64 = 1000)
        -> ObservedStream
    {
        var all = stream
        all.look(Double(number), entries: entries, limit: 5_000_000)
        all.tick(Double(number))
        return all
    }

    private var begun: EngineRun {
        var run = EngineRun { $0.kernel = "6.18.5" }
        var stream = ObservedStream()
        stream.listening()
        stream.settings(0)
        run.take(stream)
        run.take(second(0))
        return run
    }

    private func surveys(_ run: borrowing EngineRun) -> Int {
        run.wants.count { if case .survey = $0 { true } else { false } }
    }

    private func natSaid(_ run: borrowing EngineRun) -> [String] { run.said.filter { $0.contains("nat_ports") } }

    /// The newest share of ports.
    private func used(_ run: borrowing EngineRun) -> UInt64? {
        run.reports.last?.report.sample.natPorts?.uses.first?.used
    }

    private func answer(_ run: inout EngineRun, _ entries: UInt64, _ seconds: Double) {
        var stream = ObservedStream()
        stream.read(seconds, survey(entries, at: seconds))
        run.take(stream)
    }

    @Test func `ports that run out are confirmed by a dump and said within seconds`() {
        var run = begun
        run.take(second(1, stream(40)))
        // The first NAT that is seen: what lives already is not known.
        #expect(surveys(run) == 1)
        answer(&run, 40, 1.5)
        run.take(second(2, stream(30_000)))
        #expect(used(run) == 30_040)
        run.take(second(3, stream(22_000)))
        #expect(natSaid(run) == [])
        #expect(surveys(run) == 1)
        // The dump before was short: this one need not wait a minute.
        run.take(second(4))
        run.take(second(5))
        run.take(second(6))
        run.take(second(7))
        #expect(surveys(run) == 2)
        answer(&run, 52_040, 7.2)
        run.take(second(8))
        #expect(natSaid(run) == ["WARNING nat_ports_low"])
        run.take(second(9, stream(10_000)))
        run.take(second(10, stream(20_000) { _ in .translated(CNF_DESTROY) }))
        run.take(second(11))
        #expect(natSaid(run) == ["WARNING nat_ports_low", "CRITICAL nat_ports_low", "RESOLVED nat_ports_low"])
        #expect(surveys(run) == 2)
    }

    @Test func `a dump that does not confirm it is believed, and the next one waits`() {
        var run = begun
        run.take(second(1, stream(40)))
        answer(&run, 40, 1.5)
        run.take(second(2, stream(60_000)))
        for number in 3...8 { run.take(second(number)) }
        #expect(surveys(run) == 2)
        answer(&run, 20_000, 8.2)
        run.take(second(9))
        #expect(used(run) == 20_000)
        run.take(second(10, stream(40_000)))
        for number in 11...60 { run.take(second(number)) }
        #expect(natSaid(run) == [])
        #expect(surveys(run) == 2)
        for number in 61...70 { run.take(second(number)) }
        #expect(surveys(run) == 3)
    }

    @Test func `after a loss one dump sets it right, a minute after the last`() {
        var run = begun
        run.take(second(1, stream(400)))
        answer(&run, 400, 1.5)
        var lossy = stream()
        var pending = PendingCounts()
        pending.overrun.new = 7
        pending.push(at: Moment.at(2).monotonic) {
            lossy.add(.record(cnf_record(counts: $0)))
            return true
        }
        run.take(second(2, lossy))
        for number in 3...60 { run.take(second(number)) }
        #expect(surveys(run) == 1)
        run.take(second(61))
        run.take(second(62))
        #expect(surveys(run) == 2)
        answer(&run, 393, 62.1)
        run.take(second(63))
        #expect(used(run) == 393)
        for number in 64...160 { run.take(second(number)) }
        #expect(surveys(run) == 2)
    }

    @Test func `after a reload nothing is known, and no dump is made for ten seconds`() {
        var run = begun
        run.take(second(1, stream(400)))
        answer(&run, 400, 1.5)
        for number in 2...70 { run.take(second(number)) }
        #expect(used(run) == 400)
        var reload = ObservedStream()
        reload.look(70.5, entries: 0, limit: 5_000_000, unloaded: true, loads: 1)
        run.take(reload)
        for number in 71...80 { run.take(second(number)) }
        #expect(run.reports.last?.report.sample.natPorts == nil)
        #expect(surveys(run) == 1)
        for number in 81...82 { run.take(second(number)) }
        #expect(surveys(run) == 2)
    }

    @Test func `entries whose end may not be told are counted again after three minutes`() {
        var run = begun
        run.take(second(1, stream(400)))
        answer(&run, 400, 1.5)
        for number in 2...181 { run.take(second(number)) }
        #expect(surveys(run) == 1)
        for number in 182...183 { run.take(second(number)) }
        #expect(surveys(run) == 2)
        answer(&run, 100, 183.5)
        for number in 184...500 { run.take(second(number)) }
        #expect(used(run) == 100)
        #expect(surveys(run) == 2)
    }

    // MARK: Hosts on which nothing is wrong

    private func isQuiet(_ make: (Int) -> cnf_event, events: Int, dumped: UInt64? = nil) -> (
        said: [String], surveys: Int
    ) {
        var run = begun
        run.take(second(1, stream(1, make)))
        if let dumped { answer(&run, dumped, 1.2) }
        run.take(second(2, stream(events, make), entries: UInt64(events)))
        for number in 3...20 { run.take(second(number, entries: UInt64(events))) }
        return (natSaid(run), surveys(run))
    }

    @Test func `one NAT address before very many destinations has ports for all of them`() {
        let quiet = isQuiet({ .translated(to: "203.0.\($0 % 250).\($0 / 250 % 8)") }, events: 100_000, dumped: 0)
        #expect(quiet == ([], 1))
    }

    @Test func `very many short queries to one resolver use a port each, and give it back`() {
        var run = begun
        run.take(second(1, stream(1) { _ in .translated(port: 53, protocol: IPPROTO_UDP) }))
        answer(&run, 0, 1.2)
        for number in 2...12 {
            var flows = stream(20_000) { _ in .translated(port: 53, protocol: IPPROTO_UDP) }
            if number > 3 {
                for _ in 0..<20_000 {
                    flows.add(.record(cnf_record(event: .translated(CNF_DESTROY, port: 53, protocol: IPPROTO_UDP))))
                }
            }
            run.take(second(number, flows))
        }
        #expect(natSaid(run) == [])
        #expect(surveys(run) == 1)
        #expect(used(run) == 40_000)
    }

    @Test func `where destinations alone are translated no port is used and no dump is made`() {
        let quiet = isQuiet(
            { _ in
                var event = cnf_event.new("203.0.113.9", "192.0.2.1", 80)
                event.status = 1 << 5
                return event
            }, events: 100_000)
        #expect(quiet == ([], 0))
    }

    @Test func `a large table without NAT needs no dump`() {
        let quiet = isQuiet({ .new("10.\($0 >> 16 & 255).\($0 >> 8 & 255).\($0 & 255)") }, events: 200_000)
        #expect(quiet == ([], 0))
    }

    @Test func `with it off nothing is counted and nothing dumped`() {
        var run = EngineRun {
            $0.kernel = "6.18.5"
            $0.rules.natPorts = 0
        }
        var stream = ObservedStream()
        stream.listening()
        run.take(stream)
        run.take(second(1, self.stream(60_000)))
        run.take(second(2))
        #expect(surveys(run) == 0)
        #expect(run.reports.last?.report.sample.natPorts == nil)
    }
}
