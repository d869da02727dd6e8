// SPDX-License-Identifier: GPL-3.0-or-later

internal import CRecord
internal import ConntrackModel

/// Stage 4: takes records from the ring and, once an interval, makes a Sample of them. No clock and no I/O of its own.
struct Collector: ~Copyable {
    /// Sampling that stands still for longer is a gap.
    private let longestPause: Duration
    /// Looks are never so far apart, unless whoever makes them is held up.
    private let latest: Duration

    private let limits: EventBudget.Limits
    private var events = EventCounts()
    private var lost = LostEvents()
    private var lossIsExact = true
    private var duty: EventDuty?
    /// Not an array, which would ask at each event whether it is its storage's only owner.
    private var newByProtocol = InlineArray<256, UInt64>(repeating: 0)
    private var talkers: TalkerCounter
    /// Which ports NAT uses.
    var natPorts: NATPortCounter
    private var departures = Departures()
    private var departureWindow = DepartureWindow()
    private var massDeparture: MassDeparture?
    private var lastLook: TableLook?
    /// Between the last two looks that were so far apart, until a sample has told of it.
    private var gap: Duration?

    private var peak = SlidingPeak(step: .seconds(1), steps: 120)
    private var peakDay = SlidingPeak(step: .seconds(900), steps: 96)
    private var peakSecond = SlidingPeak(step: .milliseconds(100), steps: 10)
    private var knownSince: MonotonicTime?
    private var knownBefore = Duration.zero
    private var slope = FillSlope()
    private var estimate = EventEstimate()
    private var balance = IntervalBalance()
    /// Whether events come at all.
    private var silence: SilenceTracker
    private var stitcher = StatStitcher()
    private var statHistory = StatHistory()
    /// Statistics were read since the last sample.
    private var hasStatistics = false
    /// The last sample before which they were.
    private var statisticsAt: MonotonicTime?

    private var minute = EventMinute()
    private var previous: (moment: Moment, events: EventCounts, lost: LostEvents, stats: StatValues?)?

    /// A collector of looks that come every `period`; `limits` are those of the event budget.
    init(
        period: Duration = .milliseconds(100), limits: EventBudget.Limits = EventBudget.Limits(), seed: HashSeed,
        kernel: KernelRelease? = nil
    ) {
        longestPause = max(.seconds(5), period * 2)
        latest = max(.milliseconds(300), period * 2)
        self.limits = limits
        silence = SilenceTracker(longestPause: longestPause)
        talkers = TalkerCounter(seed: seed)
        natPorts = NATPortCounter(seed: seed, kernel: kernel)
    }

    /// The highest count that a state file knows of, for how long it was watched: it counts as seen now.
    mutating func restore(peakDay value: UInt64?, knownFor: Duration, at time: MonotonicTime) {
        guard let value else { return }
        peakDay.add(value, at: time)
        knownBefore = knownFor
    }

    // MARK: Records

    /// Counts a new entry.
    @inline(__always)
    mutating func countNew(_ event: EventInPlace) {
        newByProtocol[Int(event.protocol)] += 1
        talkers.count(event)
        if event.status.contains(.sourceNAT) { natPorts.count(event, 1) }
    }

    /// Counts an entry that went.
    @inline(__always)
    mutating func countDestroy(_ event: EventInPlace) {
        departures.count(event)
        if event.status.contains(.sourceNAT) { natPorts.count(event, -1) }
    }

    /// Takes how many events there were since the last time, and what was lost.
    mutating func take(_ counts: cnf_counts) {
        events += EventCounts(counts.received)
        let lostNow = LostEvents(counts)
        lost += lostNow
        natPorts.lose(lostNow.total)
        if counts.inexact != 0 { lossIsExact = false }
        silence.take(counts)
    }

    /// Takes how events are listened to.
    mutating func take(_ record: cnf_duty) {
        let now = EventDuty(record, limits)
        duty = now
        if now.ratio < 1 || now.hindrance != nil, natPorts.isHeard { natPorts.isHeard = false }
    }

