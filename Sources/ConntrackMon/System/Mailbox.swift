// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel

/// What one thread leaves for another. Bounded, and whoever puts something in never waits for whoever takes
/// it out: what finds no room gives way and is counted.
///
/// One thread takes; any may put. `close` comes after the last `put`, so whoever has seen it closed has missed nothing.
package final class Mailbox<Item: Sendable>: Sendable {
    /// What an item is about.
    package typealias Key = @Sendable (Item) -> String

    /// What gives way to what comes.
    package enum GivingWay: Sendable {
        /// When it is full: what came last, since what was said first is the cause of the rest.
        case newest
        /// When it is full: what waits longest, since only the present counts.
        case oldest
        /// When it is full: the oldest of the same key, and where there is none, the oldest of all.
        case oldestAlike(Key)
        /// Even while there is room: the one of the same key, whose place the new one takes. Only the newest of each key
        /// counts, so nothing is lost by that.
        case alike(Key)
    }

    private struct State: Sendable {
        var items: [Item] = []
        var lost: UInt64 = 0
        var isClosed = false
    }

    /// How many may wait.
    package let capacity: Int
    private let givingWay: GivingWay
    private let state = Lock(State())
    private let bell: EventDescriptor

    /// An empty one with a bell of its own.
    package init(capacity: Int, givingWay: GivingWay) throws(SystemError) {
        self.capacity = max(1, capacity)
        self.givingWay = givingWay
        bell = try EventDescriptor()
    }

    /// An empty one that rings the same bell as `other`, for whoever waits for more than this.
    package init(capacity: Int, givingWay: GivingWay, ringing other: Int32) throws(SystemError) {
        self.capacity = max(1, capacity)
        self.givingWay = givingWay
        bell = try EventDescriptor(duplicating: other)
    }

    // MARK: Whoever puts

    /// Leaves `items`, in their order, and rings. Never waits.
    package func put(_ items: some Sequence<Item>) {
        state.withLock { state in
            for item in items { add(item, to: &state) }
        }
        bell.ring()
    }

    /// Leaves one.
    package func put(_ item: Item) {
        put(CollectionOfOne(item))
    }

    /// Nothing comes after this.
    package func close() {
        state.withLock { $0.isClosed = true }
        bell.ring()
    }

    private func add(_ item: Item, to state: inout State) {
        if case .alike(let key) = givingWay, let place = state.items.firstIndex(where: { key($0) == key(item) }) {
            state.items[place] = item
            return
        }
        if state.items.count >= capacity {
            state.lost += 1
            switch givingWay {
            case .newest: return
            case .oldest, .alike: state.items.removeFirst()
            case .oldestAlike(let key):
                state.items.remove(at: state.items.firstIndex { key($0) == key(item) } ?? 0)
            }
        }
        state.items.append(item)
    }

    // MARK: Whoever takes

    /// To poll: readable from a `put` or `close` until `silence`.
    package var descriptor: Int32 { bell.descriptor }

    /// Waits until something was put, or it was closed.
    package func wait() {
        bell.wait()
    }

    /// Before taking, so that what is put meanwhile rings again.
    package func silence() {
        bell.silence()
    }

    /// All that waits, in its order.
    package func takeAll() -> [Item] {
        state.withLock { state in
            defer { state.items = [] }
            return state.items
        }
    }

    /// What waits longest.
    package func takeFirst() -> Item? {
        state.withLock { $0.items.isEmpty ? nil : $0.items.removeFirst() }
    }

    /// Ask before taking: when it is closed, what is taken then is the last.
    package var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Closed, and all was taken.
    package var isFinished: Bool { state.withLock { $0.isClosed && $0.items.isEmpty } }

    // MARK: Anybody

    /// Whether nothing waits.
    package var isEmpty: Bool { state.withLock { $0.items.isEmpty } }

    /// How many gave way, from the start; never goes back.
    package var lost: UInt64 { state.withLock { $0.lost } }
}
