// SPDX-License-Identifier: GPL-3.0-or-later

internal import CRecord
internal import ConntrackModel

/// Entries whose end was heard since the monitor began, by who ended them.
struct Departures: Equatable, Sendable {
    /// All of them.
    var heard: UInt64 = 0
    /// Deleted by a program.
    var deleted: UInt64 = 0
    /// Established TCP connections, assured, that went before their time and by no program. Only a kernel that tells the
    /// state and the time left (5.11) has any.
    var forgotten: UInt64 = 0

    /// Those that did not just end.
    var forced: UInt64 { deleted + forgotten }

    /// Counts a DESTROY.
    @inline(__always)
    mutating func count(_ event: EventInPlace) {
        let flags = UInt32(event.flags)
        heard += 1
        if flags & CNF_BY_PROGRAM.rawValue != 0 {
            deleted += 1
        } else if flags & CNF_TIME_LEFT.rawValue != 0, event.tcpState == .established,
            event.status.contains(.assured)
        {
            forgotten += 1
        }
    }

    static func - (now: Self, before: Self) -> Self {
        Self(
            heard: now.heard - before.heard, deleted: now.deleted - before.deleted,
            forgotten: now.forgotten - before.forgotten)
    }
}
