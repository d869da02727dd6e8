// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import Glibc

/// Stage 4: takes records from the ring and, once an interval, makes a Sample of them. No clock and no I/O of its own.
struct Collector: ~Copyable {
    /// Everything that does not come through the ring.
    struct Surroundings {
        var moment: Moment
        var buckets: UInt64?
        var statistics: StatisticsReader.Reading?
        var tableFullLines = TableFullCount()
        var listening = false
        var lostIsCounted = false
        var isNetlinkThere: Bool?
        var duty: EventDuty?
        var lost = LostEvents()
        var lossIsExact = true
        var ringCapacity = 0
        var ringPeak = 0
        var cpuSeconds = 0.0
        var survey: Survey?
        var degraded: [Degradation] = []
    }

    /// Sampling that stands still for longer is a gap.
    private let longestPause: Duration

    private var events = EventCounts()
    private var newByProtocol = [UInt64](repeating: 0, count: 256)
    private var talkers: TalkerCounter
    private var lastLook: TableLook?
    private var gap: Duration?
    /// The gap was told by a sample that was closed before the first look after it.
    private var gapIsTold = false

    private var peak = SlidingPeak(step: .seconds(1), steps: 120)
    private var peakDay = SlidingPeak(step: .seconds(900), steps: 96)
    private var peakSecond = SlidingPeak(step: .milliseconds(100), steps: 10)
    private var knownSince: MonotonicTime?
    private var knownBefore = Duration.zero
    private var slope = Slope(window: .seconds(60))
    private var estimate = EventEstimate()
    private var stitcher = StatStitcher()

    private var minute: [(time: MonotonicTime, events: EventCounts, lost: LostEvents)] = []
    private var previous: (moment: Moment, events: EventCounts, lost: LostEvents, stats: StatValues?)?

    /// A collector of looks that come every `period`; `seed` is nobody's to foresee.
    init(period: Duration = .milliseconds(100), seed: HashSeed) {
        talkers = TalkerCounter(seed: seed)
        longestPause = max(.seconds(5), period * 2)
    }

    /// The highest count that a state file knows of, for how long it was watched: it counts as seen now.
    mutating func restore(peakDay value: UInt64?, knownFor: Duration, at time: MonotonicTime) {
        guard let value else { return }
        peakDay.add(value, at: time)
        knownBefore = knownFor
    }

    /// Takes how many events there were so far, as whoever read them counted.
    mutating func take(counted: EventCounts) {
        events = counted
    }

    /// Takes a batch of records; hands each look at the table on to `look`. `now` ties their time to the wall clock.
    mutating func take(_ records: borrowing Span<cnf_record>, now: Moment, look: (TableLook) -> Void) {
        for index in records.indices {
            switch UInt32(records[index].event.kind) {
            case CNF_NEW.rawValue:
                newByProtocol[Int(records[index].event.protocol)] += 1
                talkers.count(records[index].event)
            case CNF_UPDATE.rawValue, CNF_DESTROY.rawValue:
                break
            default:
                let seen = TableLook(records[index].table, now: now)
                take(seen)
                look(seen)
            }
        }
    }

    private mutating func take(_ look: TableLook) {
        let time = look.moment.monotonic
        if let last = lastLook, time - last.moment.monotonic > longestPause {
            if !gapIsTold { gap = time - last.moment.monotonic }
            slope.reset()
            estimate.reset()
        }
        gapIsTold = false
        if look.unloaded || look.absent {
            slope.reset()
            estimate.reset()
            peakSecond = SlidingPeak(step: .milliseconds(100), steps: 10)
        }
        if let entries = look.entries {
            peak.add(entries, at: time)
            peakDay.add(entries, at: time)
            peakSecond.add(entries, at: time)
            estimate.add(entries: entries, at: time)
            knownSince = knownSince ?? time
        }
        lastLook = look
    }

