// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// What each alert has in which part; the joined text is today's line.
@Suite struct AlertPartsTests {
    /// The first line of every alert there is, each from a run that makes it fire.
    private static let fired: [AlertName: Announcement] = {
        var quick = RuleSettings()
        (quick.warnHold, quick.critHold, quick.unloadHold, quick.settle) = (.zero, .zero, .zero, .zero)
        quick.absent = .warning
        var said: [Announcement] = []
        func run(_ act: (inout Judge) -> [Announcement]) {
            var judge = Judge(settings: quick, identity: Identity(host: "gw12", netns: "root"))
            said += act(&judge)
        }
        func sample(_ entries: UInt64 = 100, _ change: @escaping (inout Sample) -> Void) {
            run { judge in (0...60).flatMap { judge.judge(.at(Double($0), entries: entries, change)) } }
        }
        sample(800) { _ in }
        sample { $0.tableFullLines.ours = 1 }
        sample { $0.statsMinute = StatGrowth(StatValues([.insertFailed: 120]), in: .seconds(60)) }
        sample { $0.statsHalfMinute = StatGrowth(StatValues([.earlyDrop: 330]), in: .seconds(30)) }
        sample(600) { $0.fillRate = 2 }
        sample(401) { $0.buckets = 100 }
        run { judge in
            judge.kernel = KernelRelease("6.1.19")
            return (0...60).flatMap { second in
                judge.judge(.at(Double(second), entries: 190, limit: 1000) { $0.buckets = 100 })
            }
        }
        sample { sample in
            sample.eventsMinute = 100
            sample.lostMinute.overrun = 50
        }
        sample { sample in
            let destination = Flow.Endpoint(AddressPrefix(.of("198.51.100.7")), protocol: .tcp, port: 443)
            var ports = NATPorts()
            ports.uses = [
                NATPortUse(
                    address: .of("192.0.2.1"), destination: destination, used: 60_000, range: NATPortRange.own[0],
                    surveyed: 60_000)
            ]
            sample.natPorts = ports
        }
        sample { $0.isNetlinkThere = false }
        sample {
            $0.degraded = [Degradation(part: "textfile", reason: "No space left on device", remains: "lines go on")]
        }
        run { judge in
            judge.configure(limit: ConfiguredLimit(limit: 2000, place: "/etc/sysctl.conf:7"), parameters: [:])
            return judge.observe(.at(0)) + judge.judge(.at(1))
        }
        run { $0.observe(.at(0)) + $0.observe(.at(1, limit: 500, unloaded: true)) + $0.observe(.at(2, limit: 500)) }
        run { $0.observe(.at(0)) + $0.observe(.gone(at: 1)) + $0.observe(.gone(at: 2)) }
        run { $0.observe(.gone(at: 0)) + $0.judge(.at(1, entries: nil, limit: nil) { $0.table = .gone(at: 1) }) }
        run { judge in
            let place = ConfiguredParameter(value: 86_400, place: "/etc/sysctl.conf:8")
            judge.configure(limit: nil, parameters: ["tcp_timeout_established": place])
            return judge.observe(.at(0)) + judge.observe(parameters: ["tcp_timeout_established": 432_000], at: .at(0))
                + judge.judge(.at(1))
        }
        let firing = said.filter { $0.state == .firing }
        return Dictionary(
            firing.compactMap { said in AlertName(rawValue: said.name).map { ($0, said) } }
        ) { first, _ in first }
    }()

    @Test(arguments: AlertName.allCases)
    func `every alert but one about the monitor itself says what ends it`(_ name: AlertName) throws {
        let explanation = try #require(Self.fired[name]).explanation

        #expect((explanation.fix == nil) == (name == .monitorDegraded))
        #expect(!explanation.what.isEmpty)
        #expect((explanation.prevent == nil) == (name != .limitDropped))
    }

