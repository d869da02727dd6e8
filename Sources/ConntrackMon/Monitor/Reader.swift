// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import ConntrackEngine
internal import ConntrackModel
internal import ConntrackSystem

/// The reader thread: stages 1 to 3. Samples the table, empties the event socket, fills the ring.
///
/// It never sleeps in poll on the event socket: being woken for each event costs it three times as much as a timer, and
/// the waking is paid by whoever made the entry. It sleeps on the stop doorbell, for as long as Cadence says.
struct Reader: ~Copyable {
    /// A reader at work.
    struct Running: ~Copyable {
        fileprivate let thread: Thread
        fileprivate let channel: Channel
    }

    private let channel: Channel
    private var table: TableSampler
    private var intake: EventIntake
    private var cadence: Cadence
    private var unsaid = Unsaid()
    private var poller = Poller()

    // Places in the poller.
    private static let stopRang = 0
    private static let ueventCame = 1
    private static let ringFills = 2
    /// How long the end waits for room in the ring: less than whoever waits for the end.
    private static let patience = Duration.seconds(1)
    /// All that the kernel keeps for a socket is taken in less; what goes on coming must not put off the look.
    private static let longestCatchUp = Duration.milliseconds(200)

    /// Reads the table once and joins the event groups, so that what can't be had is known before anything runs, and
    /// starts the thread.
    static func start(_ plan: ReaderPlan, channel: Channel) throws(SystemError) -> Running {
        let reader = Reader(plan, channel: channel)
        return Running(thread: try Thread(name: "reader", owning: reader) { $0.run() }, channel: channel)
    }

    private init(_ plan: ReaderPlan, channel: Channel) {
        self.channel = channel
        table = TableSampler(plan)
        let first = table.look()
        let look = JoinPolicy.Look(first.record)
        intake = EventIntake(plan, channel: channel, first: look)
        cadence = Cadence(period: plan.sample, firstSample: look.time)
        tell(first)
        intake.begin(at: look.time, &unsaid)
        unsaid.tell(intake.duty)
        unsaid.push(to: channel.ring, at: look.time)
        poller.watch(Reader.stopRang, channel.stop.descriptor)
        poller.watch(Reader.ueventCame, table.descriptor)
    }

    private mutating func run() {
        while true {
            let now = MonotonicTime.now()
            if cadence.isSampleDue(at: now) { sample(at: now) }
            let taken = intake.drain(until: cadence.sampleDue, &unsaid)
            let isRejoined = intake.keepBudget(&unsaid)
            unsaid.push(to: channel.ring, at: now)
            cadence.drained(taken, by: intake.method, isRejoined: isRejoined)
            let wait = cadence.wait(
                at: now, isListening: intake.method != nil, budgetChangesAt: intake.budgetChangesAt)
            poller.watch(Reader.ringFills, intake.descriptor)
            poller.wait(wait)
            if poller.isReady(Reader.stopRang) { break }
            if poller.isReady(Reader.ueventCame) {
                catchUp(at: .now())
                if let look = table.lookAfterUevents() { take(look) }
            }
            if poller.isReady(Reader.ringFills) { intake.silence() }
        }
        end()
    }

    /// What is due once a sample.
    private mutating func sample(at due: MonotonicTime) {
        catchUp(at: due)
        let now = MonotonicTime.now()
        take(table.look())
        cadence.sampled(at: now)
        intake.drainAndCount(until: cadence.sampleDue, &unsaid)
        intake.follow(at: now, &unsaid)
        unsaid.tell(intake.duty)
    }

    /// After a pause: what the kernel kept meanwhile is counted before the look that ends it, since it came before.
    private mutating func catchUp(at now: MonotonicTime) {
        guard cadence.isBehind(at: now) else { return }
        intake.drainAndCount(until: now + Reader.longestCatchUp, always: true, &unsaid)
        unsaid.push(to: channel.ring, at: now)
    }

    private mutating func take(_ look: TableSampler.Look) {
        intake.see(JoinPolicy.Look(look.record))
        tell(look)
    }

    private mutating func tell(_ look: TableSampler.Look) {
        unsaid.tell(look.record, to: channel.ring)
        if look.isNews { channel.bell.ring() } else { channel.ringWhenFilling() }
    }

    /// Counts what is still under way, and waits until all that is counted is told: whoever waits for this thread goes on
    /// draining the ring.
    private mutating func end() {
        let now = MonotonicTime.now()
        let inTime = now + .nanoseconds(Cadence.longestTick)
        intake.drainAndCount(until: inTime, always: true, &unsaid)
        if let last = table.lookAfterUevents(always: true) { tell(last) }
        unsaid.push(to: channel.ring, at: now)
        var pause = Poller()
        while !unsaid.isEmpty, MonotonicTime.now() < now + Reader.patience {
            channel.bell.ring()
            pause.wait(1_000_000)
            unsaid.push(to: channel.ring, at: now)
        }
    }
}

extension Reader.Running {
    /// Ends the thread after a last drain and waits for it, with `drain` called whenever the ring wants to be drained. False
    /// when it is stuck.
    func stop(_ drain: () -> Void) -> Bool {
        channel.stop.ring()
        let deadline = MonotonicTime.now() + Thread.patience
        var poller = Poller()
        poller.watch(0, thread.endDescriptor)
        poller.watch(1, channel.bell.descriptor)
        while true {
            let left = deadline - .now()
            poller.wait(UInt64(left.inNanoseconds))
            if poller.isReady(1) {
                channel.bell.silence()
                drain()
            }
            if poller.isReady(0) || left == .zero { return thread.join(within: .zero) }
        }
    }
}
