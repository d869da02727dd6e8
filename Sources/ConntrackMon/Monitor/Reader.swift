// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import CSystem
internal import Glibc

/// The reader thread: stages 1 to 3. Samples the table, empties the event socket, fills the ring.
///
/// It never sleeps in poll on the event socket: being woken for each event costs it three times as much as a timer, and
/// the waking is paid by whoever made the entry. It sleeps on the stop doorbell with a timeout: 2 ms while events come
/// fast, so that what waits stays in the cache, and longer when few do, as long as the receive buffer holds a burst that
/// begins meanwhile.
final class Reader {
    struct Plan: Sendable {
        var procfs: String
        var sysfs: String
        var sample: Duration
        var groups: EventGroups
        var source: SourceChoice
        var receiveBuffer: UInt32
        var loadModules: Bool
        /// How long after a reload nf_conntrack_netlink is loaded again, with leave to.
        var settle: Duration
        /// Where /sys tells about the module behind this /proc; nil when it is about another kernel's.
        var sysfsOfTable: String?
        /// Events were asked for by name, so not having them is a fault.
        var eventsRequired: Bool
        /// What listening may cost the host.
        var budget = EventBudget.Limits()
    }

    private let plan: Plan
    private let channel: Channel
    private var thread: Thread?

    // After start() these belong to the thread alone.
    private var table: TableReader
    private var uevents: UeventSocket?
    private var events: EventSocket?
    private var lastTable = cnf_table()
    private var unsaid = cnf_table()
    private var overrunPending = false
    /// Messages came since the counters were last read.
    private var mayCount = false
    private var uncountedSamples = 0
    private var joinNotBefore: UInt64 = 0
    private var rejoinAt: UInt64?
    private var budget: EventBudget

    private static let shortTick: UInt64 = 2_000_000
    private static let longestTick: UInt64 = 50_000_000
    /// A filling ring wakes us, so that an idle host needs no wake-up between two samples.
    private static let ringTick: UInt64 = 100_000_000
    /// Of these in one tick the next one is short; of fewer than these it may be longer.
    private static let manyEvents = 512
    private static let fewEvents = 256
    /// At most so many samples go by without a look at the counters: messages that are too long come without being taken.
    private static let samplesUncounted = 10
    /// An event is charged about 1,280 bytes of receive buffer, and no host was seen to make more than this a second.
    private static let bytesPerEvent: UInt64 = 1280
    private static let fastestBurst: UInt64 = 400_000
    private static let stopRang: Int32 = 1
    private static let ueventCame: Int32 = 2
    private static let ringFills: Int32 = 4
    private static let joinInterval: UInt64 = 1_000_000_000

    init(plan: Plan, channel: Channel) {
        self.plan = plan
        self.channel = channel
        table = TableReader(procfs: plan.procfs, sysfs: plan.sysfsOfTable)
        budget = EventBudget(plan.budget, seed: .random(in: 0...UInt64.max), at: Moment.now().monotonic)
    }

    /// Reads the table once and joins the event groups, so that what can't be had is known before anything runs, and
    /// starts the thread.
    func start() throws(SystemError) {
        // A saved tree changes without uevents, and this kernel's are not about it.
        if plan.procfs == "/proc" { uevents = try? UeventSocket() }
        channel.countsReloads = uevents?.isReliable ?? false
        sampleTable()
        if !plan.groups.isEmpty { join() }
        channel.eventDuty = budget.duty
        thread = try Thread(name: "reader") { self.run() }
    }

    /// Ends the thread after a last drain and waits for it. False when it is stuck.
    func stop() -> Bool {
        channel.stop.ring()
        return thread?.join(within: Thread.patience) ?? true
    }

    private func run() {
        let period = UInt64(plan.sample.inNanoseconds)
        var next = lastTable.time_ns + period
        var tick = Reader.shortTick
        while true {
            let now = Moment.now().monotonic.nanoseconds
            if now >= next {
                sampleTable()
                drainAndCount(until: now + period)
                joinIfPossible(now)
                rejoinIfDue(now)
                channel.eventDuty = budget.duty
                // Whole periods, so that a delay moves no later sample; after a long one no burst makes up for it.
                next += (now - next) / period * period + period
            }
            let taken = drainSocket(until: next)
            tick = keepBudget() ? Reader.shortTick : nextTick(after: tick, taken: taken)
            let due = min(next, events == nil ? next : budget.changesAt?.nanoseconds ?? next)
            let wait = due > now ? due - now : 0
            let woken = cnf_wait_any(
                channel.stop.descriptor, uevents?.descriptor ?? -1, events?.descriptor ?? -1,
                events == nil ? wait : min(wait, tick))
            if woken & Reader.stopRang != 0 { break }
            if woken & Reader.ueventCame != 0 { sampleAfterUevent() }
            if woken & Reader.ringFills != 0 { events?.silence() }
        }
        mayCount = true
        drainAndCount(until: Moment.now().monotonic.nanoseconds + Reader.longestTick)
        sampleTable(takeUevents())
    }

