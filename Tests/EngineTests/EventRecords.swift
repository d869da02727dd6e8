// SPDX-License-Identifier: GPL-3.0-or-later

import CRecord

@testable import ConntrackEngine

// Events as values, where the engine takes them in their place in the ring.

extension TalkerCounter {
    mutating func count(_ event: cnf_event) {
        withUnsafePointer(to: event) { count(EventInPlace($0)) }
    }
}

extension Collector {
    mutating func countNew(_ event: cnf_event) {
        withUnsafePointer(to: event) { countNew(EventInPlace($0)) }
    }

    mutating func countDestroy(_ event: cnf_event) {
        withUnsafePointer(to: event) { countDestroy(EventInPlace($0)) }
    }
}

extension HeavyHitters.Key {
    init(sourceOf event: cnf_event) {
        self = withUnsafePointer(to: event) { HeavyHitters.Key(sourceOf: EventInPlace($0)) }
    }

    init(destinationOf event: cnf_event) {
        self = withUnsafePointer(to: event) { HeavyHitters.Key(destinationOf: EventInPlace($0)) }
    }
}
