// SPDX-License-Identifier: GPL-3.0-or-later

import CRecord
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel
@testable import ConntrackPublish

/// A scenario through an engine, as Monitor would feed it: looks and events in batches, what the engine wants to know
/// answered, quick readings at once, those from a disk when the disk is done.
struct HostRun: ~Copyable {
    /// One moment's outputs, and what fires by the lines that were said.
    struct Snapshot: Sendable {
        var shown: Report
        var written: Report
        var said: Set<String>
    }

    /// A line, and when it was said.
    struct Line: Sendable {
        var at: Double
        var announcement: Announcement
    }

    static let identity = Identity(host: "gw12", netns: "root")

    private let scenario: Scenario
    private var host: SimulatedHost
    private var engine: Engine
    private var chance: SplitMix
    /// Asked of the disk and not answered yet: one after the other.
    private var asked: [(want: Want, begun: Double, due: Double)] = []
    private(set) var said: [Line] = []
    private(set) var snapshots: [Snapshot] = []
    private var firing: Set<String> = []
    private var now = 0.0
    /// One interval of so many, by chance, is kept to be compared, and some after which something was said.
    private let snapshotsEvery: UInt64
    private var newsLeft = 20
    private var isNews = false

    init(_ scenario: Scenario) {
        let seed = scenario.name.utf8.reduce(UInt64(5381)) { $0 &* 33 &+ UInt64($1) }
        self.scenario = scenario
        snapshotsEvery = UInt64(scenario.lasts.seconds / scenario.interval / 20)
        host = SimulatedHost(scenario.host, seed: seed)
        chance = SplitMix(state: seed ^ 0xb0ed)
        let plan = EnginePlan(
            identity: HostRun.identity, sample: .seconds(scenario.looks), interval: .seconds(scenario.interval),
            hasConfiguration: true)
        engine = Engine(plan, seed: .fixed, at: .at(0))
        run()
    }

    private mutating func run() {
        begin()
        var events = scenario.happens[...]
        let looks = Int((scenario.interval / scenario.looks).rounded())
        var records: [cnf_record] = []
        while now < scenario.lasts.seconds {
            for look in 1...looks {
                while let event = events.first, event.at.seconds <= now {
                    for happening in event.happenings { host.take(happening, at: now) }
                    events.removeFirst()
                }
                if host.standsStill > 0 { suspend(&records) }
                step(look == looks, &records)
            }
            give(&records)
            tick(now + 0.03)
        }
    }

    private mutating func begin() {
        var records: [cnf_record] = []
        host.go(on: 0, to: 0, into: &records)
        let status = EventStatus.listening(.netlink(receiveBuffer: 33_554_432, notBPF: nil))
        records.append(cnf_record(status: cnf_status(status, at: Moment.at(0).monotonic)))
        give(&records)
        tick(0.001)
    }

    /// One look further. Who sees news wakes the main thread.
    private mutating func step(_ isLast: Bool, _ records: inout [cnf_record]) {
        let limit = host.table.limit
        now = ((now + scenario.looks) * 1000).rounded() / 1000
        host.go(on: scenario.looks, to: now, into: &records)
        if isLast { records.append(cnf_record(duty: host.duty(at: now, over: scenario.interval))) }
        if host.table.limit != limit { give(&records) }
    }

    /// The clocks go on and nothing runs. After it the main thread's timer or the reader's is first.
    private mutating func suspend(_ records: inout [cnf_record]) {
        give(&records)
        now += host.standsStill
        host.wakeUp()
        if chance.next() % 2 == 0 { tick(now + 0.001) }
        now += 0.004
        host.go(on: 0.004, to: now, into: &records)
        give(&records)
    }

    private mutating func give(_ records: inout [cnf_record]) {
        pass(to: now)
        if !records.isEmpty { engine.take(records.span) }
        records.removeAll(keepingCapacity: true)
        goOn(now)
    }

    private mutating func tick(_ time: Double) {
        pass(to: time)
        engine.take(.tick, at: .at(time))
        goOn(time)
    }

    // MARK: What Monitor does

    /// What falls due before `time`: answers, and deadlines of the engine's.
    private mutating func pass(to time: Double) {
        while true {
            let deadline = engine.nextDeadline.map { $0.nanoseconds }
            let next = asked.first?.due
            if let next, next <= time, Moment.at(next).monotonic.nanoseconds <= deadline ?? .max {
                let (want, begun, due) = asked.removeFirst()
                answer(want, at: begun)
                goOn(due)
            } else if let deadline, deadline <= Moment.at(time).monotonic.nanoseconds {
                let seconds = Double(Int64(deadline) - Int64(Moment.at(0).monotonic.nanoseconds)) / 1e9
                engine.take(.time, at: .at(max(seconds, now)))
                goOn(max(seconds, now))
                if engine.nextDeadline.map({ $0.nanoseconds }) == deadline { return }
            } else {
                return
            }
        }
    }

    private mutating func goOn(_ time: Double) {
        while engine.isWaiting {
            for want in engine.takeWants() {
                switch want {
                case .settings: engine.take(.settings(host.parameters), at: .at(time))
                case .kernel: engine.take(.kernel(host.kernel(at: time)), at: .at(time))
                case .log: engine.take(.log(host.log()), at: .at(time))
                case .health: engine.take(.health(health(time)), at: .at(time))
                case .configuration, .origin, .doctor, .survey:
                    let begun = max(time, asked.last?.due ?? 0)
                    asked.append((want, begun, begun + host.diskTakes))
                }
            }
        }
        publish(at: time)
    }

    private mutating func answer(_ want: Want, at time: Double) {
        switch want {
        case .configuration: engine.take(.configuration(host.configuration), at: .at(time))
        case .origin: engine.take(.origin(host.origin), at: .at(time))
        case .doctor: engine.take(.doctor(.nothing), at: .at(time))
        default: break
        }
    }

    /// As Inquiry has it: what takes longer than 30 s hangs.
    private func health(_ time: Double) -> Health {
        var health = Health()
        if let first = asked.first, time - first.begun > 30 {
            let reason = "reading the configuration has hung for \(readable(seconds: time - first.begun))"
            health.degraded = [Degradation(part: "facts", reason: reason, remains: "limits are judged without it")]
        }
        return health
    }

    private mutating func publish(at time: Double) {
        var shown: Report?
        for output in engine.takeOutputs() {
            switch output {
            case .say(let announcements): for one in announcements { say(one, at: time) }
            case .show(let report): shown = report
            case .write(let report, _):
                guard let shown, isNews || chance.next() % snapshotsEvery == 0 else { continue }
                isNews = false
                snapshots.append(Snapshot(shown: shown, written: report, said: firing))
            case .status, .incident, .keep: break
            }
        }
    }

    private mutating func say(_ announcement: Announcement, at time: Double) {
        said.append(Line(at: time, announcement: announcement))
        newsLeft -= 1
        isNews = newsLeft > 0
        let name = announcement.name + (announcement.subject.map { "(\($0))" } ?? "")
        switch announcement.state {
        case .firing, .repeating:
            firing = firing.filter { !$0.hasPrefix(name + ":") }
            firing.insert("\(name):\(announcement.level?.name ?? "")")
        case .resolved: firing = firing.filter { !$0.hasPrefix(name + ":") }
        case .notice, .log: break
        }
    }
}
