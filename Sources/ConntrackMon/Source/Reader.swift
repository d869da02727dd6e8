// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import Glibc

/// The reader thread: stages 1 to 3. Samples the table, empties the event socket, fills the ring.
///
/// It never sleeps in poll on the event socket: being woken for each event costs it three times as much as a timer, and
/// the waking is paid by whoever made the entry. It sleeps on the stop doorbell with a timeout, 2 ms while events come
/// and longer when none do, as long as the receive buffer holds a burst that begins meanwhile.
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
    private var joinNotBefore: UInt64 = 0
    private var rejoinAt: UInt64?

    private static let shortTick: UInt64 = 2_000_000
    private static let longestTick: UInt64 = 50_000_000
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
    }

    /// Reads the table once and joins the event groups, so that what can't be had is known before anything runs, and
    /// starts the thread.
    func start() throws(SystemError) {
        // A saved tree changes without uevents, and this kernel's are not about it.
        if plan.procfs == "/proc" { uevents = try? UeventSocket() }
        channel.countsReloads = uevents?.isReliable ?? false
        sampleTable()
        if !plan.groups.isEmpty { join() }
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
                sampleTable(takeUevents())
                drainAndCount(until: now + period)
                joinIfPossible(now)
                rejoinIfDue(now)
                // Whole periods, so that a delay moves no later sample; after a long one no burst makes up for it.
                next += (now - next) / period * period + period
            }
            tick = drainSocket(until: next) ? Reader.shortTick : min(tick * 2, longTick)
            let wait = next > now ? next - now : 0
            let woken = cnf_wait_any(
                channel.stop.descriptor, uevents?.descriptor ?? -1, events?.descriptor ?? -1,
                events == nil ? wait : min(wait, tick))
            if woken & Reader.stopRang != 0 { break }
            if woken & Reader.ueventCame != 0 { sampleAfterUevent() }
            if woken & Reader.ringFills != 0 { events?.silence() }
        }
        drainAndCount(until: Moment.now().monotonic.nanoseconds + Reader.longestTick)
        sampleTable()
    }

    private var longTick: UInt64 {
        // A filling ring wakes us.
        guard case .netlink(let receiveBuffer, _) = events?.method else { return Reader.longestTick }
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
        if changed || channel.ring.count >= channel.ring.capacity / 2 { channel.bell.ring() }
    }

    // MARK: Events

    /// Empties the socket; true when anything was there. `deadline` keeps a flood from delaying the next table sample.
    private func drainSocket(until deadline: UInt64) -> Bool {
        guard events != nil else { return false }
        var tally = cnf_tally()
        var any = false
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
                any = true
            case ENOBUFS:
                overrunPending = true
            default:
                channel.eventStatus = .failed(SystemError("receive from", "the conntrack event socket", pumped.code))
                events = nil
                break loop
            }
            if Moment.now().monotonic.nanoseconds >= deadline { break }
        }
        channel.addLost(LostEvents(truncated: tally.truncated, dropped: tally.dropped))
        if case .netlink = events?.method {
            channel.addCounted(
                EventCounts(new: tally.by_kind.0, update: tally.by_kind.1, destroy: tally.by_kind.2))
        }
        if any && channel.ring.count >= channel.ring.capacity / 2 { channel.bell.ring() }
        return any
    }

    /// Takes what the kernel counted, then the events themselves, and only then tells the counts: whoever sees them finds
    /// the events in the ring.
    private func drainAndCount(until deadline: UInt64) {
        let counts = events?.takeKernelCounts()
        _ = drainSocket(until: deadline)
        if let counts {
            channel.addCounted(counts.sent)
            channel.addLost(counts.lost)
        }
        countOverruns()
    }

    private func countOverruns() {
        if let count = events?.takeOverruns() {
            channel.addLost(LostEvents(overrun: count))
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
        } catch {
            channel.eventStatus = .failed(error)
            events = nil
        }
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
            eventsRequired: settings.source == .netlink || settings.source == .bpf)
    }
}
