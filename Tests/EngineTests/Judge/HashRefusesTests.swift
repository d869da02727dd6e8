// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// hash_refuses, and hash_overloaded beside it.
@Suite struct HashRefusesTests {
    /// A host whose table holds `entries` for a while.
    private func run(
        _ kernel: String?, entries: UInt64, limit: UInt64, buckets: UInt64, _ stats: [Stat: UInt64] = [:]
    ) -> JudgeRun {
        var run = JudgeRun(kernel: kernel)
        run.samples(0...40, entries: entries, limit: limit) {
            $0.buckets = buckets
            $0.statsNow = StatValues(stats)
        }
        return run
    }

    @Test(
        arguments: [
            // 2 entries a bucket are what chains of 8 to 31 take, 17.9 what those of 50 to 79 do.
            ("6.1.19", 116_000, 1_048_576, 65_536, []), ("6.1.19", 119_000, 1_048_576, 65_536, ["hash_refuses"]),
            ("5.15.90", 262_000, 1_048_576, 65_536, ["hash_refuses"]),
            ("6.12.40", 262_000, 1_048_576, 65_536, []),
            ("6.12.40", 270_000, 1_048_576, 65_536, ["hash_overloaded"]),
            ("6.12.40", 1_060_000, 4_000_000, 65_536, ["hash_refuses"]),
            // What the kernel begins with, and a hash size that is given at load: the limit is nearer where chains may be long.
            ("6.1.19", 195_000, 262_144, 262_144, []), ("5.14.21", 195_000, 262_144, 65_536, []),
            ("4.19.0", 48_000, 65_536, 16_384, []), ("6.12.40", 32_000, 65_536, 8192, []),
            ("4.19.0", 32_000, 65_536, 8192, []), ("6.1.19", 14_000, 65_536, 8192, []),
            // A load with hashsize on such a kernel takes a quarter of what it sets as the limit.
            ("6.1.19", 15_000, 65_536, 8192, ["hash_refuses"]),
            // 64 cores by kube-proxy: a limit of 4 times the buckets.
            ("5.15.90", 900_000, 2_097_152, 524_288, []), ("5.15.90", 950_000, 2_097_152, 524_288, ["hash_refuses"]),
            ("5.15.110", 950_000, 2_097_152, 524_288, []),
            // Ubuntu's number does not tell.
            ("5.15.0-60-generic", 119_000, 1_048_576, 65_536, []),
            ("5.15.0-60-generic", 262_000, 1_048_576, 65_536, []),
            ("5.15.0-60-generic", 1_060_000, 4_000_000, 65_536, ["hash_refuses"]),
            (nil, 131_000, 1_048_576, 65_536, []),
            // No limit at all.
            ("6.1.19", 119_000, 0, 65_536, ["hash_refuses"]),
        ] as [(String?, UInt64, UInt64, UInt64, [String])])
    func `a kernel's chains are full before its table`(
        _ kernel: String?, _ entries: UInt64, _ limit: UInt64, _ buckets: UInt64, _ said: [String]
    ) {
        #expect(run(kernel, entries: entries, limit: limit, buckets: buckets).said == said.map { "WARNING " + $0 })
    }