    @Test(arguments: AlertName.allCases)
    func `no part carries another one's separator`(_ name: AlertName) throws {
        let explanation = try #require(Self.fired[name]).explanation
        let parts = [explanation.what, explanation.next, explanation.fix?.text, explanation.prevent].compactMap { $0 }

        for part in parts + explanation.why {
            #expect(!["; fix", "; prevent:", "; next:"].contains { part.contains($0) }, "\(part)")
        }
    }

    @Test(arguments: [
        (
            AlertName.limitDropped,
            "nf_conntrack_max 1000 -> 500 (module reloaded 0.0s ago, 100 tracked connections forgotten); the highest count"
                + " is not known for 10 minutes yet; fix: sysctl -w net.netfilter.nf_conntrack_max=1000; prevent:"
                + " conntrack-mon doctor"
        ),
        (
            .limitNotApplied,
            "nf_conntrack_max is 1000, but /etc/sysctl.conf:7 says 2000; fix: sysctl -w net.netfilter.nf_conntrack_max=2000"
        ),
        (
            .moduleUnloaded,
            "nf_conntrack has been gone for 0.0s: nothing is tracked, and rules that need it match nothing; fix: start the"
                + " firewall again, then check net.netfilter.nf_conntrack_max"
        ),
        (
            .parametersReverted,
            "tcp_timeout_established 86400 -> 432000 (kernel default), against /etc/sysctl.conf:8; fix: sysctl -w"
                + " net.netfilter.nf_conntrack_tcp_timeout_established=86400"
        ),
        (
            .hashOverloaded,
            "100 buckets for this namespace's 401 entries: at least 8.0 to search for each packet; fix: sysctl -w"
                + " net.netfilter.nf_conntrack_buckets=401"
        ),
        (
            .hashRefuses,
            "at least 190 entries of about 199 that the hash chains of this kernel take with 100 buckets (8 to 31 long); from"
                + " there on more than 1 new connection in 1000 is refused, and nf_conntrack_max 1000 is not reached; fix:"
                + " sysctl -w net.netfilter.nf_conntrack_buckets=1024"
        ),
        (
            .eventsLost,
            "50 events (50 overrun) lost in the last minute (33.3%); counts by events are too low by that; table samples and"
                + " alerts about them are not affected; fix: a larger --receive-buffer (overrun) or --ring (dropped)"
        ),
        (
            .eventsSilent,
            "no events since the reload: nf_conntrack came back without nf_conntrack_netlink; table samples, statistics and"
                + " alerts about them go on; fix: modprobe nf_conntrack_netlink, or watch --load-modules"
        ),
        (.monitorDegraded, "textfile: No space left on device; lines go on"),
    ])
    func `its parts join to the line there has always been`(_ name: AlertName, _ text: String) throws {
        #expect(try #require(Self.fired[name]).summary == text)
    }

    @Test func `a survey is a reason, a next command, and an age once that matters`() throws {
        var settings = RuleSettings()
        settings.warnHold = .zero
        var judge = Judge(settings: settings, identity: Identity(host: "gw12", netns: "root"))
        var survey = Survey(moment: .at(0))
        (survey.entries, survey.synReceived) = (800, 600)
        let said = judge.judge(.at(75, entries: 800) { $0.survey = survey })
        let explanation = try #require(said.first { $0.name == "usage_high" }).explanation

        #expect(explanation.what == "800 of 1000 entries (80.0%, threshold 75.0%)")
        #expect(explanation.why == [survey.reason])
        #expect(explanation.next == "conntrack -L -p tcp --state SYN_RECV")
        #expect(explanation.age == .seconds(75))
        let fix = "sysctl -w net.netfilter.nf_conntrack_max=2000, and nf_conntrack_buckets to match"
        #expect(explanation.fix == .init(fix))
        #expect(explanation.text.hasSuffix("; next: conntrack -L -p tcp --state SYN_RECV (75.0s ago); fix: \(fix)"))
    }
}
