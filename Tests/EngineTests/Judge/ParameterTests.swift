// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// Every setting but the limit.
@Suite struct ParameterTests {
    private static let tuned: [String: UInt64] = [
        "tcp_timeout_established": 86_400, "tcp_timeout_time_wait": 30, "generic_timeout": 120, "buckets": 4096,
    ]
    private static let defaults: [String: UInt64] = [
        "tcp_timeout_established": 432_000, "tcp_timeout_time_wait": 120, "generic_timeout": 600, "buckets": 4096,
    ]
    private static let reverted = "WARNING parameters_reverted"

    /// Read at 0, changed to `after` at 10.
    private func written(_ after: [String: UInt64], from before: [String: UInt64] = tuned) -> JudgeRun {
        var run = JudgeRun()
        run.samples(0...0)
        run.read(0.5, before)
        run.samples(1...9)
        run.read(10, after)
        run.samples(11...12)
        return run
    }

    /// Read at 0, then a reload at 1 that ends with `after`, read while it settles.
    private func reloaded(limit: UInt64 = 1000, _ after: [String: UInt64] = defaults) -> JudgeRun {
        var run = JudgeRun()
        run.samples(0...0)
        run.read(0.5, Self.tuned)
        run.look(1, limit: limit, unloaded: true)
        run.read(1.5, after)
        run.samples(2...4, limit: limit)
        return run
    }

    // MARK: Written

    @Test func `a written setting is told with both values, once, and accepted`() {
        var run = written(Self.tuned.merging(["generic_timeout": 60]) { $1 })

        #expect(run.said == ["NOTICE parameter_changed"])
        #expect(run.lastSummary == "generic_timeout 120 -> 60; written while the module stayed loaded")
        run.read(20, Self.tuned.merging(["generic_timeout": 60]) { $1 })
        run.samples(21...22)
        #expect(run.said == ["NOTICE parameter_changed"])
        #expect(run.judge.keep?.parameters.accepted["generic_timeout"] == 60)
    }

