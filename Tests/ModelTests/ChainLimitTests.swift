// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackModel

/// What a kernel's hash chains take.
@Suite struct ChainLimitTests {
    /// "Linux 5.15.103", "Linux 6.2.7" (stable announcements of 17 March 2023) and ChangeLog-6.1.20 have the fix.
    @Test(
        arguments: [
            ("3.10.0-1160.el7.x86_64", nil), ("5.10.230", nil), ("5.14.0-503.el9.x86_64", nil), ("5.14.21", nil),
            ("5.15.1", 8...31), ("5.15.102", 8...31), ("5.15.103", 50...79), ("5.15.167", 50...79),
            ("5.16.20", 8...31), ("6.0.19-talos", 8...31), ("6.1.19", 8...31), ("6.1.20", 50...79),
            ("6.2.6-100.fc36.x86_64", 8...31), ("6.2.7", 50...79), ("6.3.0-rc1", 50...79), ("6.12.117+deb12", 50...79),
            ("5.15.104+", 50...79),
        ] as [(String, ClosedRange<Int>?)])
    func `the stable release tells how long chains may be`(_ name: String, _ lengths: ClosedRange<Int>?) throws {
        let release = try #require(KernelRelease(name))
        let chains = ChainLimit(release)
        #expect(chains?.lengths == lengths)
        #expect(chains?.isCertain ?? true)
    }

    /// Ubuntu, Oracle, Debian: the number does not tell what was taken from stable.
    @Test(arguments: [
        "5.15.0-125-generic", "5.15.0-101.103.2.1.el9uek.x86_64", "5.19.0-50-generic", "6.1.0-28-amd64",
        "6.2.0-39-generic",
    ])
    func `where it is not told, what is refused for certain counts, and a hash is planned for less`(_ name: String)
        throws
    {
        let release = try #require(KernelRelease(name))
        let chains = try #require(ChainLimit(release))
        #expect(chains.lengths == 50...79)
        #expect(!chains.isCertain)
        #expect(chains.least == .short)
    }

    @Test(
        arguments: [
            ("5.15.0-69-generic", "Ubuntu 5.15.0-69.76-generic 5.15.87\n", nil, 87),
            ("5.15.0-125-generic", "Ubuntu 5.15.0-125.135-generic 5.15.167\n", nil, 167),
            (
                "6.1.0-7-amd64", nil,
                "Linux version 6.1.0-7-amd64 (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14) 12.2.0, GNU ld"
                    + " (GNU Binutils for Debian) 2.40) #1 SMP PREEMPT_DYNAMIC Debian 6.1.20-2 (2023-04-08)\n", 20
            ),
            ("6.1.0-7-amd64", nil, "Linux version 6.1.0-7-amd64 (Debian 6.1.99) #1 SMP\n", nil),
            ("6.1.12", "Ubuntu 6.1.0-1 6.1.99", nil, 12), ("6.1.0-7", "Ubuntu 5.15.0-1 5.15.99", "Debian", nil),
            ("5.15.0-1", "", "", nil),
        ] as [(String, String?, String?, Int?)])
    func `Ubuntu and Debian tell the stable release elsewhere`(
        _ name: String, _ signature: String?, _ version: String?, _ patch: Int?
    ) throws {
        let release = try #require(KernelRelease(name))
        #expect(release.refined(signature: signature, version: version).patch == patch)
        #expect(release.refined(signature: signature, version: version).description == name)
    }

    // MARK: The reachable number

    @Test func `as many entries as twice the buckets are reached, and eighteen times later`() {
        #expect((1.9...2.1).contains(Double(ChainLimit.short.reachable(buckets: 100_000)) / 100_000))
        #expect((17.5...18.5).contains(Double(ChainLimit.long.reachable(buckets: 100_000)) / 100_000))
        #expect(ChainLimit.short.reachable(buckets: 0) == 0)
        #expect(ChainLimit.long.reachable(buckets: .max) == UInt64.max / 2)
    }

