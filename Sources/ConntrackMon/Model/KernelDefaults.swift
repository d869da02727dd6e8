// SPDX-License-Identifier: GPL-3.0-or-later

/// The hash size and limit that nf_conntrack begins with. Depends on kernel, memory and the `hashsize` given at load.
///
/// nf_conntrack_init_start of 2.6.32, 4.0, 5.4 and 5.15; the last agrees with 6.1 and 6.12 in virtual machines from
/// 128 MB to 9 GB.
public struct KernelDefaults: Equatable, Sendable {
    /// A hash size and the limit that goes with it.
    public struct Pair: Equatable, Sendable {
        /// nf_conntrack_buckets.
        public var buckets: UInt64
        /// nf_conntrack_max.
        public var limit: UInt64

        /// From both.
        public init(buckets: UInt64, limit: UInt64) {
            (self.buckets, self.limit) = (buckets, limit)
        }
    }

    /// nf_conntrack_buckets.
    public var buckets: UInt64
    /// nf_conntrack_max.
    public var limit: UInt64
    /// False where kernels of the same version differ, and nothing tells which this is: EL7 above 4 GiB, EL9.
    public var isCertain: Bool { alternatives.count == 1 }
    /// All that kernels of this version begin with; the one that is assumed first.
    public var alternatives: [Pair]

    private static let gibibyte: UInt64 = 1 << 30

    /// What a load on this kernel would give.
    /// - Parameters:
    ///   - memory: MemTotal, in bytes.
    ///   - release: The kernel's version.
    ///   - hashsize: The module parameter, if one is given at load.
    ///   - pageSize: The hash fills whole pages.
    ///   - live: What is live. Where it is just what one of the kernels in question begins with, it is that one.
    public init(
        memory: UInt64, release: KernelRelease, hashsize: UInt64? = nil, pageSize: UInt64 = 4096, live: Pair? = nil
    ) {
        let size = Size(memory: memory, release: release, hashsize: hashsize, pageSize: pageSize)
        var pairs = size.eras(of: release).map(size.pair).reduce(into: [Pair]()) { pairs, pair in
            if !pairs.contains(pair) { pairs.append(pair) }
        }
        if let live, pairs.contains(live) { pairs = [live] }
        (buckets, limit, alternatives) = (pairs[0].buckets, pairs[0].limit, pairs)
    }

    /// Whether the kernel takes 0, which meant no limit, for a limit: 6.19 answers EINVAL. nil for an unknown kernel.
    public static func takesZero(_ release: KernelRelease?) -> Bool? {
        release.map { $0 < KernelRelease(6, 19) }
    }

    /// Where a limit comes from, when it is a number that a kernel chooses; else nil.
    public static func recognise(
        limit: UInt64, buckets: UInt64?, memory: UInt64?, release: KernelRelease?, hashsize: UInt64? = nil
    ) -> LimitOrigin.Guess? {
        if let memory, let release {
            if let hashsize, limit == KernelDefaults(memory: memory, release: release, hashsize: hashsize).limit {
                return .givenHashsize(hashsize)
            }
            if limit == KernelDefaults(memory: memory, release: release).limit { return .kernelDefault(memory: memory) }
            if release.isEL7, memory > 4 * gibibyte, limit == 65_536 { return .el7Default }
        }
        if let buckets, buckets > 0, limit == 8 * buckets { return .hashsize(buckets) }
        return nil
    }

    /// Memory as people say it: "2 GB", "964 MB". MemTotal is a little below what is built in, so it is rounded up.
    package static func size(_ memory: UInt64) -> String {
        let mebibytes = Double(memory) / 1_048_576
        guard mebibytes >= 1000 else { return "\(fixed(mebibytes, 0)) MB" }
        return "\(fixed(mebibytes / 1024, 1).replacing(".0", with: "")) GB"
    }
}

extension KernelDefaults {
    /// How the hash is sized.
    private enum Era {
        /// Up to 3.19: 16384 buckets above 1 GiB, four entries a bucket.
        case old
        /// 4.0 brought 65536 buckets above 4 GiB.
        case step
        /// 5.15 made the hash four times larger and left the limit where it was.
        case large
    }

    private struct Size {
        let memory: UInt64
        let hashsize: UInt64?
        let slots: UInt64
        let pointer: UInt64
        /// Up to 4.6 the limit is taken from the size before it is filled up to whole pages.
        let limitIsFirst: Bool

        init(memory: UInt64, release: KernelRelease, hashsize: UInt64?, pageSize: UInt64) {
            pointer = release.is64Bit ? 8 : 4
            slots = max(pageSize / pointer, 1)
            self.memory = memory
            self.hashsize = hashsize.flatMap { $0 > 0 ? min($0, 1 << 31) : nil }
            limitIsFirst = release < KernelRelease(4, 7)
        }

        /// EL7's 3.10 got the step of 4.0 with one of its updates, EL9's 5.14 the hash of 5.15.
        func eras(of release: KernelRelease) -> [Era] {
            if release.isEL7 { return [.step, .old] }
            if release == KernelRelease(5, 14), release.description.contains("el9") { return [.step, .large] }
            if release >= KernelRelease(5, 15) { return [.large] }
            return release >= KernelRelease(4, 0) ? [.step] : [.old]
        }

        func pair(_ era: Era) -> Pair {
            let size = hashsize ?? computed(era)
            let buckets = (size + slots - 1) / slots * slots
            let factor: UInt64 = hashsize != nil ? 8 : era == .large ? 1 : 4
            return Pair(buckets: buckets, limit: (limitIsFirst ? size : buckets) * factor)
        }

        private func computed(_ era: Era) -> UInt64 {
            if memory > 4 * gibibyte, era != .old { return era == .large ? 262_144 : 65_536 }
            if memory > gibibyte { return era == .large ? 65_536 : 16_384 }
            return max(memory / 16_384 / pointer, era == .large ? 1024 : 32)
        }
    }
}
