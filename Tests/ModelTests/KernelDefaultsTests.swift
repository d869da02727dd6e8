// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackModel

/// The formula, row by row.
@Suite struct KernelDefaultsTests {
    private func release(_ text: String) throws -> KernelRelease {
        try #require(KernelRelease(text))
    }

    /// Measured on 6.1 in virtual machines; 6.12 gives the same.
    @Test(arguments: [
        (94_800, 1024, 1024), (223_632, 2048, 2048), (481_296, 4096, 4096), (996_624, 8192, 8192),
        (1_060_624, 65_536, 65_536), (2_027_280, 65_536, 65_536), (4_022_276, 65_536, 65_536),
        (4_220_936, 262_144, 262_144), (4_532_232, 262_144, 262_144), (9_164_804, 262_144, 262_144),
    ])
    func `since 5_15 the limit is the number of buckets`(_ memory: UInt64, _ buckets: UInt64, _ limit: UInt64) throws {
        for name in ["6.1.0-56-cloud-amd64", "6.12.117+deb12-cloud-amd64", "5.15.0-generic"] {
            let defaults = KernelDefaults(memory: memory * 1024, release: try release(name))
            #expect(defaults.buckets == buckets)
            #expect(defaults.limit == limit)
            #expect(defaults.isCertain)
        }
    }

    @Test(arguments: [
        (131_072, 131_072, 1_048_576), (65_536, 65_536, 524_288), (8192, 8192, 65_536), (1, 512, 4096),
        (70_000, 70_144, 561_152),
    ])
    func `a hash size given at load is filled up to pages, and the limit is 8 times it`(
        _ hashsize: UInt64, _ buckets: UInt64, _ limit: UInt64
    ) throws {
        let defaults = KernelDefaults(memory: 2 << 30, release: try release("6.1.0"), hashsize: hashsize)
        #expect(defaults.buckets == buckets)
        #expect(defaults.limit == limit)
    }

    @Test(arguments: [
        ("5.14.0-1.el9.x86_64", 960, 30_720), ("5.14.0-1.el9.x86_64", 2048, 65_536), ("5.4.0", 4096, 65_536),
        ("5.4.0", 8192, 262_144), ("4.0.0", 8192, 262_144), ("3.19.0", 8192, 65_536), ("3.19.0", 2048, 65_536),
        ("2.6.32-754.el6.x86_64", 1024, 32_768), ("2.6.32-754.el6.x86_64", 8192, 65_536), ("5.4.0", 1, 2048),
    ])
    func `before 5_15 the limit is 4 times the buckets, and 4_0 brought the step at 4 GiB`(
        _ name: String, _ mebibytes: UInt64, _ limit: UInt64
    ) throws {
        let defaults = KernelDefaults(memory: mebibytes << 20, release: try release(name))
        #expect(defaults.limit == limit)
        #expect(defaults.buckets * 4 == limit)
    }

    @Test func `the steps are above 1 and above 4 GiB, not at them`() throws {
        let new = try release("6.1.0")
        #expect(KernelDefaults(memory: 1 << 30, release: new).limit == 8192)
        #expect(KernelDefaults(memory: (1 << 30) + 4096, release: new).limit == 65_536)
        #expect(KernelDefaults(memory: 4 << 30, release: new).limit == 65_536)
        #expect(KernelDefaults(memory: (4 << 30) + 4096, release: new).limit == 262_144)
    }

    @Test func `a 32 bit kernel has twice the buckets in the same memory`() throws {
        #expect(KernelDefaults(memory: 512 << 20, release: try release("6.1.0-1-686-pae")).buckets == 8192)
    }

    @Test func `up to 4_6 the limit is taken before the hash is filled up`() throws {
        for name in ["2.6.32-754.el6.x86_64", "3.10.0-1160.el7.x86_64", "4.4.0-210-generic"] {
            let given = KernelDefaults(memory: 2 << 30, release: try release(name), hashsize: 70_000)
            #expect(given.buckets == 70_144)
            #expect(given.limit == 560_000)
            let little = KernelDefaults(memory: 1 << 20, release: try release(name))
            #expect(little.buckets == 512)
            #expect(little.limit == 128)
        }
    }

