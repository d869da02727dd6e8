// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc

/// How long a hash chain may be before this kernel refuses to insert an entry into it, and with it how many entries a hash
/// really takes.
///
/// `__nf_conntrack_confirm` (net/netfilter/nf_conntrack_core.c) draws a length for each insertion, `MIN_CHAINLEN` plus a
/// random number below `MAX_CHAINLEN`, walks both chains that the entry is to hang in, and drops the packet when one of
/// them holds two more than that. It counts chaintoolong and insert_failed. 8 to 31 since 5.15 (c9c3b6811f74), 50 to 79
/// since 6.3, 6.2.7, 6.1.20 and 5.15.103 (c77737b736ce).
public struct ChainLimit: Equatable, Sendable {
    /// The lengths that the kernel draws from, all alike.
    public var lengths: ClosedRange<Int>
    /// False where the release does not tell: `lengths` are the longer ones then, so that what is refused by them is refused
    /// at the latest.
    public var isCertain = true

    /// From 5.15 until it was fixed.
    package static let short = ChainLimit(lengths: 8...31)
    /// Since then.
    package static let long = ChainLimit(lengths: 50...79)

    private init(lengths: ClosedRange<Int>, isCertain: Bool = true) {
        self.lengths = lengths
        self.isCertain = isCertain
    }

    /// The limit of a kernel; nil before 5.15, which refused none.
    ///
    /// EL9's 5.14 carries changes of later kernels, and nothing is said of it.
    public init?(_ release: KernelRelease) {
        guard release >= KernelRelease(5, 15) else { return nil }
        guard release < KernelRelease(6, 3) else {
            self = .long
            return
        }
        let fixed: Int? =
            switch (release.major, release.minor) {
            case (5, 15): 103
            case (6, 1): 20
            case (6, 2): 7
            default: nil
            }
        // Distributions that count for themselves ("5.15.0-125-generic") may have the fix: also those between.
        guard let patch = release.patch else {
            self = ChainLimit(lengths: ChainLimit.long.lengths, isCertain: false)
            return
        }
        self = fixed.map { patch >= $0 } ?? false ? .long : .short
    }

    /// What to plan a hash by: the shorter one where it may be either.
    package var least: ChainLimit { isCertain ? self : .short }

    /// "8 to 31".
    package var text: String { "\(lengths.lowerBound) to \(lengths.upperBound)" }

    // MARK: What a hash takes

    /// Insertions of which this share is refused are what a busy host's users notice: of 1,000 new connections a second one
    /// waits for its packet to be sent again. It hardly matters which share: a tenth of it comes with a quarter fewer
    /// entries on the old kernels, with a tenth fewer on the new ones.
    package static let refusedShare = 0.001

    /// The entries with which 1 insertion in 1,000 is refused.
    public func reachable(buckets: UInt64) -> UInt64 {
        let entries = Double(buckets) * perBucket
        return entries < Double(UInt64.max / 2) ? UInt64(entries) : .max / 2
    }

    /// Entries a bucket with which that share is refused.
    private var perBucket: Double {
        switch lengths {
        case ChainLimit.short.lengths: ChainLimit.shortPerBucket
        default: ChainLimit.longPerBucket
        }
    }

    private static let shortPerBucket = short.solve()
    private static let longPerBucket = long.solve()

    private func solve() -> Double {
        var (low, high) = (0.0, Double(lengths.upperBound))
        for _ in 0..<50 {
            let middle = (low + high) / 2
            if refused(perBucket: middle) < ChainLimit.refusedShare { low = middle } else { high = middle }
        }
        return low
    }

    /// The share of insertions that is refused. Each entry hangs in two chains, so that a chain's length is of a Poisson
    /// distribution with twice the entries a bucket as its mean.
    func refused(perBucket: Double) -> Double {
        let mean = 2 * perBucket
        let longest = lengths.upperBound + 2
        // tails[k] is the share of chains with k entries and more.
        var tails = [Double](repeating: 0, count: longest + 202)
        var share = exp(-mean)
        for length in tails.indices {
            tails[length] = share
            share *= mean / Double(length + 1)
        }
        for length in tails.indices.dropLast().reversed() { tails[length] += tails[length + 1] }
        let refused = lengths.map { length in
            let taken = 1 - tails[length + 2]
            return 1 - taken * taken
        }
        return refused.reduce(0, +) / Double(refused.count)
    }
}

/// The hash that a limit needs.
package enum HashSize {
    /// Entries a bucket of a full table, at most.
    private static let perBucket: UInt64 = 4

    /// So many buckets that a full table's chains are short, and none is too long for the kernel: a quarter of the limit; as
    /// many as the limit, which is the ratio that the kernel begins with, where chains of 8 may be too long.
    package static func recommended(for limit: UInt64, _ release: KernelRelease?) -> UInt64 {
        let chains = release.flatMap { ChainLimit($0) }
        let wanted = chains?.least == .short ? limit : limit / perBucket
        return (wanted + 511) / 512 * 512
    }

    /// Whether a table with that limit, full, has more than 8 tuples in each bucket, or does not get full.
    package static func isSmall(_ buckets: UInt64, for limit: UInt64, _ release: KernelRelease?) -> Bool {
        guard limit > 0, buckets > 0 else { return false }
        let chains = release.flatMap { ChainLimit($0) }
        return limit / perBucket > buckets || chains.map { $0.reachable(buckets: buckets) < limit } ?? false
    }
}

/// A number that is not exact, in three figures: 131072 -> 131000.
package func roughly(_ number: UInt64) -> UInt64 {
    var unit: UInt64 = 1
    while number / unit >= 1000 { unit *= 10 }
    return number / unit * unit
}
