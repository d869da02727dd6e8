// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Follows how many ports NAT uses, by NAT address and destination: from NEW and DESTROY, set right by dumps.
///
/// Events alone are not enough: what lived before them is not in them, and what was lost is not either. So nothing is known
/// until a dump has told all that lives, and after a loss the next one does. A dump takes its time, and an entry that comes
/// or goes meanwhile may be in it or not; the kernel walks its hash from one end to the other, so that of those about half
/// are. Half of what the events since its beginning say is added to what it says: with n such events of a key its count is
/// wrong by n / 2 at most.
///
/// The sketch counts and has no names: those that have most are kept as candidates, in sets of four by their hash; of a set
/// the least one gives way, so that the key with most of all always has its place.
struct NATPortCounter: ~Copyable {
    /// What stands between the counts and the truth.
    private enum Knowledge: Equatable {
        /// A dump is missing.
        case nothing
        /// A dump, and all events since.
        case followed
        /// A dump, and not all events since: of use for a while.
        case seen(until: MonotonicTime)
    }

    /// What the kernel chose for a candidate: ports that are not those that the source had. From 5.0 on the search for one
    /// begins at random, so that a few dozen of them show the range; the port that the source had is kept where it is free.
    fileprivate struct Candidate: Sendable {
        var key = NATKey(addresses: 0, rest: 0)
        var hash: UInt64 = 0
        var chosen: UInt32 = 0
        var lowest = UInt16.max
        var highest: UInt16 = 0
        /// What the last dump counted; nil = that was long ago.
        var surveyed: UInt64?
        var isTaken = false
    }

    private static var sets: Int { 128 }
    private static var ways: Int { 4 }
    /// A pair with fewer entries has no name.
    static var least: Int32 { 32 }
    /// So many chosen ports show the range: that all of them lie in a half of it by chance is less likely than 2^-58.
    private static var enough: UInt32 { 64 }
    /// How long a dump alone says something of the present.
    private static var lasts: Duration { .seconds(90) }
    /// Nearly all that does not last for hours has gone by then: TIME_WAIT and UDP streams are kept for two minutes.
    private static var again: Duration { .seconds(180) }
    /// Beyond this nothing is told any more until the next dump: a twentieth of the ports.
    private static var mostLost: UInt64 { NATPortRange.own[0].count / 20 }
    private static var listed: Int { 20 }

    /// The kernel searches from a random port on.
    private let showsRange: Bool
    private var sketch: NATPortSketch
    /// As it was when the dump that is under way was asked for.
    private var before: NATPortSketch
    private let candidates: UnsafeMutablePointer<Candidate>
    private var knowledge = Knowledge.nothing
    /// What a pair may have had that the last dump did not list.
    private var unlisted: UInt64 = 0
    /// Since the last dump.
    private var lost: UInt64 = 0
    /// A dump is under way, and how much was lost when it was asked for.
    private var lostBefore: UInt64?
    /// `before` is of then: NAT had been seen.
    private var hasBefore = false
    /// Something happened since that makes the dump worthless.
    private var isSpoilt = false
    /// When the first dump was, as long as it is the only one.
    private var setAt: MonotonicTime?

    /// Nobody wants to know.
    var isOff = false
    /// Every event is heard, as far as is known.
    var isHeard = false {
        didSet { if !isHeard { forget() } }
    }

    /// `kernel`: nil where it is not known, and no range is.
    init(seed: HashSeed, kernel: KernelRelease?) {
        showsRange = kernel.map { $0 >= KernelRelease(5, 0) } ?? false
        sketch = NATPortSketch(seed: seed)
        before = NATPortSketch(seed: seed)
        candidates = .allocate(capacity: NATPortCounter.sets * NATPortCounter.ways)
    }

    deinit {
        candidates.deallocate()
    }

    /// The memory it takes once NAT was seen, from the beginning to the end.
    var byteCount: Int {
        2 * sketch.byteCount + NATPortCounter.sets * NATPortCounter.ways * MemoryLayout<Candidate>.stride
    }

    // MARK: Events

    /// Counts an entry whose source is translated, +1 as it comes and -1 as it goes. Out of the way of those without NAT.
    @inline(never)
    mutating func count(_ event: EventInPlace, _ amount: Int32) {
        guard event.hasNATKey, !isOff else { return }
        if !isSeen { begin() }
        let key = NATKey(event)
        let hash = sketch.hash(key)
        let count = sketch.add(amount, hash: hash)
        guard amount > 0, count >= NATPortCounter.least else { return }
        let candidate = candidate(key, hash, count)
        if event.natPort != event.sourcePort, let candidate { candidate.pointee.choose(event.natPort) }
    }

    private mutating func begin() {
        isSeen = true
        sketch.clear()
        candidates.initialize(repeating: Candidate(), count: NATPortCounter.sets * NATPortCounter.ways)
    }

    /// So many events were lost, of whatever they told.
    mutating func lose(_ events: UInt64) {
        lost += events
    }

    /// What was counted is not what lives any more: the module went, or events were not heard.
    mutating func forget() {
        knowledge = .nothing
        isSpoilt = true
        setAt = nil
    }

    // MARK: Dumps

