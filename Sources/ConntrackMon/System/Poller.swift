// SPDX-License-Identifier: GPL-3.0-or-later

internal import CSystem
internal import Glibc

/// ppoll(2) on a few descriptors. The places for them are part of it, so that a wait allocates nothing.
package struct Poller: ~Copyable {
    /// What of a descriptor is waited for. Its error or hang-up ends every wait.
    package enum Event: Sendable {
        /// Something can be read.
        case reading
        /// There is room to write.
        case writing

        fileprivate var bits: Int16 { Int16(self == .reading ? POLLIN : POLLOUT) }
    }

    /// How many places there are.
    package static let capacity = 5

    private var places = InlineArray<5, pollfd>(repeating: pollfd(fd: -1, events: 0, revents: 0))

    /// Watches nothing yet.
    package init() {}

    /// Watches `descriptor` at `place` (0 to `capacity` - 1) from here on, instead of what was watched there; -1 = nothing.
    package mutating func watch(_ place: Int, _ descriptor: Int32, for event: Event = .reading) {
        places[place] = pollfd(fd: descriptor, events: event.bits, revents: 0)
    }

    /// Waits until one of them is ready, `nanoseconds` have passed (nil = as long as it takes) or a signal came.
    /// `isReady` says what came of it.
    package mutating func wait(_ nanoseconds: UInt64?) {
        var span = places.mutableSpan
        span.withUnsafeMutableBufferPointer { entries in
            // An error of ppoll leaves them as they are.
            for index in entries.indices { entries[index].revents = 0 }
            guard let first = entries.baseAddress else { return }
            cnf_poll(first, entries.count, nanoseconds ?? .max)
        }
    }

    /// Whether the last wait found what is at `place` ready.
    package func isReady(_ place: Int) -> Bool { places[place].revents != 0 }

    /// Waits for one descriptor alone, as `wait` does. True when it is ready.
    package static func wait(for event: Event, of descriptor: Int32, _ nanoseconds: UInt64?) -> Bool {
        var poller = Poller()
        poller.watch(0, descriptor, for: event)
        poller.wait(nanoseconds)
        return poller.isReady(0)
    }
}
