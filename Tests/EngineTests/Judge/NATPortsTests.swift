// SPDX-License-Identifier: GPL-3.0-or-later

import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

/// nat_ports_low, by what is known of NAT's ports at the end of an interval.
@Suite struct NATPortsTests {
    private func use(
        _ used: UInt64, surveyed: UInt64?, remote: String = "198.51.100.7",
        range: NATPortRange = NATPortRange.own[0]
    ) -> NATPortUse {
        NATPortUse(
            address: .of("192.0.2.1"),
            destination: Flow.Endpoint(AddressPrefix(.of(remote)), protocol: .tcp, port: 443), used: used,
            range: range, surveyed: surveyed)
    }

    private func ports(_ uses: [NATPortUse]) -> NATPorts {
        var ports = NATPorts()
        ports.uses = uses
        return ports
    }

    private func said(_ steps: [NATPorts?], _ change: (inout RuleSettings) -> Void = { _ in }) -> [String] {
        var run = JudgeRun(change)
        for (second, step) in steps.enumerated() { run.samples(second...second) { $0.natPorts = step } }
        return run.said
    }

    @Test func `nothing fires that no dump has confirmed`() {
        #expect(said([ports([use(64_000, surveyed: nil)]), ports([use(64_000, surveyed: 51_000)])]) == [])
        #expect(
            said([ports([use(64_000, surveyed: nil)]), ports([use(62_000, surveyed: 62_000)])]) == [
                "CRITICAL nat_ports_low"
            ])
    }

    @Test func `it warns, becomes critical, and ends ten points below`() {
        let course: [UInt64] = [45_000, 51_609, 51_610, 61_286, 61_287, 55_000, 54_000, 45_200, 45_100]
        let steps = course.map { ports([use($0, surveyed: 52_000)]) }

        #expect(
            said(steps) == [
                "WARNING nat_ports_low", "CRITICAL nat_ports_low", "WARNING nat_ports_low", "RESOLVED nat_ports_low",
            ])
    }

    @Test func `what is not known begins nothing and ends nothing`() {
        let low = ports([use(60_000, surveyed: 60_000)])
        #expect(said([nil, low, nil, nil, ports([])]) == ["WARNING nat_ports_low", "RESOLVED nat_ports_low"])
    }

    @Test func `its threshold is a flag, and 0 is off`() {
        let half = [ports([use(33_000, surveyed: 33_000)])]
        #expect(said(half) == [])
        #expect(said(half) { $0.natPorts = 0.5 } == ["WARNING nat_ports_low"])
        #expect(said([ports([use(64_512, surveyed: 64_512)])]) { $0.natPorts = 0 } == [])
    }

    @Test func `it says who, where to, how many, and what of`() {
        var run = JudgeRun()
        run.samples(0...0, entries: 62_000, limit: 6_200_000) {
            $0.natPorts = self.ports([self.use(61_800, surveyed: 61_800)])
        }

        #expect(
            run.lastSummary
                == "NAT 192.0.2.1 -> 198.51.100.7:443/tcp uses 61800 of 64512 ports (95.8%), 2712 left; 1024-65535 is the"
                + " kernel's own range, where the rule names none; new connections there begin to fail before the last port is"
                + " taken: the kernel tries some and gives up; the table itself is at 1.00%; next: conntrack -L -p tcp -q"
                + " 192.0.2.1 -r 198.51.100.7; fix: more addresses in the snat rule (masquerade has only its interface's"
                + " one), or connections there that are reused or end sooner")
        #expect(run.announcements.last?.values["nat_ports_used"] == 61_800)
        #expect(run.announcements.last?.details["nat_destination"] == "198.51.100.7:443/tcp")
    }

    @Test func `a narrower range, and ports that are not found, are said`() {
        var run = JudgeRun()
        let narrow = NATPortRange(lowest: 20_000, highest: 20_999, isObserved: true)
        run.samples(0...10) {
            $0.natPorts = self.ports([self.use(990, surveyed: 990, range: narrow)])
            $0.statsMinute = StatGrowth(StatValues([.insertFailed: 3]), in: .seconds(1))
        }
        let text = run.announcements.first { $0.name == "nat_ports_low" }?.summary ?? ""

        #expect(
            text.contains(
                " uses 990 of 1000 ports (99.0%), 10 left; 20000-20999 is where all ports lie that NAT chose there;"))
        #expect(text.contains("; insert_failed rose by 3 in the last 1s: new connections find no port;"))
        #expect(text.contains("; fix: a wider range or more addresses in the snat rule "))
    }

    @Test func `of many pairs the first are named and the others counted`() {
        var run = JudgeRun()
        run.samples(0...0) {
            $0.natPorts = self.ports(
                (0..<20).map { self.use(UInt64(64_000 - $0 * 100), surveyed: 60_000, remote: "198.51.100.\($0)") })
        }

        #expect(run.lastSummary.contains(", 198.51.100.") == false)
        #expect(
            run.lastSummary.contains(
                "NAT 192.0.2.1 -> 198.51.100.0:443/tcp uses 64000 of 64512 ports (99.2%), 512 left"))
        #expect(
            run.lastSummary.contains(
                " left, 192.0.2.1 -> 198.51.100.2:443/tcp 63800 of 64512 ports (98.9%), 712 left, and 17 more pairs;"))
        #expect(run.lastSummary.utf8.count < 900)
    }

    @Test func `low ports are said to be for low source ports`() {
        var run = JudgeRun()
        run.samples(0...0) { $0.natPorts = self.ports([self.use(500, surveyed: 500, range: NATPortRange.own[2])]) }

        #expect(
            run.lastSummary.contains(
                "500 of 511 ports (97.8%), 11 left; 1-511 is the kernel's own range, where the rule names none, for source"
                    + " ports below 512;"))
    }
}