    /// Closes the interval; nil before the first look at the table.
    mutating func close(_ around: Surroundings) -> Sample? {
        guard let lastLook else { return nil }
        let now = around.moment.monotonic
        let age = now - lastLook.moment.monotonic
        let isStale = age > longestPause
        if isStale && !gapIsTold {
            gap = gap ?? age
            gapIsTold = true
            slope.reset()
        }
        var sample = Sample(moment: around.moment, table: lastLook)
        sample.gap = gap
        gap = nil

        if let entries = lastLook.entries, !isStale { slope.add(entries, at: now) }
        sample.fillRate = slope.perSecond
        sample.buckets = around.buckets
        sample.entriesPeak = peak.highest(at: now)
        sample.entriesPeakDay = peakDay.highest(at: now)
        sample.entriesPeakSecond = peakSecond.highest(at: now)
        sample.peakKnownFor = knownBefore + (knownSince.map { now - $0 } ?? .zero)

        sample.events = around.listening || events.total > 0 ? events : nil
        for (number, count) in newByProtocol.enumerated() where count > 0 {
            sample.newByProtocol[UInt8(number)] = count
        }
        sample.lost = around.lost
        sample.lostIsCounted = around.lostIsCounted
        sample.lossIsExact = around.lossIsExact
        sample.isNetlinkThere = lastLook.absent ? nil : around.isNetlinkThere
        if let reading = around.statistics { stitcher.take(reading.perCPU, restarted: reading.restarted) }
        // What was counted stays counted while the module is gone.
        sample.stats = stitcher.total
        sample.statsPerCPU = stitcher.perCPU
        sample.tableFullLines = around.tableFullLines

        sample.ringCapacity = around.ringCapacity
        sample.ringPeak = around.ringPeak
        sample.cpuSeconds = around.cpuSeconds
        sample.degraded = around.degraded
        sample.survey = around.survey

        compare(&sample, hasStatistics: around.statistics != nil)
        lookBackAMinute(&sample)
        if sample.events != nil { sample.talkers = talkers.look(at: now, of: sample) }
        estimate.close(&sample, around.listening ? around.duty : nil)
        previous = (around.moment, events, around.lost, sample.stats)
        return sample
    }

    /// What this interval adds to the one before.
    private func compare(_ sample: inout Sample, hasStatistics: Bool) {
        guard let previous else { return }
        sample.elapsed = sample.moment.monotonic - previous.moment.monotonic
        sample.lostNow = sample.lost - previous.lost
        if sample.events != nil { sample.eventsNow = events - previous.events }
        if sample.gap == nil, hasStatistics, let now = sample.stats, let before = previous.stats {
            sample.statsNow = now - before
        }
    }

    private mutating func lookBackAMinute(_ sample: inout Sample) {
        minute.append((sample.moment.monotonic, events, sample.lost))
        while minute.count > 2, sample.moment.monotonic - minute[1].time >= .seconds(60) { minute.removeFirst() }
        guard sample.events != nil, let first = minute.first else { return }
        sample.eventsMinute = (events - first.events).total
        let span = (sample.moment.monotonic - first.time).inSeconds
        sample.newRateSpan = sample.moment.monotonic - first.time
        if span > 0 { sample.newRate = Double(events.new - first.events.new) / span }
        sample.lostMinute = sample.lost - first.lost
    }
}

extension TableLook {
    init(_ record: cnf_table, now: Moment) {
        self.init(moment: now.at(MonotonicTime(nanoseconds: record.time_ns)))
        unloaded = record.unloaded != 0
        unloads = UInt64(record.unloads)
        loads = UInt64(record.loads)
        absent = record.limit_errno == ENOENT && record.entries_errno == ENOENT && record.alive == 0
        entries = record.entries_errno == 0 ? record.entries : nil
        limit = record.limit_errno == 0 ? record.limit : nil
        if !absent {
            entriesFault = record.entries_errno
            limitFault = record.limit_errno
        }
    }
}