    private typealias Pair = KernelDefaults.Pair

    @Test func `EL7 above 4 GiB is certain where the live pair tells`() throws {
        let el7 = try release("3.10.0-1160.el7.x86_64")
        let (old, new) = (Pair(buckets: 16_384, limit: 65_536), Pair(buckets: 65_536, limit: 262_144))
        let unknown = KernelDefaults(memory: 8 << 30, release: el7)
        #expect(!unknown.isCertain)
        #expect(unknown.alternatives == [new, old])
        #expect(unknown.limit == 262_144)
        for pair in [old, new] {
            let told = KernelDefaults(memory: 8 << 30, release: el7, live: pair)
            #expect(told.isCertain)
            #expect(Pair(buckets: told.buckets, limit: told.limit) == pair)
        }
        for other in [Pair(buckets: 16_384, limit: 262_144), Pair(buckets: 65_536, limit: 1_048_576)] {
            #expect(!KernelDefaults(memory: 8 << 30, release: el7, live: other).isCertain)
        }
        #expect(KernelDefaults(memory: 2 << 30, release: el7).isCertain)
        #expect(KernelDefaults(memory: 8 << 30, release: el7, hashsize: 65_536).isCertain)
        // Elsewhere what is live tells nothing.
        #expect(KernelDefaults(memory: 8 << 30, release: try release("6.1.0"), live: old).limit == 262_144)
    }

    @Test func `EL9's hash is one of two, its limit the same`() throws {
        let el9 = try release("5.14.0-503.el9.x86_64")
        let pairs = KernelDefaults(memory: 8 << 30, release: el9).alternatives
        #expect(pairs == [Pair(buckets: 65_536, limit: 262_144), Pair(buckets: 262_144, limit: 262_144)])
        #expect(KernelDefaults(memory: 8 << 30, release: el9, live: pairs[1]).buckets == 262_144)
    }

    @Test func `0 as the limit is refused from 6_19 on`() throws {
        #expect(KernelDefaults.takesZero(try release("6.18.44")) == true)
        #expect(KernelDefaults.takesZero(try release("6.19-rc1")) == false)
        #expect(KernelDefaults.takesZero(nil) == nil)
    }

    @Test(arguments: [
        ("6.1.0-56-cloud-amd64\n", 6, 1), ("Linux version 2.6.32-754.el6.x86_64 (mock@build) #1 SMP\n", 2, 6),
        ("5.15", 5, 15), ("7.0-rc1", 7, 0),
    ])
    func `a release is read from both files of proc`(_ text: String, _ major: Int, _ minor: Int) throws {
        #expect(try release(text) == KernelRelease(major, minor))
    }

    @Test(arguments: ["", "\n", "Linux version", "six.one", "6"])
    func `anything else is no release`(_ text: String) {
        #expect(KernelRelease(text) == nil)
    }

    @Test(
        arguments: [
            (65_536, 65_536, 2048, .kernelDefault(memory: 2048 << 20)),
            (262_144, 65_536, 8192, .kernelDefault(memory: 8192 << 20)),
            (8192, 8192, 964, .kernelDefault(memory: 964 << 20)), (524_288, 65_536, 2048, .hashsize(65_536)),
            // kube-proxy's, of which a number alone is no sign.
            (131_072, 65_536, 2048, nil), (1_048_576, 65_536, 2048, nil), (0, 65_536, 2048, nil),
        ] as [(UInt64, UInt64, UInt64, LimitOrigin.Guess?)])
    func `a limit is recognised by its number`(
        _ limit: UInt64, _ buckets: UInt64, _ mebibytes: UInt64, _ guess: LimitOrigin.Guess?
    ) throws {
        let found = KernelDefaults.recognise(
            limit: limit, buckets: buckets, memory: mebibytes << 20, release: try release("6.1.0"))
        #expect(found == guess)
    }

    @Test func `nothing is recognised where nothing is known`() {
        #expect(KernelDefaults.recognise(limit: 65_536, buckets: nil, memory: nil, release: nil) == nil)
    }
}
