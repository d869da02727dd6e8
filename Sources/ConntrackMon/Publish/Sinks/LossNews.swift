// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Turns a count of what was lost, which only grows, into something that is said while it lasts and ends.
struct LossNews: Sendable {
    /// Over when as long as this nothing waited and nothing more was lost.
    static let calm = Duration.seconds(60)

    /// The subject of what is said.
    let part: String
    /// What is lost, in the plural.
    let what: String

    private var told: UInt64 = 0
    private var seen: UInt64 = 0
    private var quietSince: MonotonicTime?

    init(part: String, what: String) {
        self.part = part
        self.what = what
    }

    /// What `mailbox` has lost since it began to; nil while it loses nothing.
    mutating func step(_ mailbox: Mailbox<some Sendable>, now: MonotonicTime) -> Degradation? {
        step(lost: mailbox.lost, isEmpty: mailbox.isEmpty, now: now).map {
            Degradation(part: part, reason: "\($0) \(what) lost, more than \(mailbox.capacity) waited")
        }
    }

    /// How many were lost since it began; nil while nothing is. `lost`: all since the start.
    mutating func step(lost: UInt64, isEmpty: Bool, now: MonotonicTime) -> UInt64? {
        if lost > seen || !isEmpty {
            quietSince = nil
        } else if quietSince == nil {
            quietSince = now
        }
        seen = lost
        if let quietSince, now - quietSince >= LossNews.calm { told = lost }
        return lost > told ? lost - told : nil
    }
}
