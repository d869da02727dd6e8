// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// What is named against a table that is too small: it helps where it is typed, and harms nothing.
@Suite struct CureTests {
    private func cure(
        limit: UInt64? = 65_536, buckets: UInt64? = 16_384, isInitial: Bool = true, _ origin: LimitOrigin? = nil
    ) -> Explanation.Fix? {
        let sample = Sample.at(0, limit: limit) { $0.buckets = buckets }
        return Cure.raise(
            sample, RuleContext(settings: RuleSettings(), isInitialNamespace: isInitial, origin: origin))
    }

    @Test(
        arguments: [
            (65_536, 16_384, 131_072, 32_768), (262_144, 262_144, 524_288, 524_288), (1000, 333, 2000, 666),
            (1_073_741_823, 262_144, 2_147_483_646, 524_288), (2_000_000_000, 1, 2_147_483_646, 2),
        ] as [(UInt64, UInt64, UInt64, UInt64)])
    func `buckets keep their ratio to the limit`(
        _ limit: UInt64, _ buckets: UInt64, _ wanted: UInt64, _ scaled: UInt64
    ) {
        #expect(
            cure(limit: limit, buckets: buckets)
                == .init(
                    "sysctl -w net.netfilter.nf_conntrack_max=\(wanted) net.netfilter.nf_conntrack_buckets=\(scaled)"))
    }

    @Test func `buckets that are not known are not forgotten`() {
        #expect(
            cure(buckets: nil)
                == .init("sysctl -w net.netfilter.nf_conntrack_max=131072, and nf_conntrack_buckets to match"))
    }

    @Test func `no limit needs no cure`() {
        #expect(cure(limit: 0) == nil)
        #expect(cure(limit: nil) == nil)
    }

    @Test func `in another namespace both are read-only`() {
        #expect(cure(isInitial: false)?.label == .hostNamespace)
        #expect(
            Cure.hash(100, RuleContext(settings: RuleSettings(), isInitialNamespace: false)).label == .hostNamespace)
        #expect(cure()?.label == .here)
    }

    @Test func `kube-proxy's limit is raised by its settings`() {
        let program = LimitProgram(name: "kube-proxy", value: 65_536, cure: "change kube-proxy's --conntrack-min")
        let cure = cure(LimitOrigin(programs: [program]))

        #expect(cure?.text == "change kube-proxy's --conntrack-min: kube-proxy sets 65536 when it starts")
    }

    @Test func `a kernel that cannot write the buckets by sysctl has a file for them`() {
        #expect(
            cure(LimitOrigin(release: KernelRelease(3, 10)))
                == .init(
                    "sysctl -w net.netfilter.nf_conntrack_max=131072"
                        + " && echo 32768 > /sys/module/nf_conntrack/parameters/hashsize"))
    }

    @Test(
        arguments: [(1_048_576, 65_536, 262_144), (262_144, 65_536, nil), (270_000, 65_536, 67_584), (0, 65_536, nil)]
            as [(UInt64, UInt64, UInt64?)])
    func `a limit that was never live comes with the buckets it needs`(
        _ limit: UInt64, _ buckets: UInt64, _ wanted: UInt64?
    ) {
        #expect(Cure.buckets(for: limit, above: buckets) == wanted)
        var run = JudgeRun()
        run.configure(limit)
        run.samples(0...0, limit: 65_536) { $0.buckets = buckets }
        let fix = run.announcements.first { $0.name == "limit_not_applied" }?.explanation.fix?.text

        #expect(
            fix == "sysctl -w net.netfilter.nf_conntrack_max=\(limit)"
                + (wanted.map { " net.netfilter.nf_conntrack_buckets=\($0)" } ?? ""))
    }

    @Test func `no limit is named that a full table has no memory for`() {
        // A quarter of 160 MiB holds 131,072 entries of 320 bytes.
        let enough: UInt64 = 131_072 * 320 * 4
        #expect(cure(LimitOrigin(memory: enough))?.text.hasPrefix("sysctl -w ") == true)
        #expect(cure(LimitOrigin(memory: enough - 1))?.text.contains("as far as memory allows") == true)
    }

    @Test(
        arguments: [
            ("usage_high", 800, [:]), ("table_full", 1000, [.drop: 5]), ("fill_forecast", 600, [:]),
            ("early_drop", 600, [.earlyDrop: 100]), ("hash_overloaded", 600, [.chainTooLong: 1]),
        ] as [(String, UInt64, [Stat: UInt64])])
    func `every alert about the table's size names it`(_ name: String, _ entries: UInt64, _ stats: [Stat: UInt64]) {
        var run = JudgeRun()
        run.samples(0...31, entries: entries) {
            $0.buckets = 250
            $0.statsNow = StatValues(stats)
            $0.fillRate = name == "fill_forecast" ? 5 : nil
        }
        let fix = run.announcements.first { $0.name == name && $0.state == .firing }?.explanation.fix?.text

        #expect(fix?.hasPrefix("sysctl -w net.netfilter.") == true, "\(run.said)")
        #expect(fix?.contains("nf_conntrack_buckets=") == true)
    }

    @Test(arguments: [true, false])
    func `a limit that a program undoes at its next start names that program too`(_ isThere: Bool) {
        var judge = Judge(settings: RuleSettings(), identity: Identity(host: "gw12", netns: "root"))
        let program = LimitProgram(name: "kube-proxy", value: 400, cure: "change kube-proxy's --conntrack-min")
        judge.origin = LimitOrigin(programs: isThere ? [program] : [])
        _ = judge.observe(.at(0, limit: 1000))
        let fix = judge.observe(.at(1, limit: 500)).first?.explanation.fix?.text

        #expect(
            fix == "sysctl -w net.netfilter.nf_conntrack_max=1000"
                + (isThere ? "; and change kube-proxy's --conntrack-min: kube-proxy sets 400 when it starts" : ""))
    }
}
