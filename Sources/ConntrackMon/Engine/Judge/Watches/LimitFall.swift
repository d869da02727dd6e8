// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel

// What LimitWatch follows, and what of it outlives a run.

extension LimitWatch {
    /// The limit is lower than it should be.
    package struct Fall: Equatable, Sendable {
        /// What it was; 0 = unlimited.
        package var from: UInt64
        /// What it is.
        package var to: UInt64
        /// Why.
        package var cause: DropCause
        /// Since when, or since when it has this value.
        package var since: MonotonicTime
        /// What happened, for the line's parentheses.
        package var story: String
        /// Said and counted by an earlier run of the monitor.
        package var isCarriedOver = false
        /// Shared by all that belongs to one reload.
        package var incident: String?
        /// It came with a reload or a boot, which other settings do not survive either.
        package var isReload = false
        /// Usage reached the warning threshold since; a limit that does not suffice is never adopted.
        var wasTight = false

        /// A fall of this moment, or one that a state file tells of.
        package init(
            from: UInt64, to: UInt64, cause: DropCause, since: MonotonicTime, story: String,
            isCarriedOver: Bool = false, incident: String? = nil, isReload: Bool = false
        ) {
            self.from = from
            self.to = to
            self.cause = cause
            self.since = since
            self.story = story
            self.isCarriedOver = isCarriedOver
            self.incident = incident
            self.isReload = isReload
        }

        /// What happened and since when that is known.
        package var text: String { story + (isCarriedOver ? "; known since before this start" : "") }
    }

    /// What was accepted when the monitor last watched, and what became of the host since.
    package struct Past: Equatable, Sendable {
        /// The normal limit then.
        package var accepted: UInt64
        /// A fall that had not ended.
        package var fall: Fall?
        /// What may have changed the limit since.
        package var cause: DropCause
        /// "while not watching (4m12s): rebooted".
        package var story: String
        /// A reboot or a load of the module began everything with its default.
        package var isReload = false
        /// The configured limit below which a lower one was accepted.
        package var waived: UInt64?

        /// What a state file tells.
        package init(
            accepted: UInt64, fall: Fall? = nil, cause: DropCause, story: String, isReload: Bool = false,
            waived: UInt64? = nil
        ) {
            self.accepted = accepted
            self.fall = fall
            self.cause = cause
            self.story = story
            self.isReload = isReload
            self.waived = waived
        }
    }

    /// What to keep for the next start.
    package struct Kept: Equatable, Sendable {
        /// The normal limit.
        package var accepted: UInt64
        /// A fall that has not ended.
        package var fall: Fall?
        /// The configured limit below which a lower one was accepted.
        package var waived: UInt64?
    }

    /// The limit may be put back yet: a reload or boot is under way.
    struct Settling: Sendable {
        var cause: DropCause
        var at: MonotonicTime
        var until: MonotonicTime
        var times: UInt64 = 0
        var limitBefore: UInt64
        var lowest: UInt64
        var forgotten: UInt64?
        var incident: String?
        /// Reloads that came after the notice.
        var unsaid: UInt64 = 0
        /// What happened, where it is not this reload.
        var story: String?
    }
}
