// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import Glibc
internal import Synchronization

/// Events the monitor did not get to count, by where they were lost.
public struct LostEvents: Equatable, Sendable {
    /// Dropped by the kernel: the socket's receive buffer was full.
    public var overrun: UInt64 = 0
    /// Longer than our receive buffer, or not decodable.
    public var truncated: UInt64 = 0
    /// Decoded, but our ring was full.
    public var dropped: UInt64 = 0

    /// All of them.
    public var total: UInt64 { overrun + truncated + dropped }

    /// Nothing lost.
    public init(overrun: UInt64 = 0, truncated: UInt64 = 0, dropped: UInt64 = 0) {
        self.overrun = overrun
        self.truncated = truncated
        self.dropped = dropped
    }

    static func - (now: Self, before: Self) -> Self {
        Self(
            overrun: now.overrun - before.overrun, truncated: now.truncated - before.truncated,
            dropped: now.dropped - before.dropped)
    }
}

/// How it stands with the events.
public enum EventStatus: Equatable, Sendable {
    /// Not asked for.
    case off
    /// Joined; the receive buffer in bytes.
    case listening(receiveBuffer: Int)
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

    private let overrun = Atomic<UInt64>(0)
    private let truncated = Atomic<UInt64>(0)
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

    var lost: LostEvents {
        LostEvents(
            overrun: overrun.load(ordering: .relaxed), truncated: truncated.load(ordering: .relaxed),
            dropped: dropped.load(ordering: .relaxed))
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

    func addLost(_ tally: cnf_tally) {
        if tally.truncated > 0 { truncated.add(tally.truncated, ordering: .relaxed) }
        if tally.dropped > 0 { dropped.add(tally.dropped, ordering: .relaxed) }
    }

    func addOverruns(_ count: UInt64) {
        if count > 0 { overrun.add(count, ordering: .relaxed) }
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
