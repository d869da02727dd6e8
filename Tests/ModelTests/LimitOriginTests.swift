// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackModel

/// Who chose a limit, in words, and what to change instead of the sysctl.
@Suite struct LimitOriginTests {
    @Test(
        arguments: [
            (.givenHashsize(32_768), "8 x hashsize, which is given as 32768 at load"),
            (.kernelDefault(memory: 2 << 30), "this kernel's default for 2 GB of memory"),
            (.kernelDefault(memory: 964 << 20), "this kernel's default for 964 MB of memory"),
            (.el7Default, "a default of EL7's kernels"),
            (.program(LimitProgram(name: "k3s", value: 131_072, cure: "")), "k3s's value"),
            (.hashsize(65_536), "8 x hashsize 65536, as a load with it gives"),
        ] as [(LimitOrigin.Guess, String)])
    func `every guess has its words`(_ guess: LimitOrigin.Guess, _ text: String) {
        #expect(guess.text == text)
    }

    private func release(_ name: String) throws -> KernelRelease {
        try #require(KernelRelease(name))
    }

    @Test func `the hash size that is given at load ranks above the kernel's default`() throws {
        let given = LimitOrigin(memory: 2 << 30, release: try release("6.1.0"), hashsize: 8192)

        #expect(given.guess(limit: 65_536, buckets: 8192) == .givenHashsize(8192))
        #expect(given.guess(limit: 131_072, buckets: 8192) == nil)
    }

    @Test func `EL7 above 4 GiB has two defaults`() throws {
        let el7 = LimitOrigin(memory: 8 << 30, release: try release("3.10.0-1160.el7.x86_64"))

        #expect(el7.guess(limit: 262_144, buckets: 65_536) == .kernelDefault(memory: 8 << 30))
        #expect(el7.guess(limit: 65_536, buckets: 16_384) == .el7Default)
    }

    @Test func `of a host of which nothing is known only the live hash size is recognised`() {
        #expect(LimitOrigin().guess(limit: 65_536, buckets: 8192) == .hashsize(8192))
        #expect(LimitOrigin().guess(limit: 65_536, buckets: 65_536) == nil)
        #expect(LimitOrigin().guess(limit: 65_536, buckets: nil) == nil)
    }

    // MARK: Programs

    private static let write = "sysctl -w net.netfilter.nf_conntrack_max=1000000"

    private func program(
        _ value: UInt64?, raises: Bool = false, certain: Bool = true, repeated: Bool = false
    ) -> LimitProgram {
        LimitProgram(
            name: "p", value: value, onlyRaises: raises, isCertain: certain, isRepeated: repeated, cure: "tell p")
    }

    @Test func `a program that is here is recognised by its value, before the kernel's default`() throws {
        let host = LimitOrigin(memory: 8 << 30, release: try release("6.1.0"), programs: [program(262_144)])
        #expect(host.guess(limit: 262_144, buckets: 262_144) == .program(program(262_144)))
        #expect(host.guess(limit: 131_072, buckets: 262_144) == nil)
    }

    @Test func `the cure is the write alone where no program undoes it`() {
        for program in [nil, program(1_000_000), program(131_072, raises: true), program(2_000_000)] {
            let host = LimitOrigin(programs: [program].compactMap { $0 })
            #expect(host.cure(Self.write, toHave: 1_000_000, instead: nil) == Self.write)
        }
    }

    @Test func `what a program undoes at its next start names it and how to tell it`() {
        let host = LimitOrigin(programs: [program(131_072)])
        #expect(
            host.cure(Self.write, toHave: 1_000_000, instead: nil)
                == "\(Self.write); and tell p: p sets 131072 when it starts")
        let hidden = LimitOrigin(programs: [program(nil, certain: false)])
        #expect(
            hidden.cure(Self.write, toHave: 1_000_000, instead: nil)
                == "\(Self.write); and tell p: p may set a value that is not to be seen when it starts")
    }

    @Test func `nobody is told to fight a program that writes again`() {
        let host = LimitOrigin(programs: [program(131_072, repeated: true)])
        #expect(host.cure(Self.write, toHave: 1_000_000, instead: nil) == "tell p: p sets 131072 again and again")
        let wrote = LimitOrigin(programs: [program(131_072)])
        #expect(
            wrote.cure(Self.write, toHave: 1_000_000, instead: wrote.guess(limit: 131_072, buckets: nil))
                == "tell p, or p writes it again")
    }

    @Test func `a program that only raises is no reason not to write more`() {
        let host = LimitOrigin(programs: [program(131_072, raises: true)])
        let guess = host.guess(limit: 131_072, buckets: nil)
        #expect(guess != nil)
        #expect(host.cure(Self.write, toHave: 1_000_000, instead: guess) == Self.write)
    }
}
