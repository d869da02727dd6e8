// SPDX-License-Identifier: GPL-3.0-or-later

internal import Synchronization

/// The messages of events, in the order of their records in the ring, from the producer's thread to the consumer's. Fixed
/// memory; nothing waits. Each is numbered as its event is: one that finds no room is missing, which its number tells, and
/// its record goes its way all the same.
///
/// A message is put here before its record is published, so that whoever has the record finds it.
///
/// `@unchecked Sendable`: as EventRing, one thread puts and one takes, and head and tail order what they write.
public final class MessageRoad: @unchecked Sendable {
    /// Before each message. Where the end of the memory is too near for a message, a header alone leads to the beginning.
    private struct Header {
        var number: UInt64
        var length: UInt32
        var isTurn: UInt32
    }

    private static let headerSize = MemoryLayout<Header>.stride

    private let capacity: Int
    private let memory: UnsafeMutableRawPointer
    private let head = Atomic<UInt>(0)  // written by the producer
    private let tail = Atomic<UInt>(0)  // written by the consumer

    // The producer's.
    private var put: UInt64 = 0
    // The consumer's.
    private var taken: UInt64 = 0

    /// An empty one of `capacity` bytes, a power of two of at least 4096.
    public init(capacity: Int) {
        precondition(capacity >= 4096 && capacity & (capacity - 1) == 0, "the road's size must be a power of two")
        self.capacity = capacity
        memory = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit {
        memory.deallocate()
    }

    /// The message of the next event.
    public func put(_ message: UnsafeRawPointer, length: Int) {
        let number = put
        put += 1
        let size = MessageRoad.headerSize + (length + 15) & ~15
        var head = self.head.load(ordering: .relaxed)
        let free = capacity - Int(head &- tail.load(ordering: .acquiring))
        let row = capacity - Int(head) & (capacity - 1)
        guard size + (size > row ? row : 0) <= free else { return }
        if size > row {
            // Positions are multiples of 16: a header fits.
            slot(head).storeBytes(of: Header(number: number, length: 0, isTurn: 1), as: Header.self)
            head &+= UInt(row)
        }
        let place = slot(head)
        place.storeBytes(of: Header(number: number, length: UInt32(length), isTurn: 0), as: Header.self)
        (place + MessageRoad.headerSize).copyMemory(from: message, byteCount: length)
        self.head.store(head &+ UInt(size), ordering: .releasing)
    }

    /// Lends the message of the next event to `body`; nil where it found no room.
    public func take(_ body: (UnsafeRawBufferPointer?) -> Void) {
        let number = taken
        taken += 1
        var tail = self.tail.load(ordering: .relaxed)
        let head = self.head.load(ordering: .acquiring)
        while tail != head {
            let place = slot(tail)
            let header = place.load(as: Header.self)
            if header.isTurn != 0 {
                tail &+= UInt(capacity - Int(tail) & (capacity - 1))
                continue
            }
            guard header.number == number else { break }
            let length = Int(header.length)
            body(UnsafeRawBufferPointer(start: place + MessageRoad.headerSize, count: length))
            let size = MessageRoad.headerSize + (length + 15) & ~15
            self.tail.store(tail &+ UInt(size), ordering: .releasing)
            return
        }
        body(nil)
    }

    private func slot(_ index: UInt) -> UnsafeMutableRawPointer {
        memory + Int(index) & (capacity - 1)
    }
}
