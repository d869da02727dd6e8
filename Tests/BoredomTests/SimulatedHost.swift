// SPDX-License-Identifier: GPL-3.0-or-later

import CRecord
import Glibc
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// A host under a scenario: its table and settings, and what a reader and /proc would tell of them.
struct SimulatedHost {
    private let plan: HostPlan
    private(set) var table: SimulatedTable
    private var settings: [String: UInt64]
    /// When nf_conntrack comes back, and with which limit; nil = it is there.
    private var away: (until: Double, limit: UInt64)?
    private var isReloaded = false
    private(set) var diskTakes = 0.02
    /// How long the machine stands still, beginning now.
    private(set) var standsStill = 0.0
    private var lost = 0
    private var fullLines = 0
    private var statistics: [(stat: Stat, rate: Double, until: Double)]
    private var hasRestarted = false
    /// Connections that its TCP opened or accepted, and when that was read last.
    private var opened: UInt64 = 0
    private var trafficAt = -10.0
    private var talkers: [[cnf_event]]
    private var heard = (total: 0.0, seconds: 0.0, new: 0.0)

    init(_ plan: HostPlan, seed: UInt64) {
        self.plan = plan
        table = SimulatedTable(plan, seed: seed)
        statistics = plan.statistics.sorted { $0.key.rawValue < $1.key.rawValue }.map { ($0.key, $0.value, .infinity) }
        settings = [
            "nf_conntrack_acct": 0, "nf_conntrack_buckets": plan.buckets, "nf_conntrack_events": 2,
            "nf_conntrack_tcp_timeout_established": 432_000, "nf_conntrack_udp_timeout": 30,
        ]
        talkers = plan.toldEach == 0 ? [] : plan.flows.map { $0.sample() }
        table.warmUp(700)
    }

    private var isThere: Bool { away == nil }

    // MARK: What happens

    mutating func take(_ happening: Happening, at time: Double) {
        switch happening {
        case .close(let count, let name, let timeout):
            if let index = table.index(of: name) { table.close(count, of: index, timeout: timeout) }
        case .open(let count, let name):
            if let index = table.index(of: name) { table.make(count, of: index, staying: true) }
        case .burst(let count, let name):
            if let index = table.index(of: name) { table.make(count, of: index) }
        case .factor(let factor, let name):
            if let index = table.index(of: name) { table.factors[index] = factor }
        case .suspend(let seconds): standsStill = seconds
        case .limit(let limit): table.limit = limit
        case .setting(let name, let value):
            settings[name] = value
            if name == "nf_conntrack_events" { table.sendsEvents = value != 0 }
        case .reload(let gone, let limit):
            away = (time + gone, limit)
            table.forget()
        case .tracking(let isOn): table.isTracking = isOn
        case .flush: table.flush()
        case .delete(let count, let name):
            if let index = table.index(of: name) { table.delete(count, of: index) }
        case .statistic(let stat, let rate, let span): statistics.append((stat, rate, time + span))
        case .disk(let seconds): diskTakes = seconds
        case .lose(let count): lost += count
        case .sweeps(let seconds): table.sweepsEvery = seconds
        }
    }

    mutating func wakeUp() { standsStill = 0 }

    /// Goes on by `span` seconds, and looks at the table at their end.
    mutating func go(on span: Double, to time: Double, into records: inout [cnf_record]) {
        if let waiting = away, time >= waiting.until {
            table.limit = waiting.limit
            table.resetStatistics()
            (away, isReloaded, hasRestarted) = (nil, true, true)
        }
        if isThere {
            table.advance(by: span, to: time)
            for (stat, rate, until) in statistics where time <= until {
                table.count(stat, perSecond: rate, over: span)
            }
        }
        tell(of: table.step, at: time, over: span, into: &records)
        look(at: time, into: &records)
        fullLines += table.step.fullLines
        opened += UInt64(table.step.opened)
        table.step = SimulatedTable.Step(new: table.step.new.map { _ in 0 })
    }

    // MARK: What is told

    private mutating func look(at time: Double, into records: inout [cnf_record]) {
        var record = cnf_table()
        let moment = Moment.at(time)
        record.time_ns = moment.monotonic.nanoseconds
        record.wall_offset_ns = moment.wallOffset
        record.kind = UInt8(CNF_TABLE.rawValue)
        record.counts_reloads = 1
        record.unloaded = isReloaded ? 1 : 0
        record.loads = isReloaded ? 1 : 0
        record.entries = isThere ? UInt64(table.entries) : 0
        record.limit = isThere ? table.limit : 0
        record.entries_errno = isThere ? 0 : ENOENT
        record.limit_errno = record.entries_errno
        records.append(cnf_record(table: record))
        isReloaded = false
    }

