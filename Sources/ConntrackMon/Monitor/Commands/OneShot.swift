// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackEngine
internal import ConntrackHost
internal import ConntrackModel
internal import ConntrackPublish
internal import ConntrackSystem

/// One look, for `check` and `status`: at the table, at what should be, and at what a running `watch` says of it.
struct OneShot {
    /// The table.
    let look: TableLook
    /// What sysctl configuration says the limit should be.
    let configured: ConfiguredLimit?
    /// What a running `watch` says about the same table.
    let word: MonitorWord
    private let paths: HostPaths
    private let netnsInode: UInt64?

    /// Looks at the table under `settings.procfs`, at the configuration, and at `settings.runDirectory`. No more than
    /// `check` needs: it is started often.
    init(_ settings: Settings) {
        paths = HostPaths(settings)
        netnsInode = NetworkNamespace.current()
        // Only the limit is asked for, and that is one for all namespaces.
        if case .configuration(let found)? = SlowHost(paths, isInitialNamespace: false).read(.configuration) {
            configured = found.limit
        } else {
            configured = nil
        }
        if let folder = settings.runDirectory {
            let place = MonitorWord.Place(
                procfs: paths.procfs, netnsInode: netnsInode, bootId: BootIdentity.now(paths).bootId)
            word = MonitorWord.read(in: folder, at: place)
        } else {
            word = .none
        }
        // The table last: it is what is of now.
        var table = TableReader(paths, followsModule: false)
        look = TableLook(table.read())
    }

    /// What to judge by: what `values` were given, and what the look found.
    func rules(_ values: OptionValues, _ settings: Settings) -> LookRules {
        var rules = LookRules()
        if values.origin(of: "warn") == .builtIn && values.origin(of: "crit") == .builtIn {
            rules.takeThresholds(of: word)
        } else {
            (rules.warn, rules.crit) = (settings.rules.warn, settings.rules.crit)
        }
        rules.expectMax = settings.rules.expectMax
        rules.configured = configured
        return rules
    }

    /// What on this host chooses a limit; nil where no configuration is about it.
    func origin() -> LimitOrigin? {
        if case .origin(let origin)? = SlowHost(paths, isInitialNamespace: false).read(.origin) { origin } else { nil }
    }

    /// All that can be known of this host by looking once, `wanted` for a baseline. What of it fires needs no hold, and is
    /// not about the limit: that is `judge`'s.
    func report(_ settings: Settings, host name: String, wanted: WantedLimit?, _ origin: LimitOrigin?) -> Report {
        let identity = NetworkNamespace.identity(host: name, entered: settings.netns)
        // A running monitor's statistics are taken where there is one.
        let isSaid = if case .said = word { true } else { false }
        var host = Host(paths, statistics: isSaid ? .never : .once)
        var judge = Judge(settings: RuleSettings(), identity: identity)
        judge.kernel = KernelRelease.ofHost(paths)
        judge.origin = origin
        judge.looksOnce = true
        _ = judge.observe(look)
        var sample = Sample(moment: look.moment, table: look)
        var module = ConntrackModule.absent
        if case .kernel(let kernel)? = host.read(.kernel(TableFaults(look))) {
            module = kernel.module
            sample.buckets = kernel.buckets
            sample.degraded = kernel.degraded
            sample.statsObstacle = kernel.statisticsObstacle
            if let reading = kernel.statistics {
                var stitcher = StatStitcher()
                stitcher.take(reading.perCPU, restarted: false)
                sample.stats = stitcher.total
            }
        }
        _ = judge.judge(sample)

        var report = Report(identity: identity, sample: sample)
        report.isUp = false
        report.module = module
        report.firing = judge.firing
        report.baseline = wanted.map { ($0.limit, $0.source) }
        report.procfs = paths.procfs
        report.netnsInode = netnsInode
        return report
    }
}
