// SPDX-License-Identifier: GPL-3.0-or-later

package import CRecord
package import ConntrackModel
package import ConntrackRing

/// What the reader has to tell besides the events, and a full ring did not take yet. Nothing of it is ever lost: it is kept
/// until it fits, and added to what comes after it.
package struct Unsaid: Sendable {
    /// Events received and lost.
    package var counts = PendingCounts()
    /// The last look at the table, with what those before it prove.
    private var look: cnf_table?
    private var status: EventStatus?
    private var lastStatus = EventStatus.off
    private var duty: EventDuty?
    private var lastDuty: EventDuty?

    /// Nothing.
    package init() {}

    /// Nothing is kept back.
    package var isEmpty: Bool {
        counts.isEmpty && look == nil && status == nil && duty == nil
    }

    /// It stands with the events like this now; told when that is new.
    package mutating func tell(_ status: EventStatus) {
        guard status != lastStatus else { return }
        lastStatus = status
        self.status = status
    }

    /// The events are listened to like this now; likewise.
    package mutating func tell(_ duty: EventDuty) {
        guard duty != lastDuty else { return }
        lastDuty = duty
        self.duty = duty
    }

    /// The table looks like this now. Told at once; where there is no room, with what the next look shows.
    package mutating func tell(_ look: cnf_table, to ring: borrowing EventRing) {
        var look = look
        if let before = self.look {
            look.unloaded |= before.unloaded
            look.unloads = UInt8(clamping: Int(look.unloads) + Int(before.unloads))
            look.loads = UInt8(clamping: Int(look.loads) + Int(before.loads))
        }
        self.look = ring.push(cnf_record(table: look)) ? nil : look
    }

    /// Tells what is to be told, as far as there is room.
    package mutating func push(to ring: borrowing EventRing, at time: MonotonicTime) {
        if let status, ring.push(cnf_record(status: cnf_status(status, at: time))) { self.status = nil }
        counts.push(at: time) { ring.push(cnf_record(counts: $0)) }
        if let look, ring.push(cnf_record(table: look)) { self.look = nil }
        if let duty, ring.push(cnf_record(duty: cnf_duty(duty, at: time))) { self.duty = nil }
    }
}