    /// The events of a step, as far as somebody hears them: some one by one, and how many there were.
    private mutating func tell(
        of step: SimulatedTable.Step, at time: Double, over span: Double, into records: inout [cnf_record]
    ) {
        let made = table.sendsEvents ? step.made : 0
        let gone = step.gone.values.reduce(0, +)
        let total = made + gone
        guard total > 0 else { return }
        let moment = Moment.at(time).monotonic
        tellEach(of: step, at: moment, into: &records)
        var pending = PendingCounts()
        pending.overrunUntyped = UInt64(min(lost, total))
        lost -= min(lost, total)
        let share = 1 - Double(pending.overrunUntyped) / Double(total)
        pending.received.new = UInt64(Double(made) * share)
        pending.received.destroy = UInt64(Double(gone) * share)
        pending.push(at: moment) {
            records.append(cnf_record(counts: $0))
            return true
        }
        heard.total += Double(total)
        heard.new += Double(made)
    }

    /// New entries as far as the plan has them told; of those that go at once all that matters for how.
    private func tellEach(of step: SimulatedTable.Step, at moment: MonotonicTime, into records: inout [cnf_record]) {
        for (index, events) in talkers.enumerated() where table.sendsEvents {
            for number in 0..<min(step.new[index], plan.toldEach) {
                var event = events[(number + Int(truncatingIfNeeded: moment.nanoseconds / 100_000_000)) % events.count]
                event.time_ns = moment.nanoseconds
                records.append(cnf_record(event: event))
            }
        }
        let isMuch = step.gone.values.reduce(0, +) > max(500, table.entries / 20) || step.gone[.deleted] ?? 0 > 0
        for departure in SimulatedTable.Departure.allCases {
            let event = departure.event(at: moment)
            let count = step.gone[departure] ?? 0
            for _ in 0..<(isMuch ? count : min(count, plan.toldEach)) { records.append(cnf_record(event: event)) }
        }
    }

    /// What listening costs, as the budget tells once a sample.
    mutating func duty(at time: Double, over span: Double) -> cnf_duty {
        heard.seconds += span
        var duty = EventDuty(settledAt: Moment.at(time).monotonic)
        duty.messageRate = heard.seconds > 0 ? heard.total / heard.seconds : 0
        duty.spent = heard.total * 2.5e-6
        duty.made = heard.new
        duty.span = heard.seconds
        return cnf_duty(duty, at: Moment.at(time).monotonic)
    }

    // MARK: Readings

    mutating func kernel(at time: Double) -> KernelReading {
        var kernel = KernelReading()
        guard isThere else { return kernel }
        kernel.buckets = plan.buckets
        kernel.module = .loaded
        kernel.isNetlinkThere = true
        if time - trafficAt >= 10 {
            trafficAt = time
            kernel.traffic = Traffic(tcpOpens: opened)
        }
        kernel.statistics = StatisticsReading(
            perCPU: [StatValues(table.statistics), StatValues(table.statistics.mapValues { _ in 0 })],
            restarted: hasRestarted)
        hasRestarted = false
        return kernel
    }

    mutating func log() -> TableFullCount {
        defer { fullLines = 0 }
        var count = TableFullCount()
        count.unnamed = fullLines
        return count
    }

    var parameters: [(name: String, value: UInt64)] {
        guard isThere else { return [] }
        return (settings.map { ($0.key, $0.value) } + [("nf_conntrack_max", table.limit)]).sorted { $0.0 < $1.0 }
    }

    var configuration: ConfiguredSettings {
        let place = "/etc/sysctl.d/90-conntrack.conf:1"
        return ConfiguredSettings(limit: plan.configured.map { ConfiguredLimit(limit: $0, place: place) })
    }

    var origin: LimitOrigin { plan.origin }
}

extension Flows {
    /// New entries of theirs, one from each of their sources.
    fileprivate func sample() -> [cnf_event] {
        sources.map { host in
            .new("192.0.2.\(host)", destination, port, protocol: `protocol`)
        }
    }
}

extension SimulatedTable.Departure {
    /// The DESTROY of an entry that goes like this.
    fileprivate func event(at moment: MonotonicTime) -> cnf_event {
        var event = cnf_event.new("192.0.2.1")
        event.kind = UInt8(CNF_DESTROY.rawValue)
        event.time_ns = moment.nanoseconds
        let (byProgram, timeLeft) = (UInt8(CNF_BY_PROGRAM.rawValue), UInt8(CNF_TIME_LEFT.rawValue))
        let assured = EntryStatus.assured.rawValue
        switch self {
        case .expired: (event.tcp_state, event.status) = (TCPState.timeWait.rawValue, assured)
        case .evicted, .refused: (event.tcp_state, event.flags) = (TCPState.synReceived.rawValue, timeLeft)
        case .deleted:
            (event.tcp_state, event.status, event.flags) = (
                TCPState.established.rawValue, assured, byProgram | timeLeft
            )
        }
        return event
    }
}