    @Test func `many are told by five`() {
        let before = Dictionary(uniqueKeysWithValues: (1...7).map { ("p\($0)", UInt64($0)) })
        let run = written(before.mapValues { $0 * 10 }, from: before)

        #expect(
            run.lastSummary == "p1 1 -> 10, p2 2 -> 20, p3 3 -> 30, p4 4 -> 40, p5 5 -> 50 (+2 more); written while the"
                + " module stayed loaded")
    }

    @Test func `a setting that comes or goes with a kernel is no change`() {
        var run = written(["generic_timeout": 120, "new_one": 7])
        run.read(20, ["new_one": 7])
        run.samples(21...22)
        #expect(run.said == [])
        run.read(30, ["new_one": 8])
        run.samples(31...31)

        #expect(run.said == ["NOTICE parameter_changed"])
        #expect(run.lastSummary.hasPrefix("new_one 7 -> 8;"))
    }

    @Test func `no settings at all are no reading`() {
        let run = written([:])

        #expect(run.said == [])
        #expect(run.judge.keep?.parameters.accepted == Self.tuned)
    }

    // MARK: Reverted

    @Test func `what a reload takes is reverted, and the limit that stayed says nothing`() {
        var run = reloaded()

        #expect(run.said == ["NOTICE module_reloaded", Self.reverted])
        #expect(
            run.lastSummary
                == "generic_timeout 120 -> 600 (kernel default), tcp_timeout_established 86400 -> 432000 (kernel default),"
                + " tcp_timeout_time_wait 30 -> 120 (kernel default); fix: sysctl -w"
                + " net.netfilter.nf_conntrack_generic_timeout=120 net.netfilter.nf_conntrack_tcp_timeout_established=86400"
                + " net.netfilter.nf_conntrack_tcp_timeout_time_wait=30")
        run.read(20, Self.defaults)
        run.samples(20...21)
        #expect(run.said.count == 2)
        run.read(30, Self.tuned)
        run.samples(31...31)

        #expect(run.said.last == "RESOLVED parameters_reverted")
        #expect(run.lastSummary.hasSuffix(": every setting is as it was"))
        #expect(run.said.count == 3)
    }

    @Test func `with a limit that fell it is part of its line`() {
        var run = reloaded(limit: 500)

        #expect(run.said == ["NOTICE module_reloaded", "CRITICAL limit_dropped"])
        #expect(
            run.lastSummary.contains(
                "; also reverted: tcp_timeout_established 86400 -> 432000 (kernel default) (+2 more); fix:"))
        // The limit is repaired, the settings are not.
        run.samples(5...5)

        #expect(run.said.suffix(2) == ["RESOLVED limit_dropped", Self.reverted])
    }

    @Test func `a limit written later has nothing to do with them`() {
        var run = reloaded()
        run.look(10, limit: 500)

        #expect(run.said.last == "CRITICAL limit_dropped")
        #expect(!run.lastSummary.contains("also reverted"))
    }

    @Test func `put back while the reload settles, they are not mentioned`() {
        var run = JudgeRun()
        run.samples(0...0)
        run.read(0.5, Self.tuned)
        run.look(1, limit: 500, unloaded: true)
        run.read(1.2, Self.defaults)
        run.read(2, Self.tuned)
        run.samples(3...4, limit: 500)

        #expect(run.said == ["NOTICE module_reloaded", "CRITICAL limit_dropped"])
        #expect(!run.lastSummary.contains("also reverted"))
    }

    @Test func `a lost setting that is written to something else is a change`() {
        var run = reloaded()
        run.read(10, Self.tuned.merging(["generic_timeout": 300]) { $1 })
        run.samples(11...11)

        #expect(run.said.suffix(2) == ["NOTICE parameter_changed", "RESOLVED parameters_reverted"])
        #expect(run.summary(of: "parameter_changed").hasPrefix("generic_timeout 120 -> 300;"))
    }

    @Test func `SIGHUP accepts what a reload left`() {
        var run = reloaded()
        run.accept()
        run.samples(5...5)
        run.read(10, Self.defaults)
        run.samples(11...11)

        #expect(run.said == ["NOTICE module_reloaded", Self.reverted, "RESOLVED parameters_reverted"])
        #expect(run.judge.keep?.parameters == .init(accepted: Self.defaults))
    }

    // MARK: Read before the reload is known

    @Test(arguments: [1.0, 1.05])
    func `values read between a reload and the look that shows it are not taken for written ones`(_ readAt: Double) {
        var run = JudgeRun()
        run.samples(0...0)
        run.read(0.5, Self.tuned)
        run.look(1)
        run.read(readAt, Self.defaults)
        run.look(1.1, unloaded: true)
        run.read(1.2, Self.defaults)
        run.samples(2...4)

        #expect(run.said == ["NOTICE module_reloaded", Self.reverted])
        #expect(run.judge.keep?.parameters.accepted == Self.tuned)
    }

    @Test func `neither are values read while the module is loaded`() {
        var run = JudgeRun()
        run.samples(0...0)
        run.read(0.5, Self.tuned)
        run.read(1, ["tcp_timeout_established": 432_000])
        run.look(.gone(at: 1.1, unloaded: true))
        run.look(1.2)
        run.read(1.3, Self.defaults)
        run.samples(2...4)

        #expect(run.said == ["NOTICE module_reloaded", Self.reverted])
    }

    @Test func `a look that is older than the reading settles nothing`() {
        var run = JudgeRun()
        run.samples(0...0)
        run.read(0.5, Self.tuned)
        run.read(1.2, Self.defaults)
        run.look(1.1)
        #expect(run.said == [])
        run.look(1.3)

        #expect(run.said == ["NOTICE parameter_changed"])
    }

    @Test func `with settle 0 the first reading after the reload tells what it took`() {
        var run = JudgeRun { $0.settle = .zero }
        run.samples(0...0)
        run.read(0.5, Self.tuned)
        run.look(1, unloaded: true)
        run.read(10, Self.defaults)
        run.samples(11...11)

        #expect(run.said == ["NOTICE module_reloaded", Self.reverted])
    }

    @Test func `SIGHUP accepts a reading that no look has confirmed yet`() {
        var run = JudgeRun()
        run.samples(0...0)
        run.read(0.5, Self.tuned)
        run.read(1, Self.defaults)
        run.accept()
        run.samples(2...4)

        #expect(run.said == [])
        #expect(run.judge.keep?.parameters == .init(accepted: Self.defaults))
    }

    // MARK: Configuration

    @Test func `a setting that is not what is configured is told with its place until it is`() {
        var run = JudgeRun()
        run.configure(nil, parameters: ["generic_timeout": 60, "not_there": 1])
        run.read(0, Self.tuned)
        run.samples(0...5)
        #expect(run.said == [Self.reverted])
        #expect(
            run.lastSummary == "generic_timeout 60 -> 120, against /etc/sysctl.d/90-conntrack.conf:4; fix: sysctl -w"
                + " net.netfilter.nf_conntrack_generic_timeout=60")
        run.read(10, Self.tuned.merging(["generic_timeout": 60]) { $1 })
        run.samples(10...11)

        #expect(run.said == [Self.reverted, "NOTICE parameter_changed", "RESOLVED parameters_reverted"])
    }

    @Test func `while the host boots what is configured may come yet`() {
        var run = JudgeRun { $0.bootGrace = .seconds(86_400 + 60) }
        run.configure(nil, parameters: ["generic_timeout": 60])
        run.read(0, Self.tuned)
        run.samples(0...59)
        #expect(run.said == [])
        run.samples(60...60)

        #expect(run.said == [Self.reverted])
    }

    // MARK: Across restarts

    @Test func `after a reboot what differs is reverted, whenever the module comes`() {
        var run = JudgeRun()
        run.restore(accepted: 1000, cause: .reboot, isReload: true, parameters: .init(accepted: Self.tuned))
        run.read(0, [:])
        run.look(.gone(at: 0))
        run.look(1)
        run.read(2, Self.defaults)
        run.samples(3...3)

        #expect(run.said == ["NOTICE module_absent", Self.reverted])
    }

    @Test func `without one it was written`() {
        var run = JudgeRun()
        run.restore(accepted: 1000, parameters: .init(accepted: Self.tuned))
        run.read(0, Self.defaults)
        run.samples(1...2)

        #expect(run.said == ["NOTICE parameter_changed"])
    }

    @Test func `what was reverted before the restart of the monitor still is`() {
        let kept = reloaded().judge.keep
        #expect(kept?.parameters.reverted["generic_timeout"] == 600)
        var run = JudgeRun()
        run.restore(accepted: 1000, parameters: kept?.parameters ?? .init())
        run.read(0, Self.defaults)
        run.samples(1...2)

        #expect(run.said == [Self.reverted])
        #expect(run.judge.keep?.parameters == kept?.parameters)
    }

    // MARK: Another namespace

    @Test(arguments: [
        (["generic_timeout"], "fix: sysctl -w net.netfilter.nf_conntrack_generic_timeout=120"),
        (["buckets", "generic_timeout"], "fix: sysctl -w net.netfilter.nf_conntrack_generic_timeout=120"),
        (["buckets"], "fix, in the host's namespace: sysctl -w net.netfilter.nf_conntrack_buckets=4096"),
    ])
    func `in another namespace nothing is to be typed that only the host's can write`(
        _ names: [String], _ cure: String
    ) {
        var watch = ParameterWatch()
        _ = watch.observe(Self.tuned, isReload: false)
        let lost = Dictionary(uniqueKeysWithValues: names.map { ($0, UInt64(600)) })
        _ = watch.observe(Self.tuned.merging(lost) { $1 }, isReload: true)

        #expect(watch.verdict(inInitialNamespace: false).explanation.text.hasSuffix(cure))
        #expect(watch.verdict(inInitialNamespace: true).explanation.text.contains("; fix: sysctl -w"))
    }
}
