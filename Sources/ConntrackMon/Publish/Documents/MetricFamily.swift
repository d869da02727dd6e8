// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// A metric family: what HELP, TYPE and docs/metrics.md say of it, and its series in a report.
struct MetricFamily: Sendable {
    /// One line of the exposition, without the name and the netns label.
    struct Series: Sendable {
        var labels: [(name: String, value: String)] = []
        var value: String
    }

    let name: String
    /// The labels beside netns, for docs/metrics.md; "" for none.
    let labels: String
    /// One sentence, no line feed.
    let help: String
    /// A gauge that the file of a stopped monitor keeps: any other in there would look alive.
    let staysWhenStopped: Bool
    /// Its series; none when nothing is known. Every label value of a counter is there from the start.
    let series: @Sendable (Report) -> [Series]

    init(
        _ name: String, labels: String = "", staysWhenStopped: Bool = false, _ help: String,
        series: @escaping @Sendable (Report) -> [Series]
    ) {
        self.name = name
        self.labels = labels
        self.staysWhenStopped = staysWhenStopped
        self.help = help
        self.series = series
    }

    /// The TYPE line's word.
    var type: String { name.hasSuffix("_total") ? "counter" : "gauge" }

    /// Whether it stays in the file that a stopped monitor leaves.
    var outlivesMonitor: Bool { type == "counter" || staysWhenStopped }
}

extension [MetricFamily.Series] {
    static func one(_ value: UInt64?) -> Self { value.map { [Element(value: "\($0)")] } ?? [] }

    static func one(_ value: Double?) -> Self { value.map { [Element(value: number($0))] } ?? [] }

    static func one(_ value: Bool?) -> Self { value.map { [Element(value: $0 ? "1" : "0")] } ?? [] }

    /// A series for each value of one label.
    static func each(_ label: String, _ values: [(name: String, value: UInt64)]) -> Self {
        values.map { Element(labels: [(label, $0.name)], value: "\($0.value)") }
    }

    /// A 1 that carries labels.
    static func info(_ label: String, _ value: String?) -> Self {
        value.map { [Element(labels: [(label, $0)], value: "1")] } ?? []
    }

    /// A float as Prometheus reads it; a whole one without its point.
    private static func number(_ value: Double) -> String {
        value == value.rounded() && value.magnitude < 1e15 ? "\(Int64(value))" : "\(value)"
    }
}
