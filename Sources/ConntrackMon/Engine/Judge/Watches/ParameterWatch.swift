// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Follows every nf_conntrack_* setting but the limit: which values a reload or a boot has taken away, and which are
/// not what is configured. Names are without their nf_conntrack_ prefix.
package struct ParameterWatch: Sendable {
    /// A setting that is not what it was or should be.
    struct Reversion: Equatable, Sendable {
        var name: String
        var old: UInt64
        var new: UInt64
        /// Where `old` is configured, if it is.
        var place: String?

        var text: String {
            let isDefault =
                KernelDefaults.setting("nf_conntrack_" + name, release: nil) == new ? " (kernel default)" : ""
            return "\(name) \(old) -> \(new)\(isDefault)"
        }
    }

    /// What to keep for the next start.
    package struct Kept: Equatable, Sendable {
        /// The values these settings had and were content with.
        package var accepted: [String: UInt64]
        /// The values that stand in the place of accepted ones.
        package var reverted: [String: UInt64]

        /// What a state file tells; nothing by default.
        package init(accepted: [String: UInt64] = [:], reverted: [String: UInt64] = [:]) {
            self.accepted = accepted
            self.reverted = reverted
        }
    }

    /// The values these settings had and were content with.
    private(set) var accepted: [String: UInt64] = [:]
    private(set) var reverted: [Reversion] = []
    /// What configuration asks for.
    var configured: [String: ConfiguredParameter] = [:]

    /// Takes a reading. `isReload`: what differs from before was not written but came with a reload or a boot.
    mutating func observe(_ values: [String: UInt64], isReload: Bool) -> [Notice] {
        guard !values.isEmpty else { return [] }
        var changes: [String] = []
        var lost: [String: Reversion] = [:]
        for name in values.keys.sorted() {
            guard let value = values[name] else { continue }
            let before = accepted[name] ?? value
            let wasLost = reverted.first { $0.name == name && $0.place == nil }
            if value == before {
                accepted[name] = value
            } else if isReload || wasLost.map({ $0.new == value }) == true {
                lost[name] = Reversion(name: name, old: before, new: value)
            } else {
                accepted[name] = value
                changes.append("\(name) \(before) -> \(value)")
            }
            if lost[name] == nil, let configured = configured[name], configured.value != value {
                lost[name] = Reversion(name: name, old: configured.value, new: value, place: configured.place)
            }
        }
        reverted = lost.keys.sorted().compactMap { lost[$0] }
        guard !changes.isEmpty else { return [] }
        return [
            Notice(.parameterChanged, Explanation(list(changes), why: ["written while the module stayed loaded"]))
        ]
    }

    /// The values that are live now are accepted.
    mutating func acceptLive() {
        for reversion in reverted where reversion.place == nil { accepted[reversion.name] = reversion.new }
        reverted = reverted.filter { $0.place != nil }
    }

    /// Whether a reading has a value that is neither accepted nor known to be lost.
    func differs(_ values: [String: UInt64]) -> Bool {
        values.contains { name, value in
            guard let before = accepted[name], before != value else { return false }
            return reverted.first { $0.name == name && $0.place == nil }?.new != value
        }
    }

    /// What the state file says.
    mutating func restore(_ kept: Kept) {
        accepted = kept.accepted
        reverted = kept.reverted.keys.sorted().compactMap { name in
            guard let old = kept.accepted[name], let new = kept.reverted[name] else { return nil }
            return Reversion(name: name, old: old, new: new)
        }
    }

    var keep: Kept {
        let lost = reverted.filter { $0.place == nil }.map { ($0.name, $0.new) }
        return Kept(accepted: accepted, reverted: Dictionary(lost) { first, _ in first })
    }

    /// The buckets there were, where a reload left fewer.
    var lostBuckets: UInt64? {
        reverted.first { $0.name == "buckets" && $0.place == nil && $0.new < $0.old }?.old
    }

    /// "also reverted: tcp_timeout_established 86400 -> 432000 (+2 more)"; nil when nothing is.
    var aside: String? {
        let lost = reverted.filter { $0.place == nil }
        guard let first = lost.first(where: { $0.name == "tcp_timeout_established" }) ?? lost.first else { return nil }
        return "also reverted: \(first.text)" + (lost.count > 1 ? " (+\(lost.count - 1) more)" : "")
    }

    /// Settings of all namespaces together, which only the initial one can write (nf_conntrack_standalone.c).
    private static let hostOnly: Set = ["buckets", "expect_max"]

    /// What to type: here, or, where nothing else is left, in the host's namespace.
    private func fix(inInitialNamespace isInitial: Bool) -> Explanation.Fix {
        let here = reverted.filter { isInitial || !ParameterWatch.hostOnly.contains($0.name) }
        let written = here.isEmpty ? reverted : here
        let fixes = written.prefix(3).map { "net.netfilter.nf_conntrack_\($0.name)=\($0.old)" }.joined(separator: " ")
        return .init(
            "sysctl -w \(fixes)\(written.count > 3 ? " ..." : "")", label: here.isEmpty ? .hostNamespace : .here)
    }

    /// The verdict of parameters_reverted.
    func verdict(inInitialNamespace isInitial: Bool) -> Verdict {
        let places = Set(reverted.compactMap(\.place)).sorted().joined(separator: ", ")
        let against = places.isEmpty ? "" : ", against \(places)"
        return Verdict(
            .warning, if: !reverted.isEmpty,
            Explanation("\(list(reverted.map(\.text)))\(against)", fix: fix(inInitialNamespace: isInitial)),
            calm: "every setting is as it was", values: ["reverted": Double(reverted.count)])
    }

    private func list(_ texts: [String]) -> String {
        texts.prefix(5).joined(separator: ", ") + (texts.count > 5 ? " (+\(texts.count - 5) more)" : "")
    }
}
