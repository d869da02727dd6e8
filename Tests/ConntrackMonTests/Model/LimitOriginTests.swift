// SPDX-License-Identifier: GPL-3.0-or-later

import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// Who chose a limit, in words, and what to change instead of the sysctl.
@Suite struct LimitOriginTests {
    @Test(
        arguments: [
            (.givenHashsize(32_768), "8 x hashsize, which is given as 32768 at load"),
            (.kernelDefault(memory: 2 << 30), "this kernel's default for 2 GB of memory"),
            (.kernelDefault(memory: 964 << 20), "this kernel's default for 964 MB of memory"),
            (.el7Default, "a default of EL7's kernels"),
            (.kubeProxy(.perCore(cores: 6)), "kube-proxy's value (32768 x 6 cores)"),
            (.kubeProxy(.minimum), "kube-proxy's minimum"), (.kubeProxy(.maximum), "kube-proxy's maximum"),
            (.hashsize(65_536), "8 x hashsize 65536, as a load with it gives"),
        ] as [(LimitOrigin.Guess, String)])
    func `every guess has its words`(_ guess: LimitOrigin.Guess, _ text: String) {
        #expect(guess.text == text)
    }

    private func release(_ name: String) throws -> KernelRelease {
        try #require(KernelRelease(name))
    }

    @Test func `the hash size that is given at load ranks above the kernel's default`() throws {
        let given = LimitOrigin(memory: 2 << 30, release: try release("6.1.0"), cores: 2, hashsize: 8192)

        #expect(given.guess(limit: 65_536, buckets: 8192) == .givenHashsize(8192))
        #expect(given.guess(limit: 131_072, buckets: 8192) == .kubeProxy(.minimum))
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

    @Test func `only a kube-proxy that is there has a setting to change`() {
        let guesses: [LimitOrigin.Guess?] = [
            .kubeProxy(.minimum), .kubeProxy(.maximum), .kubeProxy(.perCore(cores: 8)), .el7Default, .hashsize(1), nil,
        ]
        let there = LimitOrigin(hasKubeProxy: true)

        #expect(guesses.map { there.setting(behind: $0) != nil } == [true, true, true, false, false, false])
        #expect(guesses.allSatisfy { LimitOrigin().setting(behind: $0) == nil })
    }
}
