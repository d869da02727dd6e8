// SPDX-License-Identifier: GPL-3.0-or-later

import CRecord
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel
@testable import ConntrackPublish

/// A host whose events can be made to fail, and an engine that watches it: ten looks a second, each followed by the events
/// of what it saw, and the settings whenever they are wanted.
struct SilentHost: ~Copyable {
    /// What a tenth of a second brings.
    struct Tenth {
        /// Entries that came and went, and what was heard of it.
        var came: UInt64 = 0
        var went: UInt64 = 0
        var new: UInt64 = 0
        var update: UInt64 = 0
        var destroy: UInt64 = 0
        var lost: UInt64 = 0

        /// Every event is heard.
        static func heard(_ came: UInt64, went: UInt64 = 0) -> Tenth {
            Tenth(came: came, went: went, new: came, destroy: went)
        }

        /// No event is heard.
        static func unheard(_ came: UInt64, went: UInt64 = 0) -> Tenth { Tenth(came: came, went: went) }
    }

    private(set) var run: EngineRun
    private(set) var time = 0.0
    /// How often the settings were asked for, and when last.
    private(set) var settingsRead = 0
    private var entries: UInt64
    private var tenths = 0
    private var answered = 0
    /// nf_conntrack_events; nil = this kernel has none.
    var setting: UInt64? = 2
    var isNetlinkThere = true

    init(entries: UInt64 = 1000, _ change: (inout EnginePlan) -> Void = { _ in }) {
        run = EngineRun { change(&$0) }
        self.entries = entries
        var stream = ObservedStream()
        stream.look(0, entries: entries, limit: 1_000_000)
        let status = EventStatus.listening(.netlink(receiveBuffer: 1 << 20, notBPF: nil))
        stream.add(.record(cnf_record(status: cnf_status(status, at: Moment.at(0).monotonic))))
        duty(EventDuty(settledAt: Moment.at(0).monotonic), to: &stream)
        stream.tick(0)
        run.take(stream)
        answer()
    }

    private func duty(_ duty: EventDuty, to stream: inout ObservedStream) {
        stream.add(.record(cnf_record(duty: cnf_duty(duty, at: duty.settledAt))))
    }

    /// Groups are left or joined from here on.
    mutating func take(_ duty: EventDuty) {
        var stream = ObservedStream()
        self.duty(duty, to: &stream)
        run.take(stream)
    }

    /// It stands with the events like this from here on.
    mutating func take(_ status: EventStatus) {
        var stream = ObservedStream()
        stream.add(.record(cnf_record(status: cnf_status(status, at: Moment.at(time).monotonic))))
        run.take(stream)
    }

    /// `seconds` of such tenths, with a sample at the end of each second.
    mutating func pass(_ seconds: Int, _ tenth: Tenth = .heard(0), answering: Bool = true) {
        pass(tenths: seconds * 10, answering: answering) { _ in tenth }
    }

    mutating func pass(tenths count: Int, answering: Bool = true, _ tenth: (Int) -> Tenth) {
        for number in 0..<count {
            tenths += 1
            time = Double(tenths) / 10
            let now = tenth(number)
            entries = entries + now.came - min(entries + now.came, now.went)
            var stream = ObservedStream()
            stream.look(time, entries: entries, limit: 1_000_000)
            run.take(stream)
            if answering { answer() }
            hear(now, at: time + 0.002)
            if answering { answer() }
            if tenths % 10 == 0 { tick(answering) }
        }
    }

    /// Nothing is looked at for so many seconds.
    mutating func skip(_ seconds: Int) {
        tenths += seconds * 10
    }

    /// Events that come by themselves.
    mutating func hear(_ events: Tenth, at seconds: Double) {
        var counts = PendingCounts()
        counts.received = EventCounts(new: events.new, update: events.update, destroy: events.destroy)
        counts.overrunUntyped = events.lost
        var stream = ObservedStream()
        stream.new(seconds, count: Int(events.new))
        counts.push(at: Moment.at(seconds).monotonic) {
            stream.add(.record(cnf_record(counts: $0)))
            return true
        }
        run.take(stream)
    }

    private mutating func tick(_ answering: Bool) {
        let isThere = isNetlinkThere
        var stream = ObservedStream()
        stream.tick(time + 0.01) { $0.isNetlinkThere = isThere }
        run.take(stream)
        if answering { answer() }
    }

    /// Answers what is wanted of the settings.
    mutating func answer() {
        let wants = run.wants.dropFirst(answered)
        answered = run.wants.count
        guard wants.contains(.settings) else { return }
        settingsRead += 1
        var stream = ObservedStream()
        let others = [(name: "nf_conntrack_max", value: UInt64(1_000_000))]
        let events = setting.map { [(name: "nf_conntrack_events", value: $0)] } ?? []
        stream.read(time + 0.02, .settings(events + others))
        run.take(stream)
    }

    /// The last report.
    var report: Report? { run.reports.last?.report }
    var sample: Sample? { report?.sample }
    var line: String { report.map { statusLine(of: $0) } ?? "" }
    var document: StatusDocument? { report.map { StatusDocument($0) } }
    var metrics: String { report.map { exposition(of: $0) } ?? "" }
    /// What was said of silent events, in short.
    var said: [String] { run.said.filter { $0.hasSuffix(" events_silent") } }

    /// The text of what was said of them last.
    var summary: String {
        run.outputs.reversed().lazy.compactMap { output in
            guard case .say(let announcements) = output else { return nil }
            return announcements.last { $0.name == "events_silent" }?.summary
        }.first ?? ""
    }
}
