// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import ConntrackRing
internal import ConntrackSystem

/// What the reader thread and the main thread share: the ring, and two doorbells.
final class Channel: Sendable {
    let ring: EventRing
    /// Rung by the reader when the main thread should look before its next tick.
    let bell: EventDescriptor
    /// Rung by the main thread to end the reader.
    let stop: EventDescriptor

    init(capacity: Int) throws(SystemError) {
        ring = EventRing(capacity: capacity)
        bell = try EventDescriptor()
        stop = try EventDescriptor()
    }

    /// Long before the ring is full, so that what waits stays in the cache.
    func ringWhenFilling() {
        if ring.count >= ring.capacity / 8 { bell.ring() }
    }
}
