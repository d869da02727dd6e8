// SPDX-License-Identifier: GPL-3.0-or-later

public import CRecord
internal import Synchronization

/// A ring of 64-byte records between one producer thread and one consumer thread.
///
/// Head and tail run freely and wrap; `capacity` is a power of two, so a mask makes them slots. Memory order: the producer
/// writes slots and then stores head (releasing), the consumer loads head (acquiring) and then reads slots; the other way
/// round, the consumer reads slots and then stores tail (releasing), and the producer loads tail (acquiring) before it
/// writes a slot again. Each end touches the other's cache line once a batch, not once a record.
///
/// A producer that finds the ring empty starts again at the first slot, so that a ring which never fills keeps to a few
/// pages of memory, and to the cache. `origin` says which head has the first slot. It changes only while the ring is empty and
/// is stored before head, so a consumer that has seen a record sees the origin that belongs to it, and no later one.
///
/// `@unchecked Sendable`: the pointers are what the two threads share, and the order above is what makes that right.
public struct EventRing: ~Copyable, @unchecked Sendable {
    /// How many records it holds.
    public let capacity: Int

    private let slots: UnsafeMutablePointer<cnf_record>
    private let shared: UnsafeMutableRawPointer
    private let head: UnsafeMutablePointer<Atomic<UInt>>  // written by the producer
    private let highest: UnsafeMutablePointer<Atomic<UInt>>  // written by the producer, beside its head
    private let origin: UnsafeMutablePointer<Atomic<UInt>>  // written by the producer, beside its head
    private let tail: UnsafeMutablePointer<Atomic<UInt>>  // written by the consumer

    /// 128 bytes apart: processors fetch cache lines in pairs.
    private static var apart: Int { 128 }

    /// Whether `capacity` can be a ring's.
    public static func accepts(capacity: Int) -> Bool {
        capacity >= 2 && capacity <= 1 << 24 && capacity & (capacity - 1) == 0
    }

    /// An empty ring. `capacity` must be a power of two from 2 to 2^24.
    public init(capacity: Int) {
        precondition(EventRing.accepts(capacity: capacity), "the ring's capacity must be a power of two")
        self.capacity = capacity
        let bytes = capacity * MemoryLayout<cnf_record>.stride
        slots = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: EventRing.apart)
            .bindMemory(to: cnf_record.self, capacity: capacity)
        shared = .allocate(byteCount: 2 * EventRing.apart, alignment: EventRing.apart)
        head = shared.bindMemory(to: Atomic<UInt>.self, capacity: 3)
        highest = head + 1
        origin = head + 2
        tail = (shared + EventRing.apart).bindMemory(to: Atomic<UInt>.self, capacity: 1)
        head.initialize(to: Atomic(0))
        highest.initialize(to: Atomic(0))
        origin.initialize(to: Atomic(0))
        tail.initialize(to: Atomic(0))
    }

    deinit {
        slots.deallocate()
        shared.deallocate()
    }

    // MARK: Producer

    /// Offers the free slots that lie in a row and publishes as many as `body` says it has filled.
    /// A full ring offers none. Returns what `body` returned.
    @discardableResult
    public func fill(_ body: (UnsafeMutableBufferPointer<cnf_record>) -> Int) -> Int {
        let head = self.head.pointee.load(ordering: .relaxed)
        let used = Int(head &- tail.pointee.load(ordering: .acquiring))
        if used == 0 { origin.pointee.store(head, ordering: .relaxed) }
        let start = slot(of: head, origin: origin.pointee.load(ordering: .relaxed))
        let free = min(capacity - used, capacity - start)
        let filled = body(UnsafeMutableBufferPointer(start: slots + start, count: free))
        precondition(filled >= 0 && filled <= free, "more slots filled than there were")
        guard filled > 0 else { return filled }
        self.head.pointee.store(head &+ UInt(filled), ordering: .releasing)
        if UInt(used + filled) > highest.pointee.load(ordering: .relaxed) {
            highest.pointee.store(UInt(used + filled), ordering: .relaxed)
        }
        return filled
    }

    /// Publishes one record; false when the ring is full.
    public func push(_ record: cnf_record) -> Bool {
        fill { slots in
            guard let slot = slots.baseAddress, !slots.isEmpty else { return 0 }
            slot.initialize(to: record)
            return 1
        } == 1
    }

    // MARK: Consumer

    /// Lends everything published so far to `body`, in one or two rows, and frees the slots afterwards.
    /// Returns how many records there were.
    @discardableResult
    public func drain(_ body: (borrowing Span<cnf_record>) -> Void) -> Int {
        let head = self.head.pointee.load(ordering: .acquiring)
        var tail = self.tail.pointee.load(ordering: .relaxed)
        let count = Int(head &- tail)
        let origin = self.origin.pointee.load(ordering: .relaxed)
        while tail != head {
            let start = slot(of: tail, origin: origin)
            let row = min(Int(head &- tail), capacity - start)
            body(UnsafeBufferPointer(start: slots + start, count: row).span)
            tail &+= UInt(row)
            self.tail.pointee.store(tail, ordering: .releasing)
        }
        return count
    }

    // MARK: Either

    private func slot(of index: UInt, origin: UInt) -> Int {
        Int(bitPattern: index &- origin) & (capacity - 1)
    }

    /// How many records wait; a moment's view.
    public var count: Int {
        let tail = self.tail.pointee.load(ordering: .acquiring)
        return Int(head.pointee.load(ordering: .acquiring) &- tail)
    }

    /// The most that ever waited.
    public var peak: Int {
        Int(highest.pointee.load(ordering: .relaxed))
    }
}
