// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel
@testable import ConntrackPublish

/// What is said where a kernel shows no statistics.
@Suite struct StatisticsNewsTests {
    private func stream(_ obstacles: [StatisticsObstacle?], drops: UInt64? = nil) -> ObservedStream {
        var stream = ObservedStream()
        for (second, obstacle) in obstacles.enumerated() {
            stream.look(Double(second))
            stream.tick(Double(second)) { kernel in
                kernel.statisticsObstacle = obstacle
                if let drops, obstacle == nil {
                    kernel.statistics = StatisticsReading(perCPU: [StatValues([.drop: drops])])
                }
            }
            if second % 10 == 0 { stream.settings(Double(second)) }
        }
        return stream
    }

    private func said(_ obstacles: [StatisticsObstacle?], drops: UInt64? = nil) -> [String] {
        var run = EngineRun()
        run.take(stream(obstacles, drops: drops))
        return run.outputs.flatMap { output -> [String] in
            guard case .say(let announcements) = output else { return [] }
            return announcements.filter { $0.state == .log }.map(\.summary)
        }
    }

    private static let absent =
        "no statistics: this kernel has no /proc/net/stat/nf_conntrack, and nf_conntrack_netlink, which has them too, is"
        + " not loaded; to have them: modprobe nf_conntrack_netlink, or watch --load-modules (with events); until then"
        + " insert_clash and early_drop cannot fire, table_full only by the kernel's log, and hash_overloaded only by"
        + " entries per bucket"

    @Test func `which alerts cannot fire is said once, and once when they can`() {
        let lack = [StatisticsObstacle?](repeating: .netlinkAbsent, count: 30)

        #expect(said(lack) == [Self.absent])
        #expect(
            said(lack + [.settling, .settling, nil, nil], drops: 5) == [
                Self.absent, "statistics by ctnetlink, and all alerts by them, from now on",
            ])
    }

    @Test func `nothing is said where they are there, come by themselves, or are loaded by us`() {
        #expect(said([nil, nil, nil, nil], drops: 5) == [])
        #expect(said([nil, nil, nil, nil]) == [])
        #expect(said([StatisticsObstacle?](repeating: .settling, count: 10) + [nil], drops: 5) == [])
        #expect(said([.netlinkAbsent, .netlinkAbsent, .settling, .settling, nil], drops: 5) == [])
    }

    @Test func `each cure is for its own reason`() {
        for obstacle in StatisticsObstacle.allCases where obstacle.cure != nil {
            let lines = said([StatisticsObstacle?](repeating: obstacle, count: 5))
            #expect(lines.count == 1)
            #expect(lines.first?.contains(obstacle.words) == true)
            #expect(lines.first?.contains(obstacle.cure ?? "?") == true)
        }
        #expect(StatisticsObstacle.notPermitted.cure == "setcap cap_net_admin+ep conntrack-mon")
    }

    @Test func `status says it too, and that what it has is old`() throws {
        var run = EngineRun()
        run.take(stream([.netlinkAbsent, .netlinkAbsent]))
        let lack = try #require(run.reports.last?.report)
        #expect(
            StatusDocument(lack).text().contains("\n  statistics  none: \(StatisticsObstacle.netlinkAbsent.reason)\n"))
        run = EngineRun()
        run.take(stream([nil, .netlinkAbsent], drops: 5))
        let old = try #require(run.reports.last?.report)
        #expect(
            StatusDocument(old).text().contains(
                "\n  statistics  drop 5; not read now: \(StatisticsObstacle.netlinkAbsent.reason)\n"))
    }

    @Test func `what goes on without events does not name statistics that do not`() {
        var news = EventNews(kernel: "5.15.0-91-generic", source: .auto, hasStatistics: false)
        let line = news.take(.unavailable(EventObstacle(.netlinkAbsent), expected: true))

        #expect(line?.hasSuffix("; table samples and alerts about them go on") == true)
    }

    @Test func `nor does the alert that says that events are gone`() {
        var run = JudgeRun()
        run.samples(0...3) { $0.isNetlinkThere = true }
        run.samples(4...20) { sample in
            sample.isNetlinkThere = false
            sample.statsObstacle = .netlinkAbsent
        }

        let summary = run.announcements.last { $0.name == "events_silent" }?.summary
        #expect(summary?.contains("; table samples and alerts about them go on") == true, "\(summary ?? "nothing")")
    }
}
