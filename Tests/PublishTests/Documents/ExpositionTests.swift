// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing
import UnitKit

@testable import ConntrackModel
@testable import ConntrackPublish

/// The Prometheus text, against golden files and the program that checks it.
@Suite struct ExpositionTests {
    private static let reports = [
        NamedReport("full", Reports.full), NamedReport("minimal", Reports.minimal),
        NamedReport("stopped", Reports.stopped), NamedReport("per-cpu", Reports.perCPU),
        NamedReport("netns", Reports.inNamespace),
    ]

    @Test(arguments: reports)
    func `the exposition is as before`(_ named: NamedReport) throws {
        try expectGolden(exposition(of: named.report), "exposition-\(named.name).prom")
    }

    @Test(.enabled(if: Requirement.met(.program("promtool"))), arguments: reports)
    func `promtool finds nothing to say`(_ named: NamedReport) throws {
        let checked = try Command("promtool", "check", "metrics", input: exposition(of: named.report)).run()

        #expect(checked.status == .exited(0), "\(checked)")
        #expect(checked.standardError == "")
    }

    private func families(_ report: Report) -> [Substring] {
        exposition(of: report).split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
            .map { $0.split(separator: " ")[2] }
    }

    @Test func `a full report has every family, in the catalogue's order`() {
        var report = Reports.full
        for stat in Stat.allCases { report.sample.stats?[stat] = 1 }
        let destination = Flow.Endpoint(AddressPrefix(.of("198.51.100.7")), protocol: .tcp, port: 443)
        var ports = NATPorts()
        ports.uses = [
            NATPortUse(address: .of("192.0.2.1"), destination: destination, used: 990, range: NATPortRange.own[0])
        ]
        report.sample.natPorts = ports

        #expect(families(report) == MetricFamily.all.map { $0.name[...] })
    }

    @Test func `what is not known is absent`() {
        let text = exposition(of: Reports.minimal)

        #expect(!text.contains("conntrack_entries"))
        #expect(!text.contains("conntrack_usage_ratio"))
        #expect(!text.contains("conntrack_events_total"))
        #expect(text.contains("\nconntrack_module_loaded 0\n"))
        #expect(text.contains("\nconntrack_mon_up 1\n"))
    }

    @Test func `a stopped monitor leaves counters, and no gauge that would look alive`() {
        let gauges = exposition(of: Reports.stopped).split(separator: "\n").filter { $0.hasSuffix(" gauge") }

        #expect(
            gauges.map { $0.split(separator: " ")[2] } == [
                "conntrack_mon_up", "conntrack_mon_build_info", "conntrack_mon_last_sample_timestamp_seconds",
            ])
        #expect(exposition(of: Reports.stopped).contains("\nconntrack_mon_up 0\n"))
        #expect(exposition(of: Reports.stopped).contains("\nconntrack_limit_drops_total{cause=\"module_reload\"} 1\n"))
    }

    @Test func `an unlimited table has a limit of 0 and no usage`() {
        var report = Reports.full
        report.sample.table.limit = 0
        let text = exposition(of: report)

        #expect(text.contains("\nconntrack_entries_limit 0\n"))
        #expect(!text.contains("conntrack_usage_ratio"))
        #expect(!text.contains("conntrack_time_to_full_seconds"))
    }

    @Test(arguments: [
        ("plain", "plain"), ("a\"b", "a\\\"b"), ("a\\b", "a\\\\b"), ("a\nb", "a\\nb"), ("a\r\nb", "a\r\\nb"),
        ("grün", "grün"),
    ])
    func `a label's value is escaped`(_ value: String, _ escaped: String) {
        var report = Reports.minimal
        report.netnsLabel = value

        #expect(exposition(of: report).contains("\nconntrack_mon_up{netns=\"\(escaped)\"} 1\n"))
    }

    @Test func `every label value of a counter is there from the start`() {
        var report = Reports.minimal
        report.sample.events = EventCounts()
        let text = exposition(of: report)

        for line in [
            "conntrack_events_total{event=\"new\"} 0", "conntrack_events_lost_total{reason=\"truncated\"} 0",
            "conntrack_events_lost_total{reason=\"malformed\"} 0", "conntrack_mon_sink_lost_total{sink=\"hook\"} 0",
            "conntrack_new_by_protocol_total{protocol=\"sctp\"} 0", "conntrack_limit_drops_total{cause=\"reboot\"} 0",
        ] {
            #expect(text.contains("\n\(line)\n"))
        }
        for name in AlertName.allCases {
            #expect(text.contains("conntrack_alert_firing{alert=\"\(name.rawValue)\","), "\(name)")
        }
    }

    @Test func `what an output lost is told by its name, and the others lost nothing`() {
        var report = Reports.minimal
        report.sinkLost = [("hook", 3)]
        let text = exposition(of: report)

        for line in ["{sink=\"lines\"} 0", "{sink=\"files\"} 0", "{sink=\"hook\"} 3"] {
            #expect(text.contains("\nconntrack_mon_sink_lost_total\(line)\n"))
        }
    }

    @Test func `the version is constant, and the source of events has a metric of its own`() {
        var report = Reports.full
        report.source = "bpf"
        let text = exposition(of: report)

        #expect(text.contains("\nconntrack_mon_build_info{version=\"\(conntrackMonVersion)\"} 1\n"))
        #expect(text.contains("\nconntrack_mon_event_source_info{source=\"bpf\"} 1\n"))
    }

    @Test func `a look later than the sample never shows more entries than their peak`() {
        var report = Reports.full
        report.sample.table.entries = 50_301
        let status = StatusDocument(report)

        #expect(exposition(of: report).contains("\nconntrack_entries_peak 50301\n"))
        #expect(statusLine(of: report).contains(" peak=50301 "))
        #expect(status.text().contains("highest in 2 minutes 50,301"))
        report.sample.entriesPeakDay = 50_000
        #expect(StatusDocument(report).entriesPeakDay == 50_301)
        report.sample.entriesPeak = nil
        #expect(report.entriesPeak == nil)
    }

    @Test func `what is found twice is one series that counts to two`() {
        func finding(_ id: String, _ severity: FindingSeverity) -> Finding {
            Finding(id: id, severity: severity, summary: "", evidence: [], cure: "")
        }
        var report = Reports.full
        report.doctor?.findings = [
            finding("bad_value", .warning), finding("ufw_writes", .warning), finding("bad_value", .warning),
            finding("ufw_writes", .info),
        ]
        let lines = exposition(of: report).split(separator: "\n").filter { $0.hasPrefix("conntrack_doctor_findings") }

        #expect(
            lines == [
                "conntrack_doctor_findings{finding=\"bad_value\",severity=\"warning\"} 2",
                "conntrack_doctor_findings{finding=\"ufw_writes\",severity=\"warning\"} 1",
                "conntrack_doctor_findings{finding=\"ufw_writes\",severity=\"info\"} 1",
            ])
    }
}
