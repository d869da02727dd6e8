// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import FoundationEssentials
internal import Glibc

/// One look, for `check` and `status`: the same reader, collector and judge as `watch`, once.
public struct OneShot {
    /// The report of this look alone.
    public var report: Report
    /// What a running `watch` says about the same table, if it is fresh.
    public var watch: StatusDocument?

    /// What sysctl configuration says the limit should be.
    public var configured: ConfiguredLimit?

    /// Looks at the table under `settings.procfs`, at the configuration, and at `settings.runDirectory`.
    public init(_ settings: Settings, host: String) {
        let identity = Identity(host: host, netns: NetworkNamespace.label(entered: settings.netns))
        let module = ConntrackModule.look(sysfs: settings.sysfs)
        var table = TableReader(procfs: settings.procfs)
        var judge = Judge(settings: settings.rules, identity: identity)
        var around = SurroundingsReader(procfs: settings.procfs, module: module)
        configured = ConfiguredLimit.of(settings)
        judge.configure(limit: configured, parameters: [:])
        let moment = Moment.now()
        let look = TableLook(table.read())
        _ = judge.observe(look)

        let surroundings = around.read(at: moment, look: look)
        var sample = Sample(moment: moment, table: look)
        sample.buckets = surroundings.buckets
        sample.degraded = surroundings.degraded
        if let reading = surroundings.statistics {
            var stitcher = StatStitcher()
            stitcher.take(reading.perCPU, restarted: false)
            sample.stats = stitcher.total
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