    private func nextTick(after tick: UInt64, taken: Int) -> UInt64 {
        if taken >= Reader.manyEvents { return Reader.shortTick }
        return taken >= Reader.fewEvents ? min(tick, longTick) : min(tick * 2, longTick)
    }

    private var longTick: UInt64 {
        guard case .netlink(let receiveBuffer, _) = events?.method else { return Reader.ringTick }
        let burst = UInt64(receiveBuffer) / Reader.bytesPerEvent
        return max(Reader.shortTick * 2, min(Reader.longestTick, burst * 1_000_000_000 / Reader.fastestBurst))
    }

    // MARK: The table

    /// A module came or went: look now, not at the next period.
    private func sampleAfterUevent() {
        let news = takeUevents()
        if news.loads > 0 || news.unloads > 0 { sampleTable(news) }
    }

    private func takeUevents() -> UeventSocket.News {
        let news = uevents?.take() ?? UeventSocket.News()
        if news.lost { channel.countsReloads = false }
        return news
    }

    private func sampleTable(_ news: UeventSocket.News = UeventSocket.News()) {
        var record = table.read()
        // What a full ring did not take is said by the next look: a proof must not be lost.
        record.unloaded |= unsaid.unloaded
        record.unloads = unsaid.unloads &+ news.unloads
        record.loads = unsaid.loads &+ news.loads
        unsaid = channel.ring.push(cnf_record(table: record)) ? cnf_table() : record
        let changed =
            record.unloaded != 0 || record.loads != 0 || record.limit != lastTable.limit
            || record.limit_errno != lastTable.limit_errno
            || record.entries_errno != lastTable.entries_errno
        if record.unloaded != 0 || record.loads != 0 || record.limit_errno != lastTable.limit_errno {
            rejoinAt = record.time_ns + UInt64(plan.settle.inNanoseconds)
        }
        lastTable = record
        if changed { channel.bell.ring() } else { ringWhenFilling() }
    }

    /// Long before the ring is full, so that what waits stays in the cache.
    private func ringWhenFilling() {
        if channel.ring.count >= channel.ring.capacity / 8 { channel.bell.ring() }
    }

    // MARK: Events

    /// Empties the socket; how many messages there were. `deadline` keeps a flood from delaying the next table sample.
    private func drainSocket(until deadline: UInt64) -> Int {
        guard events != nil else { return 0 }
        var tally = cnf_tally()
        var taken = 0
        loop: while true {
            var pumped = EventSocket.Pumped()
            channel.ring.fill { slots in
                pumped = events?.pump(into: slots, tally: &tally) ?? pumped
                return pumped.filled
            }
            switch pumped.code {
            case 0 where pumped.datagrams == 0:
                break loop
            case 0:
                taken += pumped.datagrams
            case ENOBUFS:
                overrunPending = true
            default:
                fail(SystemError("receive from", "the conntrack event socket", pumped.code))
                break loop
            }
            if Moment.now().monotonic.nanoseconds >= deadline { break }
        }
        let truncated = tally.truncated.0 + tally.truncated.1 + tally.truncated.2
        channel.addLost(LostEvents(truncated: truncated, malformed: tally.malformed, dropped: tally.dropped))
        if case .netlink = events?.method {
            channel.addCounted(
                EventCounts(new: tally.by_kind.0, update: tally.by_kind.1, destroy: tally.by_kind.2))
        }
        budget.count(
            messages: tally.events + truncated + tally.malformed + tally.dropped, entered: tally.by_kind.0,
            at: Moment.now().monotonic)
        if taken > 0 {
            mayCount = true
            ringWhenFilling()
        }
        return taken
    }

    /// Takes what the kernel counted, then the events themselves, and only then tells the counts: whoever sees them finds
    /// the events in the ring. On an idle host a system call costs its cache misses as well, so that the counters are not
    /// read when nothing came.
    private func drainAndCount(until deadline: UInt64) {
        uncountedSamples += 1
        guard mayCount || overrunPending || uncountedSamples >= Reader.samplesUncounted else {
            _ = drainSocket(until: deadline)
            return
        }
        uncountedSamples = 0
        mayCount = false
        let counts = events?.takeKernelCounts()
        _ = drainSocket(until: deadline)
        if let counts {
            channel.addCounted(counts.sent)
            channel.addLost(counts.lost)
            budget.count(messages: counts.lost.total, entered: 0, at: Moment.now().monotonic)
        }
        countOverruns()
    }

