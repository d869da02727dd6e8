// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel
internal import Testing

/// A report with a name, which is what a failing test shows of it.
package struct NamedReport: CustomTestStringConvertible {
    package var name: String
    package var report: Report

    package init(_ name: String, _ report: Report) {
        self.name = name
        self.report = report
    }

    package var testDescription: String { name }
}

/// Reports as the golden files show them.
package enum Reports {
    package static let identity = Identity(host: "gw12", netns: "root")

    /// Everything is known, and some of it is wrong.
    package static var full: Report {
        var report = Report(identity: identity, sample: sample)
        report.firing = firing
        report.reloads = 1
        report.drops = [.moduleReload: 1]
        report.baseline = (1_048_576, .accepted)
        report.module = .loaded
        report.parameters = [("nf_conntrack_max", 65_536), ("nf_conntrack_tcp_timeout_established", 432_000)]
        report.source = "netlink"
        report.netnsInode = 4_026_531_840
        report.doctor = DoctorReport(
            reloadWouldUnload: true, why: [], reloadLimit: 65_536, limit: 65_536, module: .loaded, settings: [],
            findings: [
                Finding(id: "boot_race", severity: .warning, summary: "said at boot", evidence: [], cure: "")
            ])
        return report
    }

    /// Over --event-budget: rates are estimates.
    package static var estimated: Report {
        var report = full
        report.firing = []
        report.sample.duty?.ratio = 0.0512
        report.sample.duty?.isOverBudget = true
        report.sample.isPartial = true
        report.sample.newEstimate = 41_000.4
        report.sample.destroyEstimate = 40_900
        return report
    }

    /// Over --event-budget, and not joined again.
    package static var hindered: Report {
        var report = estimated
        report.sample.duty?.ratio = 0
        report.sample.newEstimate = nil
        report.sample.destroyEstimate = nil
        report.eventsReason =
            "the event groups are left (--event-budget) and not joined again: nf_conntrack_netlink is not loaded"
        return report
    }

    /// No look came in time.
    package static var late: Report {
        var report = full
        report.sample.age = .milliseconds(12_340)
        report.sample.gap = .milliseconds(12_340)
        report.sample.fillRate = nil
        report.sample.eventsNow = nil
        report.sample.statsNow = nil
        report.sample.lostNow = LostEvents()
        return report
    }

    /// nf_conntrack is not there, and nothing is listened to.
    package static var minimal: Report {
        Report(identity: identity, sample: Sample(moment: .at(0), table: .gone(at: 0)))
    }

    /// What a stopped monitor leaves.
    package static var stopped: Report {
        var report = full
        report.isUp = false
        return report
    }

    package static var perCPU: Report {
        var report = full
        report.perCPU = true
        return report
    }

    package static var inNamespace: Report {
        var report = full
        report.identity.netns = "blue"
        report.netnsLabel = "blue"
        return report
    }

    private static var sample: Sample {
        var sample = Sample.at(1, entries: 50_250, limit: 65_536)
        sample.buckets = 16_384
        sample.entriesPeak = 50_300
        sample.entriesPeakDay = 412_003
        sample.fillRate = 12.5
        sample.events = EventCounts(new: 4_100_000, destroy: 4_049_750)
        sample.kinds = [.new, .destroy]
        sample.eventsNow = EventCounts(new: 4100, destroy: 4088)
        sample.duty = EventDuty(settledAt: Moment.at(1).monotonic)
        sample.newByProtocol = [6: 3_000_000, 17: 1_099_000, 1: 900, 89: 100]
        sample.talkers = talkers
        sample.lost = LostEvents(overrun: 1600, dropped: 38)
        sample.lostNow = LostEvents(dropped: 38)
        let first = StatValues([.found: 90, .insertFailed: 3, .drop: 4, .earlyDrop: 0, .searchRestart: 2])
        let second = StatValues([.found: 10, .insertFailed: 0, .drop: 1, .earlyDrop: 0, .searchRestart: 0])
        sample.statsPerCPU = [first, second]
        sample.stats = StatValues([.found: 100, .insertFailed: 3, .drop: 5, .earlyDrop: 0, .searchRestart: 2])
        sample.statsNow = StatValues([.insertFailed: 0, .drop: 2, .earlyDrop: 0])
        sample.ringCapacity = 65_536
        sample.ringPeak = 812
        sample.cpuSeconds = 3.25
        return sample
    }

    /// A minute in which one host resolves names, and few sources; a longer time with more of them than counters.
    package static var talkers: Talkers {
        func source(_ address: String, _ atLeast: UInt64, _ error: UInt64) -> Talker {
            .source(address, atLeast: atLeast, atMost: atLeast + error)
        }
        func destination(_ address: String, _ port: UInt16, _ number: Int, _ atLeast: UInt64, _ error: UInt64) -> Talker
        {
            .destination(address, port, protocol: UInt8(number), atLeast: atLeast, atMost: atLeast + error)
        }
        var minute = TalkerWindow(span: .milliseconds(58_200), new: 41_000)
        minute.sources.top = [
            source("203.0.113.9", 34_120, 0), source("2001:db8:1:2:3::4", 4120, 0), source("192.0.2.8", 12, 0),
        ]
        minute.destinations.top = [
            destination("198.51.100.7", 53, 17, 32_841, 60), destination("2001:db8::1", 443, 6, 4100, 60),
            destination("198.51.100.8", 0, 1, 410, 60), destination("198.51.100.7", 53, 6, 31, 60),
        ]
        minute.destinations.othersAtMost = 70
        var sinceStart = TalkerWindow(span: .seconds(11_100), new: 4_100_000, lost: 1638)
        sinceStart.sources.top = [source("203.0.113.9", 34_120, 8000), source("192.0.2.8", 20_000, 8000)]
        sinceStart.sources.othersAtMost = 9000
        sinceStart.destinations.othersAtMost = 8000
        return Talkers(minute: minute, sinceStart: sinceStart)
    }

    private static var firing: [FiringAlert] {
        [
            FiringAlert(
                name: .limitDropped, level: .critical, since: .at(-60),
                summary: "nf_conntrack_max 1048576 -> 65536 (module reloaded 2.1s ago)"),
            FiringAlert(name: .usageHigh, level: .warning, since: .at(-30), summary: "50250 of 65536 entries (76.7%)"),
            FiringAlert(
                name: .monitorDegraded, subject: "textfile", level: .warning, since: .at(-5),
                summary: "textfile: cannot write /x/.a.prom.1.tmp: No space left on device"),
        ]
    }

    /// A line of every level and state.
    package static var announcements: [Announcement] {
        func said(
            _ at: Double, _ name: String, _ state: Announcement.State, _ summary: String, _ level: Level? = nil
        ) -> Announcement {
            Announcement(time: Moment.at(at).wall, name: name, state: state, level: level, summary: summary)
        }
        var reloaded = said(0, "module_reloaded", .notice, "nf_conntrack was unloaded and loaded again")
        reloaded.incident = "reload-2026-11-24T05:47:02.310Z"
        reloaded.values = ["reloads": 1]
        var dropped = said(2, "limit_dropped", .firing, "nf_conntrack_max 1048576 -> 65536", .critical)
        dropped.incident = reloaded.incident
        dropped.values = ["limit_before": 1_048_576, "limit": 65_536, "share": 0.0625]
        var degraded = said(3, "monitor_degraded", .firing, "textfile: a path\nwith a \u{1b}[31mtrick\" \\", .warning)
        degraded.subject = "textfile"
        var forecast = said(4, "fill_forecast", .repeating, "full in 8m20s", .warning)
        forecast.values = ["seconds_to_full": 500, "unknown": .infinity]
        return [
            said(-1, "monitor", .log, "conntrack-mon watches"), reloaded, dropped, degraded, forecast,
            said(5, "limit_dropped", .repeating, "nf_conntrack_max 1048576 -> 65536", .critical),
            said(128.1, "limit_dropped", .resolved, "after 126.1s: nf_conntrack_max is 1048576", .critical),
        ]
    }
}

extension DoctorReport {
    /// Nothing was found.
    package static var nothing: DoctorReport {
        DoctorReport(
            reloadWouldUnload: nil, why: [], reloadLimit: nil, limit: nil, module: nil, settings: [], findings: [])
    }
}
