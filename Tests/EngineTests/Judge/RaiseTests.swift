// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// A limit that is put back after it was raised, and what a reload took of its buckets.
@Suite struct RaiseTests {
    @Test func `raised for a moment and put back, it has not fallen`() {
        var run = JudgeRun()
        run.look(0, limit: 65_536)
        run.look(10, limit: 131_072)
        #expect(run.news() == ["NOTICE limit_changed"])
        run.look(13.1, limit: 65_536)

        #expect(run.said == ["NOTICE limit_changed"])
        #expect(run.lastSummary == "nf_conntrack_max 131072 -> 65536; put back 3.1s after it was raised from 65536")
        #expect(run.judge.baseline?.limit == 65_536)
        #expect(run.judge.drops == [:])
    }

    @Test(
        arguments: [
            ("to more than it was", 59.9, 1500, 100, "NOTICE limit_changed"),
            ("to less than it was", 10, 999, 100, "CRITICAL limit_dropped"),
            ("a minute later", 60, 1000, 100, "CRITICAL limit_dropped"),
            ("while it is needed", 10, 1000, 750, "CRITICAL limit_dropped"),
            ("just before it is needed", 10, 1000, 749, "NOTICE limit_changed"),
            ("while the count is not known", 10, 1000, nil, "CRITICAL limit_dropped"),
        ] as [(String, Double, UInt64, UInt64?, String)])
    func `raised and put back`(
        _ what: String, _ after: Double, _ limit: UInt64, _ entries: UInt64?, _ said: String
    ) {
        var run = JudgeRun()
        run.look(0, entries: 100, limit: 1000)
        run.look(10, entries: 100, limit: 2000)
        _ = run.news()
        run.look(10 + after, entries: entries, limit: limit)

        #expect(run.said == [said], "\(what)")
    }

    @Test(arguments: [(2000, "CRITICAL limit_dropped"), (1000, "NOTICE limit_changed")] as [(UInt64, String)])
    func `put back below what is configured or expected, it has fallen`(_ wanted: UInt64, _ said: String) {
        for isFlag in [false, true] {
            var run = JudgeRun { $0.expectMax = isFlag ? wanted : nil }
            if !isFlag { run.configure(wanted) }
            run.look(0, limit: 1000)
            run.look(10, limit: 2000)
            _ = run.news()
            run.look(11, limit: 1000)

            #expect(run.said == [said], "\(isFlag)")
        }
    }

    @Test func `raised in steps, it may be put back in steps or at once`() {
        for down in [[3000, 2000, 1000], [2000, 1000], [1000], [2500, 1500, 1000]] as [[UInt64]] {
            var run = JudgeRun()
            for (second, limit) in ([1000, 2000, 3000, 4000] + down).enumerated() {
                run.look(Double(second), limit: limit)
            }

            #expect(run.said.allSatisfy { $0 == "NOTICE limit_changed" }, "\(down): \(run.said)")
            #expect(run.lastSummary.contains("; put back "))
            #expect(run.lastSummary.hasSuffix(" after it was raised from 1000"))
            run.look(20, limit: 999)
            #expect(run.said.last == "CRITICAL limit_dropped")
        }
    }

    @Test func `put back once, it falls when it is lowered again`() {
        var run = JudgeRun()
        for (second, limit) in [1000, 2000, 1000].enumerated() { run.look(Double(second), limit: UInt64(limit)) }
        _ = run.news()
        run.look(3, limit: 900)

        #expect(run.said == ["CRITICAL limit_dropped"])
    }

    @Test func `raised before a reload, it was not put back by one`() {
        var run = JudgeRun()
        run.look(0, limit: 1000)
        run.look(1, limit: 2000)
        run.look(2, limit: 2000, unloaded: true)
        run.look(5, limit: 2000)
        _ = run.news()
        run.look(6, limit: 1000)

        #expect(run.said == ["CRITICAL limit_dropped"])
    }

    @Test func `buckets that a reload took away are put back with the limit`() {
        var run = JudgeRun()
        run.look(0, limit: 1000)
        run.read(0, ["buckets": 512, "udp_timeout": 30])
        run.look(1, limit: 500, unloaded: true)
        run.read(2, ["buckets": 128, "udp_timeout": 30])
        run.look(3, limit: 500)

        #expect(
            run.lastSummary.contains(
                "; fix: sysctl -w net.netfilter.nf_conntrack_max=1000 net.netfilter.nf_conntrack_buckets=512; prevent"),
            "\(run.lastSummary)")
    }
}