    private func countOverruns() {
        if let count = events?.takeOverruns() {
            channel.addLost(LostEvents(overrun: count))
            budget.count(messages: count, entered: 0, at: Moment.now().monotonic)
        } else if overrunPending {
            channel.addLost(LostEvents(overrun: 1))
            channel.lossBecameInexact()
        }
        overrunPending = false
    }

    /// Joins later when nf_conntrack_netlink came by itself, but never in answer to a change of the module: a second
    /// look, a second later, must still find it.
    private func joinIfPossible(_ now: UInt64) {
        guard events == nil, !plan.groups.isEmpty, now >= joinNotBefore else { return }
        let seenBefore = joinNotBefore != 0
        joinNotBefore = now + Reader.joinInterval
        guard ConntrackModule.mayListen(sysfs: plan.sysfs), lastTable.limit_errno == 0 else {
            joinNotBefore = 0
            return
        }
        if seenBefore { join() }
    }

    /// After a reload the socket is joined, but silent until nf_conntrack_netlink is back; joining again loads it. Only
    /// with leave to, and only when nf_conntrack has been back for --settle: whoever restarts a firewall may unload it
    /// more than once, and must not find it loaded by us.
    private func rejoinIfDue(_ now: UInt64) {
        guard let due = rejoinAt, now >= due, lastTable.limit_errno == 0 else { return }
        rejoinAt = nil
        guard plan.loadModules, events != nil, !ConntrackModule.mayListen(sysfs: plan.sysfs) else { return }
        do throws(SystemError) {
            try events?.join(plan.groups)
            budget.joined(at: Moment.now().monotonic)
        } catch {
            fail(error)
        }
    }

    /// Leaves the groups while the budget is spent, and joins them again when their time has come. True when it did either.
    private func keepBudget() -> Bool {
        guard events != nil, let move = budget.step(at: Moment.now().monotonic) else { return false }
        do throws(SystemError) {
            switch move {
            case .leave:
                try events?.leave(plan.groups)
                budget.left(at: Moment.now().monotonic)
                _ = drainSocket(until: .max)
            case .join:
                if let why = hindrance {
                    budget.hinder(why)
                    return false
                }
                try events?.join(plan.groups)
                budget.joined(at: Moment.now().monotonic)
            }
        } catch {
            fail(error)
        }
        channel.eventDuty = budget.duty
        return true
    }

    /// Why the groups must not be joined again now: it could load a module that somebody is just unloading.
    private var hindrance: String? {
        switch lastTable.limit_errno {
        case 0 where rejoinAt == nil: break
        case 0: return "nf_conntrack was loaded a moment ago (--settle)"
        case ENOENT: return "nf_conntrack is not loaded"
        default: return "nf_conntrack_max cannot be read"
        }
        return ConntrackModule.mayListen(sysfs: plan.sysfs) ? nil : "nf_conntrack_netlink is not loaded"
    }

    private func fail(_ error: SystemError) {
        channel.eventStatus = .failed(error)
        events = nil
        budget.left(at: Moment.now().monotonic)
    }

    private func join() {
        guard plan.loadModules || ConntrackModule.mayListen(sysfs: plan.sysfs) else {
            channel.eventStatus = .unavailable(
                reason: "nf_conntrack_netlink is not loaded; to have events: modprobe nf_conntrack_netlink,"
                    + " or watch --load-modules",
                expected: !plan.eventsRequired)
            return
        }
        do throws(SystemError) {
            let socket = try EventSocket(
                groups: plan.groups, receiveBuffer: plan.receiveBuffer, source: plan.source)
            channel.eventStatus = .listening(socket.method)
            events = consume socket
            budget.joined(at: Moment.now().monotonic)
        } catch {
            let permission = error.code == EPERM
            let needed =
                plan.source == .bpf
                ? ("CAP_NET_ADMIN and CAP_BPF", "cap_net_admin,cap_bpf") : ("CAP_NET_ADMIN", "cap_net_admin")
            let cure = permission ? "; events need \(needed.0): setcap \(needed.1)+ep conntrack-mon" : ""
            channel.eventStatus = .unavailable(
                reason: "\(error)\(cure)", expected: permission && !plan.eventsRequired)
        }
    }
}

extension Reader.Plan {
    init(_ settings: Settings, isLive: Bool) {
        self.init(
            procfs: settings.procfs, sysfs: settings.sysfs, sample: settings.sample,
            groups: settings.source == .none || !isLive ? [] : settings.events, source: settings.source,
            receiveBuffer: settings.receiveBuffer,
            loadModules: settings.loadModules, settle: settings.rules.settle,
            sysfsOfTable: isLive || !KernelFile.isSysfs(settings.sysfs) ? settings.sysfs : nil,
            eventsRequired: settings.source == .netlink || settings.source == .bpf,
            budget: EventBudget.Limits(share: settings.eventBudget, cost: settings.eventCost))
    }
}
