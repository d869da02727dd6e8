// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackModel
@testable import ConntrackPublish

/// A kind of event that is not heard is in no line, no JSON, no metric and no status; one that is heard is, at 0 too.
@Suite struct KindsTests {
    private func report(_ kinds: EventGroups, _ change: (inout Sample) -> Void = { _ in }) -> Report {
        var report = Reports.full
        report.firing = []
        report.sample.kinds = kinds
        // As the collector has it: who made the entries is known of new ones.
        if !kinds.contains(.new) { report.sample.talkers = nil }
        change(&report.sample)
        return report
    }

    private func events(_ report: Report) -> String {
        StatusDocument(report).text().split(separator: "\n").first { $0.hasPrefix("  events ") }.map(String.init) ?? ""
    }

    @Test func `destroy alone`() {
        let report = report(.destroy)
        let json = StatusDocument(report).json()
        let metrics = exposition(of: report)

        #expect(statusLine(of: report).contains(" peak=50300 destroy=4088/s lost=38 "))
        #expect(json.contains("\"destroy\":4049750") && json.contains("\"destroy_per_second\":4088"))
        #expect(!json.contains("\"new") && !json.contains("\"update\"") && !json.contains("\"talkers\""), "\(json)")
        #expect(metrics.contains("conntrack_events_total{event=\"destroy\"} 4049750\n"))
        #expect(!metrics.contains("event=\"new\"") && !metrics.contains("event=\"update\""))
        #expect(!metrics.contains("conntrack_new_by_protocol_total"))
        #expect(metrics.contains("conntrack_events_lost_total{reason=\"overrun\"} 1600\n"))
        #expect(events(report) == "  events      destroy 4,049,750 (4,088/s), lost 1,638, by netlink")
    }

    @Test func `new alone`() {
        let report = report(.new)

        #expect(statusLine(of: report).contains(" peak=50300 new=4100/s lost=38 "))
        #expect(!StatusDocument(report).json().contains("\"destroy"))
        #expect(exposition(of: report).contains("conntrack_new_by_protocol_total{protocol=\"tcp\"} 3000000\n"))
        #expect(events(report) == "  events      new 4,100,000 (4,100/s), lost 1,638, by netlink")
    }

    @Test func `updates that are listened to are told, also while there are none`() {
        let report = report([.new, .update, .destroy])

        #expect(statusLine(of: report).contains(" new=4100/s destroy=4088/s update=0/s lost=38 "))
        #expect(StatusDocument(report).json().contains("\"update\":0"))
        #expect(exposition(of: report).contains("conntrack_events_total{event=\"update\"} 0\n"))
        #expect(
            events(report).hasPrefix("  events      new 4,100,000 (4,100/s), update 0, destroy 4,049,750 (4,088/s), "))
    }

    @Test func `none at all, and why`() {
        var report = report([])
        report.eventsReason = "nf_conntrack_events is 0"
        let document = StatusDocument(report)

        #expect(statusLine(of: report).contains(" peak=50300 lost=38 "))
        #expect(document.events == nil)
        #expect(document.eventsLost?.total == 1638)
        #expect(document.eventsReason == "nf_conntrack_events is 0")
        #expect(!exposition(of: report).contains("conntrack_events_total"))
        #expect(events(report) == "  events      none come, lost 1,638: nf_conntrack_events is 0")
        report.sample.lost = LostEvents()
        #expect(events(report) == "  events      none come: nf_conntrack_events is 0")
        report.sample.events = nil
        #expect(events(report) == "  events      none: nf_conntrack_events is 0")
    }

    @Test func `a rate that the table denies is left out, and its count is not`() {
        let report = report([.new, .destroy]) { $0.unheardNow = .destroy }

        #expect(statusLine(of: report).contains(" new=4100/s lost=38 "))
        #expect(!StatusDocument(report).json().contains("destroy_per_second"))
        #expect(events(report) == "  events      new 4,100,000 (4,100/s), destroy 4,049,750, lost 1,638, by netlink")
    }

    @Test(arguments: [
        (EventCounts(), LostEvents(), true), (EventCounts(new: 7551, destroy: 7551), LostEvents(), false),
        (EventCounts(), LostEvents(overrun: 1), false),
    ])
    func `an empty table is explained unless its entries were destroyed at once`(
        _ counts: EventCounts, _ lost: LostEvents, _ isExplained: Bool
    ) {
        let report = report([.new, .destroy]) {
            $0.table.entries = 0
            $0.events = counts
            $0.lost = lost
        }

        #expect(StatusDocument(report).text().contains("\n0 entries: there is no traffic, or") == isExplained)
    }
}
