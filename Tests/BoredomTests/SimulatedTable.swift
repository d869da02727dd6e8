// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import UnitKit

@testable import ConntrackModel

/// A kernel's table: entries come, expire, linger until they are swept, and are refused or evicted when it is full.
/// Its clock stands still while the machine is suspended, as jiffies do.
struct SimulatedTable {
    /// What happened in a step.
    struct Step {
        /// New entries, by the flows they belong to.
        var new: [Int]
        /// Entries gone that tell of it, by how they went.
        var gone: [Departure: Int] = [:]
        /// TCP connections that were opened, tracked or not.
        var opened = 0
        /// "table full, dropping packet", as far as the kernel's rate limit lets it through.
        var fullLines = 0

        var made: Int { new.reduce(0, +) }
    }

    /// How an entry goes.
    enum Departure: CaseIterable {
        /// Its time was over.
        case expired
        /// Before its time, for another one in a full table.
        case evicted
        /// Before its time, with the RST that answered it.
        case refused
        /// Before its time, by a program.
        case deleted
    }

    var limit: UInt64
    let buckets: UInt64
    /// The share of the expired that packets meet, a second: whoever meets one removes it.
    let met: Double
    /// Seconds between two sweeps; each takes all that is expired.
    var sweepsEvery: Double
    private(set) var crowds: [Crowd]
    private(set) var statistics: [Stat: UInt64] = [.insertFailed: 0, .drop: 0, .earlyDrop: 0, .invalid: 0, .found: 0]
    /// Of each flows' rate, what there is now.
    var factors: [Double]
    /// Rules that have connections tracked are there.
    var isTracking = true
    /// nf_conntrack_events: an entry made without it never sends one, one made before goes on to.
    var sendsEvents = true
    var step = Step(new: [])
    private var now = 0.0
    private var swept = 0.0
    private var chance: SplitMix

    init(_ plan: HostPlan, seed: UInt64) {
        limit = plan.limit
        buckets = plan.buckets
        met = plan.met
        sweepsEvery = plan.sweepsEvery
        crowds = plan.flows.map { Crowd($0) }
        factors = plan.flows.map { _ in 1 }
        chance = SplitMix(state: seed)
    }

    var entries: Int { crowds.reduce(0) { $0 + $1.count } }

    func index(of name: String) -> Int? { crowds.firstIndex { $0.flows.name == name } }

    /// Goes on by `span` seconds; `time` is the scenario's at their end.
    mutating func advance(by span: Double, to time: Double) {
        let before = Int(now)
        now += span
        if Int(now) > before {
            for second in (before + 1)...Int(now) {
                for index in crowds.indices { crowds[index].expire(at: second) }
            }
        }
        let isSwept = now - swept >= sweepsEvery
        if isSwept { swept = now }
        let share = 1 - exp(-met * span)
        for index in crowds.indices where crowds[index].expired > 0 {
            let count = isSwept ? crowds[index].expired : chance.whole(Double(crowds[index].expired) * share)
            step.gone[.expired, default: 0] += crowds[index].sweep(count)
        }
        for index in crowds.indices {
            let rate = crowds[index].flows.rate.at(time) * factors[index]
            make(chance.times(rate * span), of: index)
        }
    }

    /// New flows, and their entries as far as there is room.
    mutating func make(_ wanted: Int, of index: Int, staying: Bool = false) {
        let flows = crowds[index].flows
        if flows.protocol == IPPROTO_TCP, !flows.isForwarded { step.opened += wanted }
        guard wanted > 0, isTracking else { return }
        var count = wanted
        if limit > 0 { count -= refuse(wanted, room: Int(limit) - entries) }
        step.new[index] += count
        if flows.isRefused {
            if sendsEvents { step.gone[.refused, default: 0] += count }
            return
        }
        if staying { crowds[index].hold(count) } else { crowds[index].add(count, at: Int(now), &chance) }
        if !sendsEvents { crowds[index].mute(count) }
    }

    /// How many of `wanted` find no room, although others are evicted for them.
    private mutating func refuse(_ wanted: Int, room: Int) -> Int {
        let over = wanted - max(0, room)
        guard over > 0 else { return 0 }
        // early_drop() looks into eight buckets for an entry that is not assured.
        let evictable = crowds.reduce(0) { $0 + $1.evictable }
        let found = 1 - exp(-8 * 2 * Double(evictable) / Double(buckets))
        let evicted = min(evictable, chance.whole(Double(over) * found), over)
        var left = evicted
        for index in crowds.indices {
            let count = min(left, crowds[index].evictable)
            step.gone[.evicted, default: 0] += crowds[index].remove(count)
            left -= count
        }
        count(.earlyDrop, evicted)
        count(.drop, over - evicted)
        step.fullLines = min(10, step.fullLines + over - evicted)
        return over - evicted
    }

    mutating func count(_ stat: Stat, _ growth: Int) { statistics[stat, default: 0] += UInt64(growth) }

    /// So many a second, over `span` seconds.
    mutating func count(_ stat: Stat, perSecond rate: Double, over span: Double) {
        count(stat, chance.times(rate * span))
    }

    mutating func close(_ count: Int, of index: Int, timeout: Double) {
        crowds[index].close(count, timeout: timeout, at: Int(now))
    }

    /// A program deletes every entry.
    mutating func flush() {
        for index in crowds.indices { step.gone[.deleted, default: 0] += crowds[index].clear() }
    }

    /// A program deletes some.
    mutating func delete(_ count: Int, of index: Int) {
        step.gone[.deleted, default: 0] += crowds[index].remove(
            min(count, crowds[index].expired + crowds[index].expiring))
    }

    /// Every entry goes, and nothing tells of it: the module does.
    mutating func forget() {
        for index in crowds.indices { _ = crowds[index].clear() }
    }

    /// The counters begin anew with the module.
    mutating func resetStatistics() { for stat in statistics.keys { statistics[stat] = 0 } }

    /// What went on before anybody looked, for so many seconds.
    mutating func warmUp(_ seconds: Int) {
        for second in 0..<seconds {
            step = Step(new: crowds.map { _ in 0 })
            advance(by: 1, to: Double(second - seconds))
        }
        for index in crowds.indices { crowds[index].wasUnheard() }
    }
}
