// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import ConntrackEngine
internal import ConntrackHost
public import ConntrackModel
public import ConntrackPublish
internal import ConntrackSystem
internal import FoundationEssentials
internal import Glibc

/// One look, for `check` and `status`: the same host and engine as `watch`, once.
public struct OneShot {
    /// The report of this look alone.
    public var report: Report
    /// What a running `watch` says about the same table, if it is fresh.
    public var watch: StatusDocument?
    /// What sysctl configuration says the limit should be.
    public var configured: ConfiguredLimit?

    /// Looks at the table under `settings.procfs`, at the configuration, and at `settings.runDirectory`.
    public init(_ settings: Settings, host name: String) {
        let identity = NetworkNamespace.identity(host: name, entered: settings.netns)
        let paths = HostPaths(settings)
        var host = Host(paths)
        let slow = SlowHost(paths, isInitialNamespace: identity.isInitialNamespace)
        var table = TableReader(paths, followsModule: false)
        var judge = Judge(settings: settings.rules, identity: identity)
        if case .configuration(let found)? = slow.read(.configuration) { configured = found.limit }
        judge.configure(limit: configured, parameters: [:])
        let moment = Moment.now()
        let look = TableLook(table.read())
        _ = judge.observe(look)

        var sample = Sample(moment: moment, table: look)
        var module = ConntrackModule.absent
        if case .kernel(let kernel)? = host.read(.kernel(TableFaults(look))) {
            module = kernel.module
            sample.buckets = kernel.buckets
            sample.degraded = kernel.degraded
            if let reading = kernel.statistics {
                var stitcher = StatStitcher()
                stitcher.take(reading.perCPU, restarted: false)
                sample.stats = stitcher.total
            }
        }
        _ = judge.judge(sample)

        report = Report(identity: identity, sample: sample)
        report.isUp = false
        report.module = module
        report.firing = judge.firing
        report.baseline = settings.rules.expectMax.map { ($0, .flag) }
        report.procfs = settings.procfs
        report.netnsInode = NetworkNamespace.current()
        watch = settings.runDirectory.flatMap { OneShot.fresh($0 + "/status.json", report) }
    }

    /// What `watch` left in its run directory; nil when it is old, damaged, or about another /proc or namespace.
    private static func fresh(_ path: String, _ report: Report) -> StatusDocument? {
        guard let text = try? KernelFile.text(of: path), let document = try? StatusDocument.parse(text) else {
            return nil
        }
        let age = report.sample.moment.wall.seconds - document.timestamp
        let isFresh = age > -5 && age < 3 * document.intervalSeconds + 2
        let isSame = document.procfs == report.procfs && document.netnsInode == report.netnsInode
        return document.up && isFresh && isSame ? document : nil
    }
}
