// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel

/// What a terminal view would have seen of hosts that are made up.
package struct LiveStory: Sendable {
    /// What comes, in its order.
    package enum Step: Sendable {
        case report(Report)
        case said(Announcement)
    }

    /// Its name in golden files.
    package var name: String
    package var steps: [Step] = []

    private init(_ name: String) {
        self.name = name
    }

    /// All of them.
    package static var all: [LiveStory] { [quiet, filling, reload, noEvents] }

    private static func report(_ second: Int, entries: UInt64, limit: UInt64) -> Report {
        let time = Double(second)
        var sample = Sample.at(time, entries: entries, limit: limit)
        sample.buckets = 65_536
        sample.entriesPeak = entries + 40
        sample.entriesPeakSecond = entries + 40
        sample.entriesPeakDay = 210_044
        sample.peakKnownFor = .seconds(86_400)
        sample.events = EventCounts(new: UInt64(second) * 410, destroy: UInt64(second) * 409)
        sample.kinds = [.new, .destroy]
        sample.eventsNow = EventCounts(new: 410, destroy: 409)
        sample.duty = EventDuty(settledAt: Moment.at(time).monotonic)
        sample.eventLoadMinute = 0.0021
        sample.stats = StatValues([.found: 90, .insertFailed: 3, .drop: 4, .earlyDrop: 0, .chainTooLong: 0])
        sample.statsNow = StatValues([.found: 0, .insertFailed: 0, .drop: 0, .earlyDrop: 0, .chainTooLong: 0])
        sample.statsMinute = StatGrowth(StatValues([.insertFailed: 1, .drop: 1, .earlyDrop: 0]), in: .seconds(60))
        sample.statsPerCPU = [
            StatValues([.found: 60, .insertFailed: 3, .drop: 4, .earlyDrop: 0, .chainTooLong: 0]),
            StatValues([.found: 30, .insertFailed: 0, .drop: 0, .earlyDrop: 0, .chainTooLong: 0]),
        ]
        sample.talkers = Reports.talkers
        sample.cpuSeconds = time * 0.004
        var report = Report(identity: Reports.identity, sample: sample)
        report.module = .loaded
        report.source = "bpf"
        report.baseline = (limit, .accepted)
        report.thresholds = (0.75, 0.9)
        report.parameters = [
            ("nf_conntrack_max", limit), ("nf_conntrack_buckets", 65_536),
            ("nf_conntrack_tcp_timeout_established", 86_400),
            ("nf_conntrack_acct", 0),
        ]
        return report
    }

    private static func said(
        _ second: Int, _ name: String, _ state: Announcement.State, _ level: Level?, _ text: String
    ) -> Step {
        .said(Announcement(time: Moment.at(Double(second)).wall, name: name, state: state, level: level, summary: text))
    }

    /// Like day and night, a little.
    private static func swing(_ second: Int) -> UInt64 { UInt64(abs(second % 60 - 30)) * 20 }

    /// Nothing happens for three minutes.
    package static var quiet: LiveStory {
        var story = LiveStory("quiet")
        story.steps = [
            said(0, "monitor", .log, nil, "conntrack-mon watches /proc/sys/net/netfilter every 100ms")
        ]
        for second in 1...180 {
            story.steps.append(.report(report(second, entries: 61_000 + swing(second), limit: 262_144)))
        }
        return story
    }

    /// It fills up, and two alerts say so.
    package static var filling: LiveStory {
        var story = LiveStory("filling")
        for second in 1...240 {
            let entries = 30_000 + UInt64(second) * 140
            var report = report(second, entries: entries, limit: 65_536)
            report.sample.fillRate = 140
            report.sample.fillRateRecent = 140
            let high = "\(entries) of 65536 entries (\(percent(Double(entries) / 65_536)), threshold 75%)"
            if second == 172 {
                story.steps.append(
                    said(
                        second, "fill_forecast", .firing, .warning,
                        "full in 1m23s at 140.0 more entries a second; next: conntrack-mon top"))
                story.steps.append(
                    said(
                        second, "usage_high", .firing, .warning,
                        "\(high); 203.0.113.9 made 83% of the new entries of the last minute"))
            }
            if second >= 172 {
                report.firing = [
                    FiringAlert(
                        name: .usageHigh, level: second < 220 ? .warning : .critical, since: .at(172),
                        summary: "\(high); 203.0.113.9 made 83% of the new entries of the last minute;"
                            + " next: conntrack-mon top --by source,destination,port"),
                    FiringAlert(
                        name: .monitorDegraded, subject: "textfile", level: .warning, since: .at(100),
                        summary: "textfile: cannot write /x/.a.prom.1.tmp: No space left on device"),
                ]
            }
            story.steps.append(.report(report))
        }
        return story
    }

    /// A firewall restart unloaded the module, and the limit fell.
    package static var reload: LiveStory {
        var story = LiveStory("reload")
        for second in 1...150 {
            let isAfter = second > 100
            let entries: UInt64 = isAfter ? UInt64(second - 100) * 300 : 212_000 + swing(second)
            var report = report(second, entries: entries, limit: isAfter ? 65_536 : 1_048_576)
            report.baseline = (1_048_576, .configuration)
            if second == 101 {
                story.steps += [
                    said(second, "module_reloaded", .notice, nil, "nf_conntrack was unloaded and loaded again"),
                    said(second, "limit_dropped", .firing, .critical, fallen),
                ]
            }
            if isAfter {
                report.reloads = 1
                report.firing = [
                    FiringAlert(name: .limitDropped, level: .critical, since: .at(101), summary: fallen)
                ]
            }
            report.doctor = doctor
            story.steps.append(.report(report))
        }
        return story
    }

    private static let fallen =
        "nf_conntrack_max 1048576 -> 65536 (default of this kernel; module reloaded 2.1s ago, 212003 tracked connections"
        + " forgotten); 24h peak 210044 is 320% of the new limit; fix: sysctl -w net.netfilter.nf_conntrack_max=1048576;"
        + " prevent: conntrack-mon doctor"

    private static var doctor: DoctorReport {
        var limit = OutlookRow(
            name: "nf_conntrack_max", now: 65_536, afterReload: 65_536, configured: 1_048_576, afterReboot: 1_048_576)
        limit.afterReloadBy = "this kernel's default"
        limit.afterRebootBy = "systemd-sysctl (/etc/sysctl.d/90-conntrack.conf:3)"
        return DoctorReport(
            reloadWouldUnload: true, why: [], reloadLimit: 65_536, limit: 65_536, module: .loaded, settings: [limit],
            findings: [])
    }

    /// Nothing tells of entries, and statistics cannot be had.
    package static var noEvents: LiveStory {
        var story = LiveStory("no-events")
        for second in 1...20 {
            var sample = Sample.at(Double(second), entries: 812, limit: 0)
            sample.cpuSeconds = Double(second) * 0.002
            var report = Report(
                identity: Identity(host: "edge", netns: "blue", isInitialNamespace: false), sample: sample)
            report.eventsReason = "listening for events needs CAP_NET_ADMIN"
            report.module = .loaded
            story.steps.append(.report(report))
        }
        return story
    }
}