    /// Whether NAT was seen, so that a dump has something to tell.
    private(set) var isSeen = false
    /// Whether a dump is needed to know how it stands.
    var needsDump: Bool { isSeen && isHeard && (knowledge != .followed || lost > 0) }

    /// Whether the first dump since it was known that every event is heard is `again` old: what lived before that may end
    /// without an event, and most of it lives no longer.
    func wasSetBefore(_ now: MonotonicTime) -> Bool {
        setAt.map { now - $0 >= NATPortCounter.again } ?? false
    }

    /// A dump is asked for.
    mutating func beginDump() {
        lostBefore = lost
        isSpoilt = false
        hasBefore = false
        guard isSeen else { return }
        hasBefore = true
        before.copy(sketch)
    }

    /// The dump has ended: what it told, nil = nothing.
    mutating func endDump(_ survey: Survey?, at now: MonotonicTime) {
        guard let lostThen = lostBefore else { return }
        lostBefore = nil
        // While the hash is resized, entries are missed or seen twice.
        guard let survey, !survey.isInterrupted, hasBefore, !(isSpoilt && isHeard) else { return }
        sketch.keepHalf(since: before)
        for index in 0..<NATPortCounter.sets * NATPortCounter.ways { candidates[index].surveyed = 0 }
        for holder in survey.natPairs {
            let key = NATKey(holder.who)
            let hash = sketch.hash(key)
            let count = sketch.add(Int32(clamping: holder.entries), hash: hash)
            if count >= NATPortCounter.least { candidate(key, hash, count)?.pointee.surveyed = holder.entries }
        }
        unlisted = survey.natUnlisted
        lost -= lostThen
        setAt = isHeard && knowledge != .followed ? now : nil
        knowledge = isHeard ? .followed : .seen(until: now + NATPortCounter.lasts)
    }

    // MARK: Candidates

    /// The place of a key that has `count`, which may be taken from another one; nil = those of its set have more.
    private func candidate(_ key: NATKey, _ hash: UInt64, _ count: Int32) -> UnsafeMutablePointer<Candidate>? {
        // The bits above those of the rows.
        let set = candidates + Int(hash >> 57) * NATPortCounter.ways
        var least = set
        var leastCount = Int32.max
        for way in 0..<NATPortCounter.ways {
            let candidate = set + way
            if candidate.pointee.isTaken, candidate.pointee.key == key { return candidate }
            let has = candidate.pointee.isTaken ? sketch.count(hash: candidate.pointee.hash) : Int32.min
            if has < leastCount { (least, leastCount) = (candidate, has) }
        }
        guard leastCount < count else { return nil }
        var taken = Candidate()
        (taken.key, taken.hash, taken.isTaken) = (key, hash, true)
        least.pointee = taken
        return least
    }

    /// How it stands at `now`; nil = not known, or no NAT was seen.
    mutating func ports(at now: MonotonicTime) -> NATPorts? {
        guard isSeen else { return nil }
        switch knowledge {
        case .nothing: return nil
        case .followed: if lost > NATPortCounter.mostLost { return nil }
        case .seen(let until): if now >= until { return nil }
        }
        var ports = NATPorts()
        ports.lost = lost
        ports.unlisted = unlisted
        for index in 0..<NATPortCounter.sets * NATPortCounter.ways where candidates[index].isTaken {
            let count = sketch.count(hash: candidates[index].hash)
            guard count >= NATPortCounter.least else {
                candidates[index].isTaken = false
                continue
            }
            let used = UInt64(count)
            // What it had before it fell so far confirms nothing.
            if let surveyed = candidates[index].surveyed, used < surveyed / 2 {
                candidates[index].surveyed = nil
            }
            ports.uses.append(use(candidates[index], used: used))
        }
        ports.uses.sort(by: NATPortCounter.precedes)
        ports.uses.removeLast(max(0, ports.uses.count - NATPortCounter.listed))
        return ports
    }

    private static func precedes(_ one: NATPortUse, _ other: NATPortUse) -> Bool {
        if one.ratio != other.ratio { return one.ratio > other.ratio }
        return one.used != other.used ? one.used > other.used : one.name < other.name
    }

    private func use(_ candidate: Candidate, used: UInt64) -> NATPortUse {
        let pair = candidate.key.pair
        return NATPortUse(
            address: pair.address, destination: pair.destination, zone: pair.zone, used: used,
            range: range(of: candidate, used: used), surveyed: candidate.surveyed)
    }

    private func range(of candidate: Candidate, used: UInt64) -> NATPortRange {
        let own = NATPortRange.own[min(candidate.key.ownRange, NATPortRange.own.count - 1)]
        guard showsRange, candidate.chosen >= NATPortCounter.enough, candidate.lowest <= candidate.highest else {
            return own
        }
        let observed = NATPortRange(lowest: candidate.lowest, highest: candidate.highest, isObserved: true)
        // Nearly all of the kernel's own is the kernel's own. More entries than ports: some have theirs from elsewhere.
        return observed.count < own.count * 9 / 10 && used <= observed.count + observed.count / 50 ? observed : own
    }
}

extension NATPortCounter.Candidate {
    fileprivate mutating func choose(_ port: UInt16) {
        chosen &+= 1
        lowest = min(lowest, port)
        highest = max(highest, port)
    }
}
