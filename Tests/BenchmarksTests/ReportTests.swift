// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import Benchmarks

struct ReportTests {
    @Test func `a bar that is missed says so, in capitals`() {
        let figures: [(Goal, Double, String)] = [
            (.readerBPF, 2.0, "reached"), (.readerBPF, 2.01, "**MISSED**"), (.producer, 0.97, "reached"),
            (.producer, 0.969, "**MISSED**"), (.lost, 0, "reached"), (.lost, 1, "**MISSED**"),
            (.accounted, -1, "**MISSED**"),
        ]
        for (goal, figure, verdict) in figures {
            #expect(goal.row(.measured(figure, seen: "as seen")).last == verdict, "\(goal) \(figure)")
        }
    }

    @Test func `a row that was not measured says why, and neither reached nor missed`() {
        #expect(
            Goal.events.row(.notMeasured("no such command yet")) == [
                "`events` to /dev/null, CPU an event; connections by packets, both losing nothing",
                "`conntrack -E >/dev/null`, 128 MiB of receive buffer", "≤ 1/5",
                "not measured: no such command yet", "",
            ])
    }

    @Test func `a ratio is the median of the rounds' ratios, with their ends and both sides`() {
        let outcome = Outcome.ratio([2, 6, nil, 4], to: [1, 2, 3, 1], unit: "µs")
        guard case .measured(let figure, let seen) = outcome else {
            Issue.record("not measured")
            return
        }
        #expect(figure == 3)
        #expect(seen == "3.00 × (2.00 to 4.00): 4.00 (2.00 to 6.00) against 1.50 (1.00 to 3.00) µs")
    }

    @Test func `without a round that has both sides there is no ratio`() {
        guard case .notMeasured = Outcome.ratio([nil, 1], to: [1, nil], unit: "µs") else {
            Issue.record("measured")
            return
        }
    }

    @Test func `a table is Markdown`() {
        var table = Table(header: ["a", "b"])
        table.rows.append(["1", ""])
        #expect(table.markdown == "| a | b |\n| --- | --- |\n| 1 |  |\n")
    }

    @Test func `only what stands between the two comments of a part is replaced`() throws {
        let before =
            "# Title\n<!-- bench: a -->\nold\n<!-- /bench: a -->\nprose\n<!-- bench: b -->\n<!-- /bench: b -->\n"
        let after =
            "# Title\n<!-- bench: a -->\nnew\n<!-- /bench: a -->\nprose\n<!-- bench: b -->\nb\n<!-- /bench: b -->\n"
        let first = try #require(Document(before).replacing("a", with: "new\n"))
        #expect(first.replacing("b", with: "b\n")?.text == after)
    }

    @Test(arguments: [
        "no comments\n", "<!-- bench: x -->\nnever closed\n", "<!-- /bench: x -->\n<!-- bench: x -->\n",
        "<!-- bench: x -->\n<!-- /bench: x -->\n<!-- bench: x -->\n<!-- /bench: x -->\n",
    ])
    func `a document whose comments do not hold together is not written to`(text: String) {
        #expect(Document(text).replacing("x", with: "new") == nil)
    }
}
