// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel
@testable import ConntrackPublish

/// Events that are listened to and do not come, through the engine: what is said, and what is not printed.
@Suite struct SilenceTests {
    private static let fires = "WARNING events_silent"
    private static let ends = "RESOLVED events_silent"

    /// Nothing of events is printed anywhere, but what was lost of them.
    private func expectNothing(_ host: borrowing SilentHost, because reason: String) {
        #expect(host.sample?.kinds == [])
        #expect(host.sample?.talkers == nil)
        #expect(host.sample?.newRate == nil)
        #expect(host.sample?.lostShareOfMinute == nil)
        #expect(!host.line.contains("new=") && !host.line.contains("destroy="), "\(host.line)")
        #expect(host.line.contains(" lost=0 "), "\(host.line)")
        #expect(host.document?.events == nil)
        #expect(host.document?.eventsLost?.total == 0)
        #expect(host.document?.text().contains("\n  events      none come: \(reason)\n") == true)
        #expect(!host.metrics.contains("conntrack_events_total{") && !host.metrics.contains("new_by_protocol_total{"))
        #expect(host.metrics.contains("conntrack_events_lost_total{reason=\"overrun\"} 0\n"))
    }

    // MARK: nf_conntrack_events is 0

    @Test func `a setting of 0 at the start is an alert with the cure after its hold, and no rate is 0`() {
        var host = SilentHost()
        host.setting = 0
        host.pass(10)
        // Read at the start, when it was 2, and again after 10 s.
        host.pass(1)
        #expect(host.sample?.silence == .setting)
        expectNothing(host, because: "nf_conntrack_events is 0")
        #expect(host.said == [])
        host.pass(5)

        #expect(host.said == [Self.fires])
        #expect(
            host.summary
                == "nf_conntrack_events is 0: the kernel makes no events in this network namespace; new and destroyed"
                + " entries are not counted; table samples, statistics and alerts about them go on; fix: sysctl -w"
                + " net.netfilter.nf_conntrack_events=1 (entries made meanwhile never send one); if 0 is meant, --events"
                + " none")
    }

    @Test func `written while events come, it is known as soon as entries come without one`() {
        var host = SilentHost()
        host.pass(12, .heard(50, went: 50))
        #expect(host.line.contains(" new=500/s destroy=500/s "), "\(host.line)")
        host.setting = 0
        host.pass(1, .unheard(50))
        #expect(host.sample?.silence == .setting)
        expectNothing(host, because: "nf_conntrack_events is 0")
        host.pass(6, .unheard(50))
        #expect(host.said == [Self.fires])
        host.setting = 1
        host.pass(1, .heard(50))

        #expect(host.said == [Self.fires, Self.ends])
        #expect(host.line.contains(" new=500/s"), "\(host.line)")
        #expect(host.metrics.contains("conntrack_events_total{event=\"new\"} 6500\n"))
    }

    @Test func `the last events of entries from before do not end it`() {
        var host = SilentHost()
        host.setting = 0
        host.pass(20, SilentHost.Tenth(went: 3, destroy: 3))

        #expect(host.sample?.silence == .setting)
        #expect(host.said == [Self.fires])
    }

    @Test func `set back while nothing happens, it ends with the next reading`() {
        var host = SilentHost()
        host.setting = 0
        host.pass(20, .unheard(20))
        host.setting = 2
        host.pass(10)

        #expect(host.said == [Self.fires, Self.ends])
        #expect(host.line.contains(" new=0/s destroy=0/s "), "\(host.line)")
    }

    // nf_ct_ecache_ext_add: a template with a mask of its own wins over the setting.
    @Test func `where rules choose events in spite of it, nothing is said`() {
        var host = SilentHost()
        host.setting = 0
        host.pass(60, .heard(1))

        #expect(host.said == [])
        #expect(host.line.contains(" new=10/s"), "\(host.line)")
        #expect(host.settingsRead < 12)
    }

    @Test func `who does not listen is told nothing of it`() {
        var host = SilentHost { $0.groups = [] }
        host.setting = 0
        host.pass(30, .unheard(50))

        #expect(host.said == [])
    }

    // MARK: Nobody tells

    @Test func `entries that come unheard for 5 s are a silence, and an event ends it`() {
        var host = SilentHost()
        host.pass(30, .heard(5, went: 5))
        host.pass(6, .unheard(50))
        #expect(host.sample?.silence == .unheard(entries: 2950))
        expectNothing(host, because: "2950 entries came and no event told of them")
        host.pass(6, .unheard(50))
        #expect(host.said == [Self.fires])
        #expect(
            host.summary.hasPrefix(
                "5450 entries came and no event told of them; new and destroyed entries are not counted;"
                    + " another module has taken ctnetlink's place as the notifier, or this kernel was built without"),
            "\(host.summary)")
        host.pass(1, .heard(50))

        #expect(host.said == [Self.fires, Self.ends])
        #expect(host.sample?.silence == nil)
        #expect(host.line.contains(" new=500/s"), "\(host.line)")
    }

    @Test(arguments: [99, 100] as [UInt64])
    func `fewer than 100 are none`(_ count: UInt64) {
        var host = SilentHost()
        host.pass(1)
        host.pass(tenths: 1) { _ in .unheard(count) }
        host.pass(tenths: 199) { _ in .heard(0) }

        #expect(host.said == (count < 100 ? [] : [Self.fires]))
    }

    @Test func `entries that are not confirmed and go again are none`() {
        var host = SilentHost()
        // A queue to userspace that is stuck for 4 s, and packets that are dropped as they come.
        for _ in 0..<5 {
            host.pass(tenths: 1) { _ in .unheard(1024) }
            host.pass(tenths: 40) { _ in .unheard(300, went: 300) }
            host.pass(tenths: 9) { _ in .unheard(0, went: 1024) }
        }

        #expect(host.said == [])
        #expect(host.sample?.silence == nil)
    }

    @Test(arguments: [
        SilentHost.Tenth(came: 50, destroy: 1), SilentHost.Tenth(came: 50, update: 1),
        SilentHost.Tenth(came: 50, lost: 1), .heard(50),
    ])
    func `any event, also a lost one, speaks against it`(_ tenth: SilentHost.Tenth) {
        var host = SilentHost()
        host.pass(30, tenth)

        #expect(host.sample?.silence == nil)
        #expect(!host.said.contains(Self.fires))
    }

    @Test func `an idle table in which a burst begins is not suspected`() {
        var host = SilentHost()
        host.pass(9)
        let before = host.settingsRead
        host.pass(tenths: 1) { _ in .heard(5000) }
        host.pass(tenths: 5) { _ in .heard(0) }

        #expect(host.settingsRead == before)
    }

    @Test func `the settings are read again at most once an interval`() {
        var host = SilentHost()
        host.pass(1)
        let before = host.settingsRead
        host.pass(9, .unheard(200))

        #expect(host.settingsRead - before <= 7)
        #expect(host.settingsRead - before >= 4)
    }

    enum Disturbance: CaseIterable {
        case pause, away, netlink
    }

    @Test(arguments: Disturbance.allCases)
    func `what came while nobody listened or looked is not unheard`(_ disturbance: Disturbance) {
        var host = SilentHost()
        host.pass(2)
        switch disturbance {
        case .pause:
            host.skip(10)
            host.pass(tenths: 1) { _ in .unheard(5000) }
        case .away:
            var duty = EventDuty(settledAt: Moment.at(2).monotonic)
            for tenth in 0..<10 {
                host.pass(tenths: 1) { _ in .unheard(500) }
                duty.away = Double(tenth + 1) / 10
                duty.ratio = 0.5
                host.take(duty)
            }
            host.pass(tenths: 1) { _ in .unheard(0) }
        case .netlink:
            host.isNetlinkThere = false
            host.pass(1)
            host.pass(3, .unheard(500))
            host.isNetlinkThere = true
            host.pass(1)
        }
        host.pass(20)

        #expect(host.said == [])
        #expect(host.sample?.silence == nil)
    }

    // MARK: Neither silent nor gone

    @Test func `without nf_conntrack_netlink nothing is printed either`() {
        var host = SilentHost()
        host.pass(2, .heard(5))
        host.isNetlinkThere = false
        host.pass(2, .unheard(5))

        expectNothing(host, because: "nf_conntrack_netlink is not loaded")
    }

    @Test func `when the socket has failed nothing is printed either`() {
        var host = SilentHost()
        host.pass(2, .heard(5))
        host.take(EventStatus.failed(EventObstacle(.receive, EIO)))
        host.pass(2, .unheard(5))

        #expect(host.sample?.kinds == [])
        #expect(!host.line.contains("new="), "\(host.line)")
        #expect(!host.metrics.contains("conntrack_events_total{"))
        #expect(
            host.document?.text().contains(
                "\n  events      none come: cannot receive from the conntrack event socket: Input/output error\n")
                == true)
    }

    @Test func `no rate and no share goes back into a silence`() throws {
        var host = SilentHost()
        host.pass(40, .heard(50))
        #expect(host.sample?.talkers?.minute.new == 20_000)
        host.setting = 0
        host.pass(20, .unheard(50))
        #expect(host.sample?.talkers == nil)
        host.setting = 1
        host.pass(5, .heard(20))
        let last = host.sample
        let sample = try #require(last)

        #expect(sample.newRate.map { abs($0 - 200) < 5 } == true, "\(sample.newRate ?? -1)")
        #expect(sample.newRateSpan < .seconds(7))
    }

    @Test func `what was lost before a silence is still lost in the last minute after it, and not forgiven in it`() {
        var host = SilentHost()
        host.pass(5, .heard(50))
        host.pass(1, SilentHost.Tenth(came: 50, new: 40, lost: 10))
        host.setting = 0
        host.pass(20, .unheard(50))
        #expect(host.run.said.filter { $0.hasSuffix(" events_lost") } == ["WARNING events_lost"])
        host.setting = 1
        host.pass(2, .heard(50))

        #expect(host.sample?.lostMinute.total == 100)
        host.pass(120, .heard(50))
        #expect(
            host.run.said.filter { $0.hasSuffix(" events_lost") } == ["WARNING events_lost", "RESOLVED events_lost"])
    }

    // MARK: What the table says of an interval

    @Test func `a table that only drains after the start has no destroy rate, and a new rate of 0`() {
        var host = SilentHost(entries: 100_000)
        host.pass(5, .unheard(0, went: 10))
        #expect(host.line.contains(" new=0/s lost=0 "), "\(host.line)")
        host.pass(2, .heard(0, went: 10))
        #expect(host.line.contains(" new=0/s destroy=100/s lost=0 "), "\(host.line)")
    }

    @Test func `entries that are replaced unheard have no destroy rate`() {
        var host = SilentHost(entries: 100_000)
        host.pass(5, SilentHost.Tenth(came: 10, went: 10, new: 10))

        #expect(host.line.contains(" new=100/s lost=0 "), "\(host.line)")
    }

    @Test func `entries that rise by less than a silence have no new rate`() {
        var host = SilentHost()
        host.pass(3)
        host.pass(3, .unheard(1))

        #expect(host.sample?.silence == nil)
        #expect(host.line.contains(" destroy=0/s lost=0 ") && !host.line.contains("new="), "\(host.line)")
        #expect(host.document?.newPerSecond == nil)
        #expect(host.metrics.contains("conntrack_events_total{event=\"new\"} 0\n"))
    }

    @Test func `an event that is counted a little after the look that saw its entry is in no doubt`() {
        var host = SilentHost()
        var lines: [String] = []
        for second in 0..<30 {
            // The last look before the end of an interval sees it, and the event comes with the next interval.
            host.pass(tenths: 9) { _ in .heard(0) }
            host.pass(tenths: 1) { _ in second % 3 == 0 ? .unheard(1) : .heard(0) }
            if second % 3 == 0 { host.hear(SilentHost.Tenth(new: 1), at: host.time + 0.05) }
            lines.append(host.line)
        }

        // Only the interval whose event had not come yet says nothing of it.
        #expect(lines.count { $0.contains(" new=0/s ") } == 10)
        #expect(lines.count { $0.contains(" new=1/s ") } == 10)
    }
}

extension StatusDocument {
    fileprivate var newPerSecond: Double? { events?.newPerSecond }
}
