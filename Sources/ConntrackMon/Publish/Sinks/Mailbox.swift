// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import ConntrackSystem

/// What the main thread leaves for a sink's thread. Bounded, and whoever puts something in never waits for whoever takes
/// it out: what finds no room gives way and is counted.
///
/// One thread takes; any may put. `close` comes after the last `put`, so whoever has seen it closed has missed nothing.
final class Mailbox<Item: Sendable>: Sendable {
    typealias Key = @Sendable (Item) -> String

    /// What gives way to what comes.
    enum GivingWay: Sendable {
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

    let capacity: Int
    private let givingWay: GivingWay
    private let state = Lock(State())
    private let bell: EventDescriptor

    init(capacity: Int, givingWay: GivingWay) throws(SystemError) {
        self.capacity = max(1, capacity)
        self.givingWay = givingWay
        bell = try EventDescriptor()
    }

    // MARK: Whoever puts

    /// Leaves `items`, in their order, and rings. Never waits.
    func put(_ items: some Sequence<Item>) {
        state.withLock { state in
            for item in items { add(item, to: &state) }
        }
        bell.ring()
    }

    /// Leaves one.
    func put(_ item: Item) {
        put(CollectionOfOne(item))
    }

    /// Nothing comes after this.
    func close() {
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
    var descriptor: Int32 { bell.descriptor }

    /// Waits until something was put, or it was closed.
    func wait() {
        bell.wait()
    }

    /// Before taking, so that what is put meanwhile rings again.
    func silence() {
        bell.silence()
    }

    /// All that waits, in its order.
    func takeAll() -> [Item] {
        state.withLock { state in
            defer { state.items = [] }
            return state.items
        }
    }

    /// What waits longest.
    func takeFirst() -> Item? {
        state.withLock { $0.items.isEmpty ? nil : $0.items.removeFirst() }
    }

    /// Ask before taking: when it is closed, what is taken then is the last.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Closed, and all was taken.
    var isFinished: Bool { state.withLock { $0.isClosed && $0.items.isEmpty } }

    // MARK: Anybody

    /// Whether nothing waits.
    var isEmpty: Bool { state.withLock { $0.items.isEmpty } }

    /// How many gave way, from the start; never goes back.
    var lost: UInt64 { state.withLock { $0.lost } }
}
