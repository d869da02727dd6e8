// SPDX-License-Identifier: GPL-3.0-or-later

import CRecord
import Glibc
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel
@testable import ConntrackPublish
@testable import ConntrackRing

/// One thing in a stream: a record off the ring, or a reading beside it.
enum Observed {
    case record(cnf_record)
    case reading(Reading, at: Moment)
}

/// A stream of observations as an array, and what an engine makes of it.
struct ObservedStream {
    private(set) var observations: [Observed] = []

    mutating func look(
        _ seconds: Double, entries: UInt64 = 100, limit: UInt64? = 1000, unloaded: Bool = false, loads: UInt8 = 0
    ) {
        var record = cnf_table()
        record.time_ns = Moment.at(seconds).monotonic.nanoseconds
        record.wall_offset_ns = Moment.at(seconds).wallOffset
        record.counts_reloads = 1
        record.kind = UInt8(CNF_TABLE.rawValue)
        record.unloaded = unloaded ? 1 : 0
        record.unloads = loads
        record.loads = loads
        record.entries = limit == nil ? 0 : entries
        record.limit = limit ?? 0
        record.entries_errno = limit == nil ? ENOENT : 0
        record.limit_errno = limit == nil ? ENOENT : 0
        observations.append(.record(cnf_record(table: record)))
    }

    mutating func new(_ seconds: Double, from source: String = "192.0.2.1", count: Int = 1) {
        for _ in 0..<count {
            observations.append(.record(cnf_record(event: .new(source, at: seconds))))
        }
    }

    /// Of new entries, without the events themselves.
    mutating func counts(_ seconds: Double, new: UInt64) {
        var pending = PendingCounts()
        pending.received.new = new
        pending.push(at: Moment.at(seconds).monotonic) {
            observations.append(.record(cnf_record(counts: $0)))
            return true
        }
    }

    mutating func add(_ observation: Observed) {
        observations.append(observation)
    }

    mutating func read(_ seconds: Double, _ reading: Reading) {
        observations.append(.reading(reading, at: .at(seconds)))
    }

    mutating func settings(_ seconds: Double, limit: UInt64 = 1000, established: UInt64 = 432_000) {
        read(
            seconds,
            .settings([("nf_conntrack_max", limit), ("nf_conntrack_tcp_timeout_established", established)]))
    }

    /// The readings that an interval is closed with.
    mutating func tick(_ seconds: Double, _ change: (inout KernelReading) -> Void = { _ in }) {
        var kernel = KernelReading()
        kernel.buckets = 1024
        kernel.module = .loaded
        kernel.isNetlinkThere = true
        change(&kernel)
        read(seconds, .tick)
        read(seconds, .kernel(kernel))
        read(seconds, .log(TableFullCount()))
        read(seconds, .health(Health()))
    }

    /// Events are listened to.
    mutating func listening(_ seconds: Double = 0) {
        add(.record(cnf_record(status: cnf_status(.listening(.bpf(ring: 1)), at: Moment.at(seconds).monotonic))))
    }

    /// The files' readings, after something was said between two intervals.
    mutating func files(_ seconds: Double) {
        var kernel = KernelReading()
        kernel.buckets = 1024
        kernel.module = .loaded
        read(seconds, .kernel(kernel))
        read(seconds, .health(Health()))
    }
}

/// An engine, fed with a stream as a host would, and all it gave.
struct EngineRun: ~Copyable {
    private(set) var engine: Engine
    private(set) var outputs: [Output] = []
    private(set) var wants: [Want] = []

    init(hasConfiguration: Bool = false, restored: Restored? = nil, _ change: (inout EnginePlan) -> Void = { _ in }) {
        var plan = EnginePlan(
            identity: Identity(host: "gw12", netns: "root"), hasConfiguration: hasConfiguration, hasDumps: true)
        // Streams have a look a second or more seldom: a look that is late is waited for.
        plan.sample = .seconds(1)
        change(&plan)
        engine = Engine(plan, seed: .fixed, restored: restored, at: .at(0))
    }

    /// Feeds `stream`; records that follow each other come in batches of at most `batch`.
    mutating func take(_ stream: ObservedStream, batch: Int = .max) {
        var records: [cnf_record] = []
        for observation in stream.observations {
            switch observation {
            case .record(let record):
                records.append(record)
                if records.count >= batch { give(&records) }
            case .reading(let reading, let moment):
                give(&records)
                engine.take(reading, at: moment)
                collect()
            }
        }
        give(&records)
    }

    private mutating func give(_ records: inout [cnf_record]) {
        guard !records.isEmpty else { return }
        engine.take(records.span)
        records = []
        collect()
    }

    private mutating func collect() {
        wants += engine.takeWants()
        outputs += engine.takeOutputs()
    }

    /// What was said, in short.
    var said: [String] {
        outputs.flatMap { output -> [String] in
            guard case .say(let announcements) = output else { return [] }
            return announcements.map(\.brief)
        }
    }

    /// Everything given, as it would be written: lines, JSON, exposition, state.
    var written: [String] {
        outputs.flatMap { output -> [String] in
            switch output {
            case .say(let announcements):
                announcements.map { alertJSON($0, identity: Identity(host: "gw12", netns: "root")) }
            case .show(let report), .status(let report): [statusLine(of: report)]
            case .write(let report, let metrics):
                [StatusDocument(report).json(), metrics ? exposition(of: report) : ""]
            case .incident(let incident): [IncidentDocument(incident).json()]
            case .keep(let kept): ["keep \(kept)"]
            }
        }
    }

    /// The lines for standard output.
    var lines: [String] {
        outputs.compactMap { if case .show(let report) = $0 { statusLine(of: report) } else { nil } }
    }

    /// The reports that were written to files, with whether the textfile was due.
    var reports: [(report: Report, metrics: Bool)] {
        outputs.compactMap { if case .write(let report, let metrics) = $0 { (report, metrics) } else { nil } }
    }
}
