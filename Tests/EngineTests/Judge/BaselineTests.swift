// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// The limit beside what sysctl configuration says.
@Suite struct BaselineTests {
    private static let dropped = "CRITICAL limit_dropped"
    private static let changed = "NOTICE limit_changed"
    private static let notApplied = "WARNING limit_not_applied"

    /// 0 is unlimited everywhere.
    @Test(
        arguments: [
            ("above what is configured", 1000, 700, 500, changed, 700),
            ("to what is configured", 1000, 500, 500, changed, 500),
            ("below what is configured", 1000, 499, 500, dropped, 1000),
            ("with nothing configured", 1000, 999, nil, dropped, 1000),
            ("more configured than there ever was", 1000, 700, 2000, dropped, 1000),
            ("from unlimited to what is configured", 0, 500, 500, changed, 500),
            ("from unlimited, with unlimited configured", 0, 500, 0, dropped, 0),
            ("with unlimited configured, which was not there", 1000, 500, 0, dropped, 1000),
            ("raised, whatever is configured", 1000, 1500, 2000, changed, 1500),
            ("raised to unlimited", 1000, 0, 500, changed, 0),
        ] as [(String, UInt64, UInt64, UInt64?, String, UInt64)])
    func `a write is judged by what is configured`(
        _ what: String, _ before: UInt64, _ after: UInt64, _ configured: UInt64?, _ said: String, _ baseline: UInt64
    ) {
        var run = JudgeRun()
        run.configure(configured)
        run.look(0, limit: before)
        run.look(1, limit: after)

        #expect(run.said == [said], "\(what)")
        #expect(run.judge.baseline?.limit == baseline, "\(what)")
        #expect(run.judge.drops == (said == Self.dropped ? [.sysctlWrite: 1] : [:]), "\(what)")
    }

    @Test func `a limit written down to its configuration says where that stands, and a later fall counts from there`()
    {
        var run = JudgeRun()
        run.configure(500)
        run.look(0, limit: 1000)
        run.look(1, limit: 500)
        #expect(run.lastSummary.hasSuffix("not below what /etc/sysctl.d/90-conntrack.conf:3 says"))
        #expect(run.news() == [Self.changed])
        run.look(2, limit: 499)

        #expect(run.said == [Self.dropped])
        #expect(run.lastSummary.hasPrefix("nf_conntrack_max 500 -> 499 "))
    }

    @Test func `a fallen limit written up to its configuration has not fallen any more`() {
        var run = JudgeRun()
        run.configure(800)
        run.look(0, limit: 1000)
        run.look(1, limit: 500, unloaded: true)
        run.look(3, limit: 500)
        run.look(4, limit: 799)
        #expect(run.news() == ["NOTICE module_reloaded", Self.dropped])
        run.look(5, limit: 800)

        #expect(run.said == ["RESOLVED limit_dropped"])
        #expect(run.judge.baseline?.limit == 800)
    }

    @Test func `a limit above its configuration that a reload takes has fallen`() {
        var run = JudgeRun()
        run.configure(500)
        run.look(0, limit: 1000)
        run.look(1, limit: 500, unloaded: true)
        run.look(3, limit: 500)

        #expect(run.said == ["NOTICE module_reloaded", Self.dropped])
        #expect(run.judge.drops == [.moduleReload: 1])
    }

    // MARK: limit_not_applied

