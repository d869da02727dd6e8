// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing
import UnitKit

@testable import ConntrackModel
@testable import ConntrackPublish

/// The list of metrics, and docs/metrics.md, which is made of it.
@Suite struct MetricCatalogTests {
    /// docs/metrics.md. `make golden` writes it anew.
    private static var page: String {
        var text = """
            # Metrics

            What `watch --textfile FILE.prom` writes, in the Prometheus text format, for node_exporter's textfile collector:
            every 15 s (`--textfile-interval`), at once when an alert changes state, and a last time when the monitor stops.

            - A family is absent while its value is not known; 0 always means 0.
            - Every label value of a counter is there from the start, at 0. Counters never go back while the monitor runs,
              whatever becomes of the kernel's own.
            - A kind of event that is not listened to (`--events`), or does not come (alert `events_silent`), has no series, and
              `conntrack_new_by_protocol_total` goes with `new`. What was lost stays.
            - `conntrack_stat_*` are the kernel's statistics (`conntrack -S`), summed over the CPUs or, with `--per-cpu`, each with its
              `cpu`. They begin with what the kernel had counted before. One that this kernel does not have is absent.
              Where /proc has none they come by ctnetlink (of a module from 10 s after the start on), or are absent where that may not
              be asked.
            - With `--netns` everything has a `netns` label as well.
            - The file of a stopped monitor has `conntrack_mon_up 0`, the counters, `conntrack_mon_build_info` and
              `conntrack_mon_last_sample_timestamp_seconds`, and none of the other gauges.

            | name | type | labels | meaning |
            | --- | --- | --- | --- |

            """
        for family in MetricFamily.all { text += row(family) + "\n" }
        text += "\n## Values of labels\n\n"
        text +=
            "- `alert` and `level`: "
            + AlertName.allCases.map { name in
                "`\(name.rawValue)` (\(name.levels.map(\.name).joined(separator: ", ")))"
            }.joined(separator: ", ") + ".\n"
        text += values(of: "cause", DropCause.allCases.map(\.rawValue))
        text += values(of: "reason", LostEvents().byReason.map(\.name))
        text += values(of: "sink", SinkName.allCases.map(\.rawValue))
        return text
    }

    private static func values(of label: String, _ values: [String]) -> String {
        "- `\(label)`: " + values.map { "`\($0)`" }.joined(separator: ", ") + ".\n"
    }

    private static func row(_ family: MetricFamily) -> String {
        let help = family.help.replacing("|", with: "\\|")
        return "| `\(family.name)` | \(family.type) | \(family.labels) | \(help) |"
    }

    @Test func `docs metrics is the catalogue`() throws {
        try expectGolden(Self.page, "../../docs/metrics.md")
    }

    @Test(arguments: MetricFamily.all)
    func `each metric has its row there`(_ family: MetricFamily) throws {
        let lines = try readFile("\(Repository.root)/docs/metrics.md").split(separator: "\n")

        #expect(lines.count { $0 == Self.row(family) } == 1)
    }

    @Test(arguments: MetricFamily.all)
    func `names and texts keep the conventions`(_ family: MetricFamily) {
        #expect(family.name.hasPrefix("conntrack_"))
        #expect(family.name.allSatisfy { $0 == "_" || $0.isLowercase })
        #expect(family.type == (family.name.hasSuffix("_total") ? "counter" : "gauge"))
        #expect(family.help.hasSuffix("."))
        #expect(!family.help.contains("\n"))
    }

    @Test func `no name is there twice`() {
        #expect(Set(MetricFamily.all.map(\.name)).count == MetricFamily.all.count)
    }

    @Test func `each kernel statistic has a family of its own, in the kernel's order`() {
        #expect(
            MetricFamily.all.map(\.name).filter { $0.hasPrefix("conntrack_stat_") } == [
                "conntrack_stat_found_total", "conntrack_stat_invalid_total", "conntrack_stat_insert_total",
                "conntrack_stat_insert_failed_total", "conntrack_stat_drop_total", "conntrack_stat_early_drop_total",
                "conntrack_stat_error_total", "conntrack_stat_search_restart_total",
                "conntrack_stat_clash_resolve_total", "conntrack_stat_chain_toolong_total",
                "conntrack_stat_expect_new_total", "conntrack_stat_expect_create_total",
                "conntrack_stat_expect_delete_total",
            ])
    }

    // Prometheus renames a label that the target has as well: "stage" would be exported_stage where stage is an environment.
    @Test func `no label is one that targets usually have`() {
        for family in MetricFamily.all {
            let labels = Set(family.labels.split { $0 == "," || $0 == " " })
            #expect(labels.isDisjoint(with: ["job", "instance", "stage", "env", "host"]), "\(family.name)")
        }
    }
}

extension MetricFamily: CustomTestStringConvertible {
    /// Its name, which is what a failing test shows of it.
    public var testDescription: String { name }
}