    @Test func `its line says what is reached, and a hash with which the limit is`() {
        let run = run("6.1.19", entries: 119_000, limit: 1_048_576, buckets: 65_536, [.chainTooLong: 2])

        #expect(
            run.lastSummary
                == "at least 119000 entries of about 130000 that the hash chains of this kernel take with 65536 buckets (8 to"
                + " 31 long); from there on more than 1 new connection in 1000 is refused, and nf_conntrack_max 1048576 is"
                + " not reached; chain_toolong rose by 60 in the last 30s: so many were refused already; fix: sysctl -w"
                + " net.netfilter.nf_conntrack_buckets=1048576")
        #expect(run.said == ["WARNING hash_refuses"])
    }

    @Test func `it waits for half a minute, and ends below its margin`() {
        var run = JudgeRun(kernel: "6.1.19")
        func samples(_ seconds: ClosedRange<Int>, _ entries: UInt64) -> [String] {
            run.samples(seconds, entries: entries, limit: 10_000) { $0.buckets = 1000 }
            return run.news()
        }
        #expect(samples(0...29, 1850) == [])
        #expect(samples(30...40, 1850) == ["WARNING hash_refuses"])
        #expect(samples(41...200, 1750) == [])
        #expect(samples(201...260, 1600) == [])
        #expect(samples(261...262, 1600) == ["RESOLVED hash_refuses"])
    }

    @Test func `a limit that is near is usage_high's`() {
        #expect(run("6.1.19", entries: 1900, limit: 2100, buckets: 1000).said == ["CRITICAL usage_high"])
    }

    @Test func `chains that are refused before that are hash_overloaded's`() {
        let run = run("6.1.19", entries: 1500, limit: 10_000, buckets: 1000, [.chainTooLong: 1])

        #expect(run.said == ["WARNING hash_overloaded"])
    }

    @Test(arguments: [1900, 5000] as [UInt64])
    func `one alert is said of one hash`(_ entries: UInt64) {
        #expect(
            run("6.1.19", entries: entries, limit: 20_000, buckets: 1000, [.chainTooLong: 5]).said
                == ["WARNING hash_refuses"])
    }

    @Test func `hash_overloaded goes on, and is not said again`() {
        var run = JudgeRun(kernel: "6.12.40") { $0.repeatEvery = .seconds(100) }
        run.samples(0...10, entries: 5000, limit: 100_000) { $0.buckets = 1000 }
        run.samples(11...300, entries: 17_500, limit: 100_000) { $0.buckets = 1000 }

        #expect(
            run.said == [
                "WARNING hash_overloaded", "WARNING hash_refuses", "WARNING hash_refuses again",
                "WARNING hash_refuses again",
            ])
    }

    @Test func `one look has nothing to wait for`() {
        var run = JudgeRun(kernel: "6.1.19", looksOnce: true)
        run.samples(0...0, entries: 1900, limit: 10_000) { $0.buckets = 1000 }

        #expect(run.said == ["WARNING hash_refuses"])
    }

    // MARK: The cure

    private func cure(_ limit: UInt64, buckets: UInt64, _ context: RuleContext) -> Explanation.Fix {
        Cure.hashForLimit(.at(0, limit: limit) { $0.buckets = buckets }, buckets: buckets, context)
    }

    @Test(
        arguments: [
            ("6.1.19", 1_048_576, 1_048_576, nil), ("6.12.40", 4_194_304, 1_048_576, nil),
            ("5.15.0-60-generic", 4_194_304, 4_194_304, nil),
            // As many as are of use with that memory, and no fewer than twice as many as there are.
            ("6.1.19", 2_147_483_647, 3_355_648, 4 << 30), ("6.1.19", 1_048_576, 131_072, 64 << 20),
            ("6.1.19", 0, 131_072, nil),
        ] as [(String, UInt64, UInt64, UInt64?)])
    func `so many buckets let the limit be reached, within memory`(
        _ kernel: String, _ limit: UInt64, _ wanted: UInt64, _ memory: UInt64?
    ) throws {
        let origin = LimitOrigin(memory: memory, release: KernelRelease(kernel))
        let context = RuleContext(settings: RuleSettings(), origin: origin)
        #expect(
            cure(limit, buckets: 65_536, context) == .init("sysctl -w net.netfilter.nf_conntrack_buckets=\(wanted)"))
    }

    @Test func `the hash is the host's`() {
        let context = RuleContext(
            settings: RuleSettings(), isInitialNamespace: false, running: KernelRelease("6.1.19"))
        #expect(cure(10_000, buckets: 1000, context).label == .hostNamespace)
    }

    @Test func `a limit that was never live comes with buckets that let it be reached`() {
        #expect(Cure.buckets(for: 262_144, above: 65_536, KernelRelease("6.1.19")) == 262_144)
        #expect(Cure.buckets(for: 262_144, above: 65_536, KernelRelease("6.12.40")) == nil)
    }
}
