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

    /// Whether it counts packets or entries that did not get what they wanted.
    package var isTrouble: Bool {
        switch self {
        case .invalid, .insertFailed, .drop, .earlyDrop, .error, .clashResolve, .chainTooLong: true
        case .found, .insert, .searchRestart, .expectNew, .expectCreate, .expectDelete: false
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

    /// Packets dropped for another reason than a failed insert, nearly always a full table. The kernel counts a packet whose
    /// entry could not be inserted as insert_failed and as drop; nil unless both are known.
    package var otherDrop: UInt64? {
        guard let drop = self[.drop], let insertFailed = self[.insertFailed] else { return nil }
        return drop - min(drop, insertFailed)
    }

    /// The growth since `before`; nil where either is unknown.
    package static func - (now: Self, before: Self) -> Self {
        var result = Self()
        for stat in Stat.allCases {
            guard let new = now[stat], let old = before[stat] else { continue }
            result[stat] = new >= old ? new - old : 0
        }
        return result
    }
}

/// What the statistics grew by in some time.
public struct StatGrowth: Equatable, Sendable {
    /// Growth; nil where it is not known.
    public var values: StatValues
    /// In how long.
    public var span: Duration
    /// Of so many steps of that time, in how many each grew; nil = not known.
    package var risen: (in: StatValues, of: Int)?

    /// Growth in `span`.
    public init(_ values: StatValues, in span: Duration) {
        self.values = values
        self.span = span
    }

    /// The same growth in the same time, however it came about.
    public static func == (left: Self, right: Self) -> Bool {
        left.values == right.values && left.span == right.span
    }

    /// The growth of one statistic.
    public subscript(_ stat: Stat) -> UInt64? { values[stat] }

    /// Its mean rate; nil where it is not known.
    public func perSecond(_ stat: Stat) -> Double? {
        guard let value = values[stat], span > .zero else { return nil }
        return Double(value) / span.inSeconds
    }

    /// Whether it grew in at least half of that time: one burst is no state.
    package func goesOn(_ stat: Stat) -> Bool {
        guard let risen else { return true }
        return (risen.in[stat] ?? 0) * 2 >= UInt64(risen.of)
    }
}