    /// Takes a look at the table.
    mutating func take(_ look: TableLook) {
        let time = look.moment.monotonic
        if let last = lastLook, time - last.moment.monotonic > longestPause {
            gap = time - last.moment.monotonic
            slope.reset()
            estimate.reset()
            departureWindow.reset()
        }
        if look.unloaded || look.absent || look.unloads > 0 || look.loads > 0 { natPorts.forget() }
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
        balance.take(look.entries, events)
        lastLook = look
        watchDepartures(look)
    }

    private mutating func watchDepartures(_ look: TableLook) {
        guard let entries = look.entries, !look.unloaded, look.unloads == 0, look.loads == 0 else {
            return departureWindow.reset()
        }
        massDeparture = departureWindow.add(entries, departures, at: look.moment.monotonic) ?? massDeparture
    }

    /// Most of the table went, as the looks since the last call tell.
    mutating func takeMassDeparture() -> MassDeparture? {
        defer { massDeparture = nil }
        return massDeparture
    }

    /// When to come back to tell of one that is under way.
    var departureDueAt: MonotonicTime? { departureWindow.until }

    /// Looks for a silence in what was just taken, with `groups` listened to; true when the settings are to be read again.
    mutating func followSilence(_ look: TableLook, listeningTo groups: EventGroups) -> Bool {
        silence.take(look, listeningTo: groups, duty)
    }

    // MARK: Readings

    /// Takes the kernel's statistics.
    mutating func take(_ reading: StatisticsReading) {
        stitcher.take(reading.perCPU, restarted: reading.restarted)
        hasStatistics = true
    }

    /// Takes what nf_conntrack_events was; nil = there is no such setting.
    mutating func take(eventSetting value: UInt64?, at time: MonotonicTime) {
        silence.take(setting: value, at: time)
    }

    // MARK: Samples

    /// Whether the look that is due at `now` has not come: whoever makes it is held up.
    func isLookLate(at now: MonotonicTime) -> Bool {
        lastLook.map { now - $0.moment.monotonic > latest } ?? false
    }

    /// Closes the interval; nil before the first look at the table. What it counts without a look belongs to the interval
    /// that the next look ends: nobody knows yet what came meanwhile.
    mutating func close(_ around: Surroundings) -> Sample? {
        guard let lastLook else { return nil }
        let now = around.moment.monotonic
        let age = isLookLate(at: now) ? now - lastLook.moment.monotonic : nil
        if let age, age > longestPause { slope.reset() }
        if let entries = lastLook.entries, age == nil { slope.add(entries, at: now) }
        var sample = assemble(lastLook, around, age: age)
        if age == nil { gap = nil }
        if sample.gap != nil { minute.breakOff(at: now) }
        if age == nil {
            minute.look(back: &sample, events)
            statHistory.look(back: &sample, isNew: hasStatistics)
        }
        if sample.kinds.contains(.new) { sample.talkers = talkers.look(at: now, of: sample) }
        estimate.close(&sample, around.listening ? duty : nil)
        followPorts(&sample, around)
        guard age == nil else {
            (sample.newEstimate, sample.destroyEstimate) = (nil, nil)
            return sample
        }
        previous = (around.moment, events, lost, sample.stats)
        balance.close()
        if hasStatistics { statisticsAt = now }
        hasStatistics = false
        return sample
    }

    /// What an interval that goes on has so far, all of one moment; `last` is the sample before it. nil before the first
    /// look. Of what needs a whole interval, or a minute, the last sample's stays.
    mutating func preview(_ around: Surroundings, after last: Sample) -> Sample? {
        guard let lastLook else { return nil }
        let age = around.moment.monotonic - lastLook.moment.monotonic
        var sample = assemble(lastLook, around, age: age > longestPause ? age : nil)
        if !sample.isSilent { sample.eventsMinute = last.eventsMinute }
        if sample.kinds.contains(.new) { sample.newRate = last.newRate }
        sample.newRateSpan = last.newRateSpan
        sample.natPorts = last.natPorts
        sample.isNewRateEstimated = last.isNewRateEstimated
        sample.lostMinute = last.lostMinute
        sample.eventLoadMinute = last.eventLoadMinute
        if sample.kinds.contains(.new) { sample.talkers = talkers.look(at: around.moment.monotonic, of: sample) }
        if sample.events != nil {
            sample.duty = around.listening ? duty : nil
        }
        if last.isPartial || sample.elapsed < Collector.shortest {
            sample.isPartial = last.isPartial
            if sample.kinds.contains(.new) { sample.newEstimate = last.newEstimate }
            if sample.kinds.contains(.destroy) { sample.destroyEstimate = last.destroyEstimate }
            // Of a moment's events no rate can be told.
            sample.elapsed = .zero
        }
        return sample
    }

