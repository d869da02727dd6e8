// SPDX-License-Identifier: GPL-3.0-or-later

package import ConntrackModel

/// What to type against a table or a hash that is too small, so that it helps on this host and harms nothing: never a
/// sysctl that another program writes again, never a limit without its buckets, and elsewhere than here where it is
/// read-only here.
package enum Cure {
    /// What a 64 bit kernel's slab usually holds of an entry.
    private static let bytesPerEntry: UInt64 = 320
    /// Of the memory, for a table that is full.
    private static let memoryPart: UInt64 = 4
    /// nf_conntrack_max is an int.
    private static let highest = UInt64(Int32.max)

    /// Twice the limit, with buckets in the ratio they have. nil where there is no limit.
    static func raise(_ sample: Sample, _ context: RuleContext) -> Explanation.Fix? {
        guard let limit = sample.table.limit, limit > 0 else { return nil }
        let label = label(context)
        let wanted = min(limit, highest / 2) * 2
        if let program = context.origin?.undoer(of: wanted) {
            return .init("\(program.cure): \(program.text)")
        }
        if let memory = context.origin?.memory, wanted > memory / memoryPart / bytesPerEntry {
            return .init(
                "raise nf_conntrack_max and nf_conntrack_buckets as far as memory allows, \(bytesPerEntry) bytes an entry",
                label: label)
        }
        guard let buckets = sample.buckets, buckets > 0 else {
            return .init(
                "sysctl -w net.netfilter.nf_conntrack_max=\(wanted), and nf_conntrack_buckets to match", label: label)
        }
        return .init(set(limit: wanted, buckets: scaled(buckets, from: limit, to: wanted), context), label: label)
    }

    /// A limit that is to be put back, with its buckets where they are to be set too, `guess` being who chose the live one.
    static func restore(
        limit: UInt64, buckets: UInt64?, instead guess: LimitOrigin.Guess?, _ context: RuleContext
    ) -> Explanation.Fix {
        let write = set(limit: limit, buckets: buckets, context)
        return .init(context.origin?.cure(write, toHave: limit, instead: guess) ?? write, label: label(context))
    }

    /// The same for one look: the limit that a host should have, and who chose the one it has.
    package static func restore(
        limit: UInt64, live: UInt64, buckets: UInt64?, _ origin: LimitOrigin, isInitialNamespace: Bool
    ) -> (guess: LimitOrigin.Guess?, fix: Explanation.Fix) {
        let context = RuleContext(
            settings: RuleSettings(), isInitialNamespace: isInitialNamespace, origin: origin)
        let guess = origin.guess(limit: live, buckets: buckets)
        let needed = buckets.flatMap { self.buckets(for: limit, above: $0, origin.release) }
        return (guess, restore(limit: limit, buckets: needed, instead: guess, context))
    }

    /// A limit, and its buckets where they are to be set too.
    static func set(limit: UInt64, buckets: UInt64?, _ context: RuleContext) -> String {
        let limit = "sysctl -w net.netfilter.nf_conntrack_max=\(limit)"
        guard let buckets else { return limit }
        return hasBucketsSetting(context)
            ? "\(limit) net.netfilter.nf_conntrack_buckets=\(buckets)" : "\(limit) && \(hashsize(buckets))"
    }

    /// The buckets that a limit needs, as the doctor has them; nil where there are as many.
    static func buckets(for limit: UInt64, above buckets: UInt64, _ release: KernelRelease? = nil) -> UInt64? {
        HashSize.isSmall(buckets, for: limit, release) ? HashSize.recommended(for: limit, release) : nil
    }

    /// Buckets with which the limit is reached before chains are too long, of those that memory can be filled with; at least
    /// twice as many as there are.
    static func hashForLimit(_ sample: Sample, buckets: UInt64, _ context: RuleContext) -> Explanation.Fix {
        let most = context.origin?.memory.map { $0 / memoryPart / bytesPerEntry } ?? highest
        let filled = min(sample.table.limit.flatMap { $0 > 0 ? $0 : nil } ?? 0, most)
        let doubled = buckets <= highest ? buckets * 2 : buckets
        return hash(max(doubled, HashSize.recommended(for: filled, context.kernel)), context)
    }

    /// A hash of `buckets`.
    static func hash(_ buckets: UInt64, _ context: RuleContext) -> Explanation.Fix {
        .init(
            hasBucketsSetting(context)
                ? "sysctl -w net.netfilter.nf_conntrack_buckets=\(buckets)" : hashsize(buckets),
            label: label(context))
    }

    /// Where limit and buckets can be written.
    private static func label(_ context: RuleContext) -> Explanation.Fix.Label {
        context.isInitialNamespace ? .here : .hostNamespace
    }

    /// nf_conntrack_buckets can be written since 4.8.
    private static func hasBucketsSetting(_ context: RuleContext) -> Bool {
        context.kernel.map { $0 >= KernelRelease(4, 8) } ?? true
    }

    private static func hashsize(_ buckets: UInt64) -> String {
        "echo \(buckets) > /sys/module/nf_conntrack/parameters/hashsize"
    }

    private static func scaled(_ buckets: UInt64, from limit: UInt64, to wanted: UInt64) -> UInt64 {
        let (product, isTooLarge) = buckets.multipliedReportingOverflow(by: wanted)
        return isTooLarge ? buckets : (product + limit - 1) / limit
    }
}
