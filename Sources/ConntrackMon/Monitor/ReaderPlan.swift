// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackEngine
internal import ConntrackHost
internal import ConntrackModel

/// What the reader is told.
struct ReaderPlan: Sendable {
    /// The host that is looked at.
    var paths: HostPaths
    /// How often the table is looked at.
    var sample: Duration
    /// Where usage is news.
    var thresholds: UsageThresholds
    /// Which events to listen to; empty = none.
    var groups: EventGroups
    var source: SourceChoice
    /// Bytes.
    var receiveBuffer: UInt32
    /// Events were asked for by name, so not having them is a fault.
    var eventsRequired: Bool
    /// When the groups may be joined.
    var terms: JoinPolicy.Terms
    /// What listening may cost the host.
    var budget: EventBudget.Limits

    init(_ settings: Settings, _ paths: HostPaths) {
        self.paths = paths
        sample = settings.sample
        thresholds = UsageThresholds(settings.rules)
        groups = settings.source == .none || !paths.isLive ? [] : settings.events
        source = settings.source
        receiveBuffer = settings.receiveBuffer
        eventsRequired = settings.source == .netlink || settings.source == .bpf
        terms = JoinPolicy.Terms(mayLoad: settings.loadModules, settle: settings.rules.settle)
        budget = EventBudget.Limits(share: settings.eventBudget, cost: settings.eventCost)
    }
}