    /// Counts by events are right only where every one is heard that comes and goes.
    private mutating func followPorts(_ sample: inout Sample, _ around: Surroundings) {
        let isWhole = duty.map { $0.ratio >= 1 && $0.hindrance == nil } ?? true
        let isHeard = isWhole && lossIsExact && sample.kinds.isSuperset(of: [.new, .destroy])
        if isHeard != natPorts.isHeard { natPorts.isHeard = isHeard }
        sample.natPorts = natPorts.ports(at: around.moment.monotonic)
    }

    private static let shortest = Duration.milliseconds(100)

    /// `age`: how old `look` is, if it is not of this moment.
    private mutating func assemble(_ look: TableLook, _ around: Surroundings, age: Duration?) -> Sample {
        let now = around.moment.monotonic
        var sample = Sample(moment: around.moment, table: look)
        sample.age = age
        sample.gap = age.flatMap { $0 > longestPause ? $0 : nil } ?? gap
        sample.fillRate = age == nil ? slope.perSecond : nil
        sample.fillRateRecent = age == nil ? slope.recentPerSecond : nil
        sample.buckets = around.buckets
        sample.entriesPeak = peak.highest(at: now)
        sample.entriesPeakDay = peakDay.highest(at: now)
        sample.entriesPeakSecond = peakSecond.highest(at: now)
        sample.peakKnownFor = knownBefore + (knownSince.map { now - $0 } ?? .zero)

        sample.events = around.listening || events.total > 0 ? events : nil
        for number in newByProtocol.indices where newByProtocol[number] > 0 {
            sample.newByProtocol[UInt8(number)] = newByProtocol[number]
        }
        sample.lost = lost
        sample.lossIsExact = lossIsExact
        sample.isNetlinkThere = look.absent ? nil : around.isNetlinkThere
        judgeKinds(&sample, around)
        // What was counted stays counted while the module is gone.
        sample.stats = stitcher.total
        sample.statsPerCPU = stitcher.perCPU
        sample.statsObstacle = around.statsObstacle
        sample.tableFullLines = around.tableFullLines

        sample.ringCapacity = around.ringCapacity
        sample.ringPeak = around.ringPeak
        sample.cpuSeconds = around.cpuSeconds
        sample.degraded = around.degraded
        sample.survey = around.survey
        sample.traffic = around.traffic
        compare(&sample)
        return sample
    }

    /// Which kinds of events can be believed to be all that there were.
    private func judgeKinds(_ sample: inout Sample, _ around: Surroundings) {
        guard around.listening, sample.isNetlinkThere != false else {
            sample.kinds = []
            return
        }
        sample.silence = silence.silence
        sample.kinds = sample.silence == nil ? around.groups : []
    }

    /// What this interval adds to the one before.
    private func compare(_ sample: inout Sample) {
        guard let previous else { return }
        sample.elapsed = sample.moment.monotonic - previous.moment.monotonic
        guard sample.age == nil else { return }
        sample.lostNow = sample.lost - previous.lost
        if sample.events != nil { sample.eventsNow = events - previous.events }
        sample.unheardNow = balance.unheard(events)
        if sample.gap == nil, hasStatistics, let now = sample.stats, let before = previous.stats {
            sample.statsNow = now - before
            if let statisticsAt, statisticsAt < previous.moment.monotonic {
                sample.statsSpan = sample.moment.monotonic - statisticsAt
            }
        }
    }
}