    /// The kernel's own words, with random numbers: entries are hung into two buckets each, and then one more is tried.
    @Test(arguments: [ChainLimit.short, .long], [0.95, 1, 1.2])
    func `a simulated hash refuses as many as were computed`(_ chains: ChainLimit, _ part: Double) {
        var random = Random(state: 7)
        let (buckets, tries) = (4096, 60_000)
        let perBucket = part * Double(chains.reachable(buckets: 1_000_000)) / 1_000_000
        var refused = 0
        for _ in 0..<12 {
            var hash = [Int](repeating: 0, count: buckets)
            for _ in 0..<Int(2 * perBucket * Double(buckets)) { hash[random.next(below: buckets)] += 1 }
            for _ in 0..<tries {
                let longest = chains.lengths.lowerBound + random.next(below: chains.lengths.count)
                func isTooLong(_ entries: Int) -> Bool {
                    var length = 0
                    for _ in 0..<entries {
                        if length > longest { return true }
                        length += 1
                    }
                    return false
                }
                if isTooLong(hash[random.next(below: buckets)]) || isTooLong(hash[random.next(below: buckets)]) {
                    refused += 1
                }
            }
        }
        let computed = chains.refused(perBucket: perBucket)
        #expect(abs(Double(refused) / Double(12 * tries) / computed - 1) < 0.3)
        #expect((computed < ChainLimit.refusedShare) == (part < 1) || part == 1)
    }

    private struct Random {
        var state: UInt64

        /// splitmix64
        mutating func next(below bound: Int) -> Int {
            state &+= 0x9e37_79b9_7f4a_7c15
            var word = state
            word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
            word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
            word ^= word >> 31
            return Int(word % UInt64(bound))
        }
    }

    // MARK: The hash a limit needs

    @Test(
        arguments: [
            (1_048_576, nil, 262_144), (1_048_576, "4.19.0", 262_144), (1_048_576, "6.12.1", 262_144),
            (1_048_576, "6.1.10", 1_048_576), (1_048_576, "5.15.0-125-generic", 1_048_576), (600_000, nil, 150_016),
            (0, nil, 0),
        ] as [(UInt64, String?, UInt64)])
    func `the hash that is recommended for a limit is not small`(
        _ limit: UInt64, _ name: String?, _ wanted: UInt64
    ) {
        let release = name.flatMap { KernelRelease($0) }
        #expect(HashSize.recommended(for: limit, release) == wanted)
        #expect(!HashSize.isSmall(wanted, for: limit, release))
    }

    /// What kernels begin with, and what kube-proxy writes.
    @Test(
        arguments: [
            (262_144, 262_144, "6.1.10", false), (65_536, 262_144, "4.19.0", false), (65_536, 262_144, nil, false),
            (131_072, 1_048_576, "4.19.0", true), (131_072, 1_048_576, "6.12.1", true),
            (524_288, 2_097_152, "6.12.1", false), (524_288, 2_097_152, "5.15.90", true),
            (524_288, 2_097_152, "5.15.0-125-generic", false), (524_288, 1_000_000, "5.15.90", false),
            (65_536, 0, "6.1.10", false), (0, 1000, "6.1.10", false),
        ] as [(UInt64, UInt64, String?, Bool)])
    func `a hash is small when chains are long, or too long for the kernel`(
        _ buckets: UInt64, _ limit: UInt64, _ name: String?, _ isSmall: Bool
    ) {
        #expect(HashSize.isSmall(buckets, for: limit, name.flatMap { KernelRelease($0) }) == isSmall)
    }

    @Test(arguments: [(7, 7), (999, 999), (1000, 1000), (131_072, 131_000), (1_999_999, 1_990_000)])
    func `a rough number has three figures`(_ number: UInt64, _ rough: UInt64) {
        #expect(roughly(number) == rough)
    }
}
