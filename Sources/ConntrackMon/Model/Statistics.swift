// SPDX-License-Identifier: GPL-3.0-or-later

/// The kernel's per-CPU statistics, under the names of INTERFACE and in the order of `enum cnf_stat`.
public enum Stat: Int, CaseIterable, Sendable {
    // The kernel's words for each, from net/netfilter/nf_conntrack_standalone.c.
    case found, invalid, insert, insertFailed, drop, earlyDrop, error, searchRestart, clashResolve, chainTooLong
    case expectNew, expectCreate, expectDelete

    /// As metrics and JSON spell it.
    public var name: String {
        switch self {
        case .found: "found"
        case .invalid: "invalid"
        case .insert: "insert"
        case .insertFailed: "insert_failed"
        case .drop: "drop"
        case .earlyDrop: "early_drop"
        case .error: "error"
        case .searchRestart: "search_restart"
        case .clashResolve: "clash_resolve"
        case .chainTooLong: "chain_toolong"
        case .expectNew: "expect_new"
        case .expectCreate: "expect_create"
        case .expectDelete: "expect_delete"
        }
    }

    /// The column of /proc/net/stat/nf_conntrack. Kernel 5.15 shows chain_toolong under `chainlength`.
    static func column(_ name: Substring) -> Stat? {
        switch name {
        case "icmp_error": .error
        case "clashres": .clashResolve
        case "chainlength": .chainTooLong
        default: allCases.first { $0.name == name }
        }
    }
}

/// A value for each statistic that this kernel has; the others are nil.
public struct StatValues: Equatable, Sendable {
    private var values = [UInt64?](repeating: nil, count: Stat.allCases.count)

    /// Nothing known.
    public init() {}

    /// The value of one statistic.
    public subscript(_ stat: Stat) -> UInt64? {
        get { values[stat.rawValue] }
        set { values[stat.rawValue] = newValue }
    }

    /// Whether nothing is known.
    public var isEmpty: Bool { values.allSatisfy { $0 == nil } }

    /// The growth since `before`; nil where either is unknown.
    static func - (now: Self, before: Self) -> Self {
        var result = Self()
        for stat in Stat.allCases {
            guard let new = now[stat], let old = before[stat] else { continue }
            result[stat] = new >= old ? new - old : 0
        }
        return result
    }
}

/// Parses /proc/net/stat/nf_conntrack: a line of column names, then a line of hexadecimal u32 a CPU, in the order of
/// possible CPUs. Columns are matched by name: kernels differ in how many there are and what they are called.
/// nil when the text is not such a table.
func parseStatistics(_ text: String) -> [StatValues]? {
    var lines = text.split(separator: "\n").makeIterator()
    guard let header = lines.next()?.split(separator: " "), header.first == "entries" else { return nil }
    let columns = header.map(Stat.column)
    var cpus: [StatValues] = []
    while let line = lines.next() {
        let fields = line.split(separator: " ")
        guard fields.count == columns.count else { return nil }
        var values = StatValues()
        for (stat, field) in zip(columns, fields) {
            guard let value = UInt32(field, radix: 16) else { return nil }
            if let stat { values[stat] = UInt64(value) }
        }
        cpus.append(values)
    }
    return cpus.isEmpty ? nil : cpus
}

/// Makes totals that never go back out of per-CPU u32 that wrap and, with a reload, start again at 0.
struct StatStitcher: Sendable {
    private var last: [StatValues] = []
    /// Totals a CPU since the monitor began, starting from what the kernel had then.
    private(set) var perCPU: [StatValues] = []

    /// Takes a new reading; `restarted` = the counters began anew since the last one.
    mutating func take(_ reading: [StatValues], restarted: Bool) {
        for (cpu, values) in reading.enumerated() {
            if cpu >= perCPU.count { perCPU.append(StatValues()) }
            for stat in Stat.allCases {
                guard let value = values[stat] else { continue }
                let before = cpu < last.count ? last[cpu][stat] : nil
                let growth = restarted ? value : before.map { UInt64(UInt32(value) &- UInt32($0)) } ?? value
                perCPU[cpu][stat] = (perCPU[cpu][stat] ?? 0) + growth
            }
        }
        last = reading
    }

    /// The sum over all CPUs; nil before the first reading.
    var total: StatValues? {
        guard !perCPU.isEmpty else { return nil }
        var sum = StatValues()
        for values in perCPU {
            for stat in Stat.allCases {
                guard let value = values[stat] else { continue }
                sum[stat] = (sum[stat] ?? 0) + value
            }
        }
        return sum
    }
}