    @Test func `below its configuration from the start, it is said with place and cure until it is applied`() {
        var run = JudgeRun { $0.repeatEvery = .zero }
        run.configure(1_048_576)
        run.samples(0...9, limit: 262_144)
        #expect(run.news() == [Self.notApplied])
        run.samples(10...10, limit: 262_145)
        #expect(run.news() == [Self.changed])
        run.samples(11...11, limit: 1_048_576)

        #expect(run.said == [Self.changed, "RESOLVED limit_not_applied"])
        #expect(
            run.lastSummary
                == "after 11.0s: nf_conntrack_max is 1048576, /etc/sysctl.d/90-conntrack.conf:3 says 1048576")
    }

    @Test func `its line names value, place, writer and cure`() {
        var judge = Judge(settings: RuleSettings(), identity: Identity(host: "gw12", netns: "root"))
        judge.origin = LimitOrigin()
        judge.configure(limit: ConfiguredLimit(limit: 1000, place: "/etc/sysctl.conf:7"), parameters: [:])
        _ = judge.observe(.at(0, limit: 512))
        let said = judge.judge(.at(0, limit: 512) { $0.buckets = 64 })

        #expect(
            said.map(\.summary) == [
                "nf_conntrack_max is 512, but /etc/sysctl.conf:7 says 1000; it looks like 8 x hashsize 64, as a load with"
                    + " it gives; fix: sysctl -w net.netfilter.nf_conntrack_max=1000 net.netfilter.nf_conntrack_buckets=512"
            ])
    }

    @Test func `where a program writes the limit, its setting is the fix and not the sysctl`() {
        var judge = Judge(settings: RuleSettings(), identity: Identity(host: "gw12", netns: "root"))
        judge.origin = LimitOrigin(
            programs: [LimitProgram(name: "kube-proxy", value: 131_072, cure: "change kube-proxy's --conntrack-min")])
        judge.configure(limit: ConfiguredLimit(limit: 1_048_576, place: "/etc/sysctl.conf:7"), parameters: [:])
        _ = judge.observe(.at(0, limit: 131_072))
        let notApplied = judge.judge(.at(0, limit: 131_072)).map(\.summary)
        _ = judge.observe(.at(1, limit: 262_144))
        let dropped = judge.observe(.at(2, limit: 131_072)).map(\.summary)

        for summary in notApplied + dropped {
            let fix = "fix: change kube-proxy's --conntrack-min, or kube-proxy writes it again"
            #expect(summary.hasSuffix(fix), "\(summary)")
            #expect(!summary.contains("sysctl -w"))
        }
        #expect(notApplied.count == 1)
        #expect(dropped.count == 1)
        let start = "nf_conntrack_max 262144 -> 131072 (kube-proxy's value; written while"
        #expect(dropped.first?.hasPrefix(start) == true, "\(dropped)")
    }

    @Test func `boot may still be under way: not said before --boot-grace`() {
        var run = JudgeRun { $0.bootGrace = .seconds(86_400 + 60) }
        run.configure(1000)
        run.samples(0...59, limit: 500)
        #expect(run.said == [])
        run.samples(60...60, limit: 500)

        #expect(run.said == [Self.notApplied])
    }

    @Test func `a configured limit that is not lower than the live one says nothing`() {
        for (live, configured) in [(1000, 1000), (1000, 500), (0, 500), (0, 0)] as [(UInt64, UInt64)] {
            var run = JudgeRun()
            run.configure(configured)
            run.samples(0...5, entries: 1, limit: live)
            #expect(run.said == [], "\(live) \(configured)")
        }
    }

    @Test func `a configuration that is taken back ends it`() {
        var run = JudgeRun()
        run.configure(1000)
        run.samples(0...1, limit: 500)
        run.configure(nil)
        run.samples(2...2, limit: 500)

        #expect(run.said == [Self.notApplied, "RESOLVED limit_not_applied"])
        #expect(run.lastSummary == "after 2.0s: nf_conntrack_max is 500, and nothing is configured")
    }

    @Test func `a fall that was seen explains it, and SIGHUP settles both`() {
        var run = JudgeRun()
        run.configure(1000)
        run.samples(0...1, limit: 1000)
        run.samples(2...5, limit: 500)
        #expect(run.news() == [Self.dropped])
        run.accept()
        run.samples(6...9, limit: 500)

        #expect(run.said == ["RESOLVED limit_dropped"])
    }

    @Test func `so does adoption, until something else is configured`() {
        var run = JudgeRun { $0.adopt = .seconds(3) }
        run.configure(1000)
        run.samples(0...1, entries: 1, limit: 1000)
        run.samples(2...9, entries: 1, limit: 500)
        #expect(run.news() == [Self.dropped, "RESOLVED limit_dropped"])
        run.configure(1500)
        run.samples(10...11, entries: 1, limit: 500)

        #expect(run.said == [Self.notApplied])
    }

    @Test func `it does not end because the limit falls further`() {
        var run = JudgeRun()
        run.configure(1000)
        run.samples(0...1, limit: 500)
        run.samples(2...3, limit: 300)
        #expect(run.news() == [Self.notApplied, Self.dropped])
        run.samples(4...5, limit: 500)
        #expect(run.news() == ["RESOLVED limit_dropped"])
        run.samples(6...6, limit: 1000)

        #expect(run.said == [Self.changed, "RESOLVED limit_not_applied"])
    }

    @Test func `a reload is settled before the configuration is compared`() {
        var run = JudgeRun { $0.expectMax = 400 }
        run.configure(1000)
        run.samples(0...0, limit: 1000)
        run.look(0.5, limit: 500, unloaded: true)
        run.samples(1...2, limit: 500)
        #expect(run.said == ["NOTICE module_reloaded"])
        run.samples(3...3, limit: 500)

        #expect(run.said == ["NOTICE module_reloaded", Self.notApplied])
    }
}
