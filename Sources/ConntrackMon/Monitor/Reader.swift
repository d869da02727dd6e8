// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import CSystem
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

    private static let stopRang: Int32 = 1
    private static let ueventCame: Int32 = 2
    private static let ringFills: Int32 = 4
    /// How long the end waits for room in the ring: less than whoever waits for the end.
    private static let patience = Duration.seconds(1)

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
            let woken = cnf_wait_any(channel.stop.descriptor, table.descriptor, intake.descriptor, wait)
            if woken & Reader.stopRang != 0 { break }
            if woken & Reader.ueventCame != 0, let look = table.lookAfterUevents() { take(look) }
            if woken & Reader.ringFills != 0 { intake.silence() }
        }
        end()
    }

    /// What is due once a sample.
    private mutating func sample(at now: MonotonicTime) {
        take(table.look())
        cadence.sampled(at: now)
        intake.drainAndCount(until: cadence.sampleDue, &unsaid)
        intake.follow(at: now, &unsaid)
        unsaid.tell(intake.duty)
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
        while !unsaid.isEmpty, MonotonicTime.now() < now + Reader.patience {
            channel.bell.ring()
            _ = cnf_wait_any(-1, -1, -1, 1_000_000)
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
        while true {
            let left = deadline - .now()
            let woken = cnf_wait_any(
                thread.endDescriptor, channel.bell.descriptor, -1, UInt64(left.inNanoseconds))
            if woken & 2 != 0 {
                channel.bell.silence()
                drain()
            }
            if woken & 1 != 0 || left == .zero { return thread.join(within: .zero) }
        }
    }
}
