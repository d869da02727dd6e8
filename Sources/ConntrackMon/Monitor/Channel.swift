// SPDX-License-Identifier: GPL-3.0-or-later

internal import CSystem
internal import Glibc
internal import Synchronization

/// Events the monitor did not get to count, by where they were lost.
public struct LostEvents: Equatable, Sendable {
    /// Dropped by the kernel: the socket's receive buffer was full.
    public var overrun: UInt64 = 0
    /// Longer than our receive buffer or the largest record of the kernel's ring.
    public var truncated: UInt64 = 0
    /// Not decodable: lengths or attributes did not hold together.
    public var malformed: UInt64 = 0
    /// Decoded, but our ring was full.
    public var dropped: UInt64 = 0

    /// All of them.
    public var total: UInt64 { overrun + truncated + malformed + dropped }

    /// Nothing lost.
    public init(overrun: UInt64 = 0, truncated: UInt64 = 0, malformed: UInt64 = 0, dropped: UInt64 = 0) {
        self.overrun = overrun
        self.truncated = truncated
        self.malformed = malformed
        self.dropped = dropped
    }

    static func - (now: Self, before: Self) -> Self {
        Self(
            overrun: now.overrun - before.overrun, truncated: now.truncated - before.truncated,
            malformed: now.malformed - before.malformed, dropped: now.dropped - before.dropped)
    }
}

/// How it stands with the events.
public enum EventStatus: Equatable, Sendable {
    /// Not asked for.
    case off
    /// Joined.
    case listening(EventMethod)
    /// Not to be had, and how to have them. `expected` when that is no fault: nobody asked for them by name.
    case unavailable(reason: String, expected: Bool)
    /// Listened, and then the socket failed.
    case failed(SystemError)
}

/// What the reader thread and the main thread share: the ring, the loss counters, and two doorbells.
final class Channel: Sendable {
    let ring: EventRing
    /// Rung by the reader when the main thread should look before its next tick.
    let bell: EventDescriptor
    /// Rung by the main thread to end the reader.
    let stop: EventDescriptor

    private let new = Atomic<UInt64>(0)
    private let update = Atomic<UInt64>(0)
    private let destroy = Atomic<UInt64>(0)
    private let overrun = Atomic<UInt64>(0)
    private let truncated = Atomic<UInt64>(0)
    private let malformed = Atomic<UInt64>(0)
    private let dropped = Atomic<UInt64>(0)
    /// False once the kernel failed to say how many it dropped: then the loss is a lower bound.
    private let exact = Atomic<Bool>(true)
    private let reloadsExact = Atomic<Bool>(false)
    private let status = Mutex<EventStatus>(.off)
    private let duty = Mutex<EventDuty?>(nil)

    init(capacity: Int) throws(SystemError) {
        ring = EventRing(capacity: capacity)
        bell = try EventDescriptor()
        stop = try EventDescriptor()
    }

    /// Events counted so far. Those that are in the ring by then are never fewer, so read this before draining it.
    var counted: EventCounts {
        EventCounts(
            new: new.load(ordering: .acquiring), update: update.load(ordering: .acquiring),
            destroy: destroy.load(ordering: .acquiring))
    }

    var lost: LostEvents {
        LostEvents(
            overrun: overrun.load(ordering: .relaxed), truncated: truncated.load(ordering: .relaxed),
            malformed: malformed.load(ordering: .relaxed), dropped: dropped.load(ordering: .relaxed))
    }

    var lossIsExact: Bool { exact.load(ordering: .relaxed) }

    /// Whether every reload is counted; else only those that a kept descriptor proves, at least one.
    var countsReloads: Bool {
        get { reloadsExact.load(ordering: .relaxed) }
        set { reloadsExact.store(newValue, ordering: .relaxed) }
    }

    var eventStatus: EventStatus {
        get { status.withLock { $0 } }
        set { status.withLock { $0 = newValue } }
    }

    /// How the events are listened to.
    var eventDuty: EventDuty? {
        get { duty.withLock { $0 } }
        set { duty.withLock { $0 = newValue } }
    }

    func addCounted(_ counts: EventCounts) {
        if counts.new > 0 { new.add(counts.new, ordering: .releasing) }
        if counts.update > 0 { update.add(counts.update, ordering: .releasing) }
        if counts.destroy > 0 { destroy.add(counts.destroy, ordering: .releasing) }
    }

    func addLost(_ lost: LostEvents) {
        if lost.overrun > 0 { overrun.add(lost.overrun, ordering: .relaxed) }
        if lost.truncated > 0 { truncated.add(lost.truncated, ordering: .relaxed) }
        if lost.malformed > 0 { malformed.add(lost.malformed, ordering: .relaxed) }
        if lost.dropped > 0 { dropped.add(lost.dropped, ordering: .relaxed) }
    }

    func lossBecameInexact() {
        exact.store(false, ordering: .relaxed)
    }
}

/// An eventfd: a doorbell between threads.
struct EventDescriptor: ~Copyable, Sendable {
    let descriptor: Int32

    init() throws(SystemError) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard descriptor >= 0 else { throw SystemError("open", "an eventfd", errno) }
    }

    deinit {
        close(descriptor)
    }

    func ring() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    /// Waits until it rings.
    func wait() {
        _ = cnf_wait_readable(descriptor, .max)
    }

    func silence() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
    }
}
