// SPDX-License-Identifier: GPL-3.0-or-later

/// A number to reach.
enum Bar {
    case atMost(Double, String)
    case atLeast(Double, String)
    /// Equal to it, exactly.
    case exactly(Double, String)

    func holds(_ figure: Double) -> Bool {
        switch self {
        case .atMost(let bar, _): figure <= bar
        case .atLeast(let bar, _): figure >= bar
        case .exactly(let bar, _): figure == bar
        }
    }

    /// As in "≤ 2.0 ×".
    var text: String {
        switch self {
        case .atMost(_, let text): "≤ " + text
        case .atLeast(_, let text): "≥ " + text
        case .exactly(_, let text): text
        }
    }
}

/// The rows of "Numbers to reach", in its order.
enum Goal: String, CaseIterable {
    case readerBPF, readerNetlink, watch, lost, accounted, events, engine, topFloor, topConntrack
    case producer, producerNone, memory, growth, idle, limit, module, check, binary

    /// What is measured.
    var what: String {
        switch self {
        case .readerBPF: "reader CPU an event, BPF source (receive, decode, ring); entries by ctnetlink at full speed"
        case .readerNetlink: "reader CPU an event, netlink source; entries by ctnetlink at full speed"
        case .watch:
            "whole `watch` CPU an event, BPF source, sketch included; connections by packets, both losing nothing"
        case .lost: "events lost at the generator's fastest rate, defaults; entries by ctnetlink"
        case .accounted: "lost + received"
        case .events: "`events` to /dev/null, CPU an event; connections by packets, both losing nothing"
        case .engine: "engine, one record taken, each NEW from another source"
        case .topFloor: "`top` on 1,000,000 entries of 62 sources"
        case .topConntrack: "`top` on 1,000,000 entries of 62 sources"
        case .producer: "producer's rate with `watch` on; entries by ctnetlink"
        case .producerNone: "producer's rate with `watch --events none` on; entries by ctnetlink"
        case .memory: "resident memory of `watch`, idle, defaults, without the BPF ring's mapping"
        case .growth: "growth of it over many events"
        case .idle: "CPU of `watch`, idle host, defaults"
        case .limit: "limit written lower → alert line, the slowest"
        case .module: "module back → module_reloaded line, the slowest"
        case .check: "start to end of `check`"
        case .binary: "stripped binary"
        }
    }

    /// What it is compared with.
    var against: String {
        switch self {
        case .readerBPF: "BPF floor"
        case .readerNetlink: "netlink floor"
        case .watch, .events: "`conntrack -E >/dev/null`, 128 MiB of receive buffer"
        case .engine: "no kernel, no I/O"
        case .lost: "0"
        case .accounted: "what the generator made"
        case .topFloor: "dump floor, nothing parsed"
        case .topConntrack: "`conntrack -L >/dev/null`, a line an entry"
        case .producer: "dropping listener"
        case .producerNone: "no monitor"
        case .memory: "node_exporter with only its conntrack collector"
        case .growth: "the first million events"
        case .idle: "`conntrack -C` started once a second, which reads one number"
        case .limit, .module: "nothing else detects it"
        case .check: "`conntrack -C`, which reads one number"
        case .binary: ""
        }
    }

    var bar: Bar {
        switch self {
        case .readerBPF: .atMost(2, "2.0 ×")
        case .readerNetlink: .atMost(1.25, "1.25 ×")
        case .watch: .atMost(1.0 / 60, "1/60")
        case .lost: .exactly(0, "0")
        case .accounted: .exactly(0, "= made, exactly")
        case .events: .atMost(0.2, "1/5")
        case .engine: .atMost(40, "40 ns")
        case .topFloor: .atMost(1.1, "1.10 ×")
        case .topConntrack: .atMost(0.6, "0.6 ×")
        case .producer: .atLeast(0.97, "0.97 ×")
        case .producerNone: .atLeast(0.98, "0.98 ×")
        case .memory: .atMost(16, "16 MB")
        case .growth: .atMost(0.5, "0.5 MB")
        case .idle: .atMost(0.12, "0.12 % of a core")
        case .limit, .module: .atMost(150, "150 ms")
        case .check: .atMost(6, "6 ms")
        case .binary: .atMost(20, "20 MB")
        }
    }
}

/// How a row of the table came out.
enum Outcome {
    /// The figure the bar is about, and the words for what was seen.
    case measured(Double, seen: String)
    /// Why there is no figure.
    case notMeasured(String)

    /// A ratio of two sides of each round, with their medians and ends, and what else was seen.
    static func ratio(
        _ values: [Double?], to others: [Double?], unit: String, digits: Int = 2, also: String? = nil
    ) -> Outcome {
        guard let ratio = Spread(Spread.ratios(values, to: others)), let ours = Spread(values.compactMap { $0 }),
            let theirs = Spread(others.compactMap { $0 })
        else { return .notMeasured("no round gave both sides") }
        return .measured(
            ratio.median,
            seen: "\(ratio.median.text(digits)) × (\(ratio.lowest.text(digits)) to \(ratio.highest.text(digits))):"
                + " \(ours.short) against \(theirs.short) \(unit)" + (also.map { "; \($0)" } ?? ""))
    }
}

extension Goal {
    /// The row's cells: what, against, bar, seen, verdict.
    func row(_ outcome: Outcome) -> [String] {
        switch outcome {
        case .measured(let figure, let seen):
            [what, against, bar.text, seen, bar.holds(figure) ? "reached" : "**MISSED**"]
        case .notMeasured(let reason):
            [what, against, bar.text, "not measured: \(reason)", ""]
        }
    }
}
