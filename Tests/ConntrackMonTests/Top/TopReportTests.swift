// SPDX-License-Identifier: GPL-3.0-or-later

import CNetfilter
import Glibc
import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// What `top` prints.
@Suite struct TopReportTests {
    /// A table as a gateway has it: many clients, a service, DNS, pings, some NAT.
    private static let entries: [cnf_entry] = {
        var entries: [cnf_entry] = []
        for client in 0..<30 {
            let source = "10.0.\(client / 10).\(client % 10 + 1)"
            entries += (0...client).map { _ in Entries.tcp(source) }
            entries.append(Entries.tcp(source, state: UInt8(client % 10), status: 0x18))
        }
        entries += (0..<40).map { _ in
            Entries.entry(from: "2001:db8::53", to: "2001:db8::1", protocol: IPPROTO_UDP, port: 53)
        }
        entries.append(Entries.entry(from: "10.0.0.1", to: "10.0.0.2", protocol: IPPROTO_ICMP, port: 0x0800))
        entries.append(Entries.entry(from: "10.0.0.1", to: "10.0.0.2", protocol: 47, port: 0xab))
        entries.append(
            Entries.entry(from: "10.0.0.1", to: "10.0.0.2", protocol: 253, status: 0x0e) {
                $0.zone = 7; $0.mark = 0x2a
            })
        for index in entries.indices where index % 5 == 0 && entries[index].family == 2 {
            entries[index].status |= index % 10 == 0 ? 0x10 : 0x30
            Entries.set(&entries[index].reply.destination, "203.0.113.7")
            Entries.set(&entries[index].reply.source, "192.168.0.80")
        }
        return entries
    }()

    static func report(
        _ fields: [TopField], limit: Int = 10, of entries: [cnf_entry] = entries, prefix4: Int = 32,
        prefix6: Int = 128, _ change: (inout TopReport) -> Void = { _ in }
    ) -> TopReport {
        let table = TopTable.counting(entries, by: TopGrouping(fields, prefix4: prefix4, prefix6: prefix6))
        var report = TopReport(
            grouping: table.grouping, moment: .at(0), identity: Identity(host: "gw12", netns: "root"),
            entries: table.entries, truncated: 0, limit: 1000, seconds: 0.0123, isInterrupted: false,
            groups: table.groups, rows: table.largest(limit))
        change(&report)
        return report
    }

    @Test func `the largest groups, and how many more`() throws {
        try expectGolden(Self.report([.source]).text() + "\n", "top-source.txt")
        try expectGolden(Self.report([.source]).json() + "\n", "top-source.json")
    }

    @Test func `every key has its words`() throws {
        let texts = TopField.allCases.map { Self.report([$0], limit: 4).text() }
        try expectGolden(texts.joined(separator: "\n\n") + "\n", "top-keys.txt")
        let all = Self.report(TopField.allCases, limit: 0)
        try expectGolden(all.json() + "\n", "top-keys.json")
    }

    @Test func `several keys are columns in the order asked for, addresses cut to prefixes`() throws {
        let report = Self.report([.state, .port, .source], limit: 6, prefix4: 24, prefix6: 64)
        try expectGolden(report.text() + "\n", "top-prefix.txt")
    }

    @Test func `what is doubtful or unknown is said`() throws {
        let reports = [
            Self.report([.protocol]) { $0.isInterrupted = true },
            Self.report([.protocol]) { $0.truncated = 3 },
            Self.report([.protocol]) { $0.limit = 0 },
            Self.report([.protocol]) { $0.limit = nil },
            Self.report([.source], of: []),
        ]
        try expectGolden(reports.map { $0.text() }.joined(separator: "\n\n") + "\n", "top-doubtful.txt")
        try expectGolden(reports.map { $0.json() }.joined(separator: "\n") + "\n", "top-doubtful.json")
    }
}
