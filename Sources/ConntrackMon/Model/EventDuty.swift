// SPDX-License-Identifier: GPL-3.0-or-later

/// How the events are listened to, and what that costs the host. Totals are since the monitor began.
public struct EventDuty: Equatable, Sendable {
    /// Share of the time that was listened, in the last second or two; 1 = all the time.
    public var ratio = 1.0
    /// The budget is exceeded: the groups are left for part of the time.
    public var isOverBudget = false
    /// Why the groups are not joined again although it is time; nil when nothing hinders.
    public var hindrance: EventHindrance?
    /// Messages of all joined groups, a second, while listening.
    public var messageRate = 0.0
    /// The budget, a share of one core; 1 = no bound.
    public var budget = 1.0
    /// Seconds of CPU that whoever makes an entry pays for a message.
    public var cost = 0.0
    /// CPU seconds paid for messages in total.
    public var spent = 0.0
    /// Seconds in which the groups were left.
    public var away = 0.0
    /// New entries in `span` seconds: counted while listening, estimated for the times away that a window has told of.
    public var made = 0.0
    /// Seconds that `made` stands for: listened, or estimated. A time away counts for its mean in the long run.
    public var span = 0.0
    /// Up to when they are known.
    public var settledAt: MonotonicTime

    /// Nothing heard and nothing missed.
    public init(settledAt: MonotonicTime) {
        self.settledAt = settledAt
    }

    /// What listening all the time would cost, a share of one core.
    public var load: Double { messageRate * cost }
}
