// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackEngine
internal import ConntrackHost
internal import ConntrackModel

// What each part is told, out of the settings.

extension HostPaths {
    init(_ settings: Settings) {
        self.init(procfs: settings.procfs, sysfs: settings.sysfs, root: settings.root)
    }
}

extension EnginePlan {
    init(_ settings: Settings, _ identity: Identity, _ paths: HostPaths) {
        self.init(
            identity: identity, rules: settings.rules, sample: settings.sample, interval: settings.interval,
            duration: settings.duration, count: settings.count, textfileInterval: settings.textfileInterval,
            hasConfiguration: paths.configurationRoot != nil, hasDumps: paths.isLive)
        limits = EventBudget.Limits(share: settings.eventBudget, cost: settings.eventCost)
        groups = settings.events
        source = settings.source
        kernel = RunningKernel.release
        hasStatisticsFile = !paths.lacksStatistics
        perCPU = settings.perCPU
        netnsLabel = settings.netns == nil ? nil : identity.netns
        procfs = paths.procfs
        netns = settings.netns
        netnsInode = NetworkNamespace.current()
        bootId = BootIdentity.now(paths).bootId
        incidents = settings.incidentFolder.map { _ in IncidentTerms(window: settings.incidentWindow) }
    }
}
