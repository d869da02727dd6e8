// SPDX-License-Identifier: GPL-3.0-or-later

import UnitKit

/// The entries of flows that are alike, as numbers: how many expire in which second.
struct Crowd {
    let flows: Flows
    /// Until something closes them.
    private(set) var open: Int
    /// Expired, and still in the table: the kernel sweeps now and then.
    private(set) var expired = 0
    /// By the second in which they expire, modulo its size.
    private var ends: [Int]
    private(set) var expiring = 0
    /// Removed of those that expire; taken from the next that do.
    private var evicted = 0
    /// Made before anybody listened, the oldest of them: they send no DESTROY (nf_conntrack_events = 2).
    private var unheard: Int
    /// The newest of them, made while the kernel made no events.
    private var muted = 0

    /// Nothing lives longer than this many mean lives.
    private static let longest = 8.0
    /// Lives that are drawn for those of one moment.
    private static let draws = 8

    init(_ flows: Flows) {
        self.flows = flows
        open = flows.open
        unheard = flows.open
        ends = Array(repeating: 0, count: Int(max(flows.lives * Crowd.longest + flows.timeout, 600)) + 2)
    }

    var count: Int { open + expiring - evicted + expired }
    /// What a full table may evict.
    var evictable: Int { flows.isAssured ? 0 : expiring - evicted + expired }

    /// `count` more, at second `now`.
    mutating func add(_ count: Int, at now: Int, _ chance: inout SplitMix) {
        guard count > 0 else { return }
        guard flows.lives > 0 else { return put(count, expiringAt: now + Int(flows.timeout), now) }
        let draws = min(count, Crowd.draws)
        for draw in 0..<draws {
            let life = min(chance.lasting(flows.lives), flows.lives * Crowd.longest)
            put(count / draws + (draw < count % draws ? 1 : 0), expiringAt: now + Int(life + flows.timeout), now)
        }
    }

    /// `count` more that stay.
    mutating func hold(_ count: Int) { open += count }

    /// `count` of those that stay are closed, at second `now`; `timeout` seconds later they expire.
    mutating func close(_ count: Int, timeout: Double, at now: Int) {
        let closed = min(count, open)
        open -= closed
        put(closed, expiringAt: now + Int(timeout), now)
    }

    private mutating func put(_ count: Int, expiringAt second: Int, _ now: Int) {
        ends[min(max(second, now + 1), now + ends.count - 1) % ends.count] += count
        expiring += count
    }

    /// Those of second `now` expire.
    mutating func expire(at now: Int) {
        let index = now % ends.count
        var due = ends[index]
        guard due > 0 else { return }
        ends[index] = 0
        expiring -= due
        let gone = min(evicted, due)
        evicted -= gone
        due -= gone
        expired += due
    }

    /// `count` of the last that were added send no event.
    mutating func mute(_ count: Int) { muted += count }

    /// Nobody listened to what has been made so far.
    mutating func wasUnheard() { unheard = count }

    /// Takes `count` expired ones out of the table; how many of them tell of it.
    mutating func sweep(_ count: Int) -> Int {
        let heard = heard(of: min(count, expired))
        expired -= min(count, expired)
        return heard
    }

    /// Takes `count` of those that expire some day out of the table.
    mutating func remove(_ count: Int) -> Int {
        let heard = heard(of: count)
        let swept = min(count, expired)
        expired -= swept
        evicted += count - swept
        return heard
    }

    /// All of them go; how many of them tell of it.
    mutating func clear() -> Int {
        let heard = count - unheard - muted
        for index in ends.indices { ends[index] = 0 }
        (open, expired, expiring, evicted, unheard, muted) = (0, 0, 0, 0, 0, 0)
        return heard
    }

    /// How many of the `count` oldest tell that they go.
    private mutating func heard(of count: Int) -> Int {
        guard unheard + muted > 0 else { return count }
        let oldest = min(unheard, count)
        let heard = min(count - oldest, self.count - unheard - muted)
        unheard -= oldest
        muted -= count - oldest - heard
        return heard
    }
}
