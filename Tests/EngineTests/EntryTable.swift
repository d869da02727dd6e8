// SPDX-License-Identifier: GPL-3.0-or-later

import CRecord
import Glibc
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// How an entry ends.
enum EntryEnd: CaseIterable {
    /// By `conntrack -D` or -F, or another program.
    case deleted
    /// Its time was over.
    case expired
    /// Its time was over, and it was an open connection.
    case openExpired
    /// A full table evicted it.
    case evicted
    /// Closed, and its TIME_WAIT was over.
    case closed
    /// An open connection that the kernel dropped.
    case forgotten
    /// Likewise, told by a kernel before 5.11: without its state and the time it had left.
    case forgottenUntold

    fileprivate var event: cnf_event {
        let isTCP = self != .expired && self != .evicted
        var event = cnf_event.new("192.0.2.1", protocol: isTCP ? IPPROTO_TCP : IPPROTO_UDP)
        event.kind = UInt8(CNF_DESTROY.rawValue)
        event.tcp_state = UInt8(CNF_NO_TCP_STATE)
        event.status = EntryStatus([.confirmed, .seenReply]).rawValue
        if isTCP {
            event.status |= EntryStatus.assured.rawValue
            event.tcp_state = (self == .closed ? TCPState.timeWait : .established).rawValue
        }
        switch self {
        case .deleted: event.flags = UInt8(CNF_BY_PROGRAM.rawValue | CNF_TIME_LEFT.rawValue)
        case .evicted, .forgotten: event.flags = UInt8(CNF_TIME_LEFT.rawValue)
        case .forgottenUntold: event.tcp_state = UInt8(CNF_NO_TCP_STATE)
        case .expired, .openExpired, .closed: break
        }
        return event
    }
}

/// A table whose entries come and go, and what a monitor's engine is told of it: looks, events, ticks.
struct EntryTable {
    var stream = ObservedStream()
    private(set) var entries: UInt64
    private(set) var time = 0.0
    /// Seconds.
    private let sample: Double
    private let interval: Double
    private var nextLook = 0.0
    private var nextTick = 0.0
    private var unheard: [EntryEnd] = []
    private var unheardNew = 0

    init(_ entries: UInt64, sample: Double = 0.1, interval: Double = 1) {
        self.entries = entries
        self.sample = sample
        self.interval = interval
        advance(to: 0)
    }

    /// Looks and ticks up to `seconds`, and that moment itself. A look comes before the events that wait by then.
    mutating func advance(to seconds: Double) {
        while nextLook <= seconds + 1e-9 {
            time = nextLook
            stream.look(time, entries: entries, limit: 262_144)
            hear()
            if nextTick <= time + 1e-9 {
                stream.tick(time) { $0.buckets = 262_144 }
                stream.settings(time, limit: 262_144)
                nextTick += interval
            }
            nextLook += sample
        }
        time = seconds
    }

    mutating func pass(_ seconds: Double) {
        advance(to: time + seconds)
    }

    /// Nothing looks for so long.
    mutating func skip(_ seconds: Double) {
        time += seconds
        nextLook = time
        nextTick = time
    }

    /// The events that wait are read, as they are between two looks.
    mutating func hear() {
        for ending in unheard { stream.add(.record(cnf_record(event: ending.event))) }
        stream.new(time, count: unheardNew)
        let counts = EventCounts(new: UInt64(unheardNew), destroy: UInt64(unheard.count))
        tell { $0.received = counts }
        (unheard, unheardNew) = ([], 0)
    }

    /// What the reader tells of received and lost events.
    mutating func tell(_ change: (inout PendingCounts) -> Void) {
        var pending = PendingCounts()
        change(&pending)
        pending.push(at: Moment.at(time).monotonic) {
            stream.add(.record(cnf_record(counts: $0)))
            return true
        }
    }

    mutating func end(_ count: Int, _ ending: EntryEnd) {
        entries -= UInt64(count)
        unheard += Array(repeating: ending, count: count)
    }

    /// Without an event that is heard.
    mutating func endUnheard(_ count: Int) {
        entries -= UInt64(count)
    }

    mutating func make(_ count: Int) {
        entries += UInt64(count)
        unheardNew += count
    }

    /// What was said, each as "NOTICE table_flushed".
    func said(batch: Int = .max) -> [String] { run(batch: batch).said }

    /// The texts of what was said.
    var texts: [String] {
        run().outputs.flatMap { output -> [String] in
            guard case .say(let announcements) = output else { return [] }
            return announcements.map(\.summary)
        }
    }

    private func run(batch: Int = .max) -> EngineRun {
        let (sample, interval) = (sample, interval)
        var run = EngineRun {
            $0.sample = .seconds(sample)
            $0.interval = .seconds(interval)
        }
        run.take(stream, batch: batch)
        return run
    }
}
