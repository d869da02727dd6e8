// SPDX-License-Identifier: GPL-3.0-or-later

import TestKit
import Testing

@testable import ConntrackMon

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
            - With `--netns` everything has a `netns` label as well.
            - The file of a stopped monitor has `conntrack_mon_up 0`, the counters, and none of the other gauges.

            | name | type | labels | meaning |
            | --- | --- | --- | --- |

            """
        for metric in Metric.allCases { text += row(metric) + "\n" }
        text += "\n## Values of labels\n\n"
        text +=
            "- `alert` and `level`: "
            + AlertName.allCases.map { name in
                "`\(name.rawValue)` (\(name.levels.map(\.name).joined(separator: ", ")))"
            }.joined(separator: ", ") + ".\n"
        text += "- `cause`: " + DropCause.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ") + ".\n"
        text +=
            "- `stat`: " + Stat.allCases.map { "`\($0.name)`" }.joined(separator: ", ") + "; those the kernel has.\n"
        return text
    }

    private static func row(_ metric: Metric) -> String {
        let help = metric.help.replacing("|", with: "\\|")
        return "| `\(metric.rawValue)` | \(metric.type) | \(metric.labels) | \(help) |"
    }

    @Test func `docs metrics is the catalogue`() throws {
        try expectGolden(Self.page, "../../docs/metrics.md")
    }

    @Test(arguments: Metric.allCases)
    func `each metric has its row there`(_ metric: Metric) throws {
        let lines = try readFile("\(Repository.root)/docs/metrics.md").split(separator: "\n")

        #expect(lines.count { $0 == Self.row(metric) } == 1)
    }

    @Test(arguments: Metric.allCases)
    func `names and texts keep the conventions`(_ metric: Metric) {
        #expect(metric.rawValue.hasPrefix("conntrack_"))
        #expect(metric.rawValue.allSatisfy { $0 == "_" || $0.isLowercase })
        #expect(metric.type == (metric.rawValue.hasSuffix("_total") ? "counter" : "gauge"))
        #expect(metric.help.hasSuffix("."))
        #expect(!metric.help.contains("\n"))
    }
}
