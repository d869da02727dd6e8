// SPDX-License-Identifier: GPL-3.0-or-later

import CNetfilter
import Glibc
import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// What a dump's entries are said to be full of.
@Suite struct SurveyTests {
    private func entry(_ number: Int, source: UInt8 = 1, _ change: (inout cnf_entry) -> Void = { _ in }) -> cnf_entry {
        var entry = cnf_entry()
        entry.family = UInt8(AF_INET)
        entry.protocol = UInt8(number)
        entry.tcp_state = UInt8(CNF_NO_TCP_STATE)
        entry.original.source.0 = 203
        entry.original.source.3 = source
        entry.timeout = 100
        change(&entry)
        return entry
    }

    private func tcp(_ state: UInt8, source: UInt8 = 1, timeout: UInt32 = 100) -> cnf_entry {
        entry(IPPROTO_TCP, source: source) {
            $0.tcp_state = state
            $0.timeout = timeout
        }
    }

    private func survey(_ entries: [cnf_entry], establishedTimeout: UInt64? = 432000) -> Survey {
        var counter = SurveyCounter(establishedTimeout: establishedTimeout, seed: .repeatable)
        counter.take(entries.span)
        return counter.survey(at: .at(0), took: .seconds(1), isInterrupted: false)
    }

    /// `entries` among others that tell nothing: each of another source, established and alive.
    private func among(_ others: Int, _ entries: [cnf_entry]) -> [cnf_entry] {
        entries + (0..<others).map { tcp(3, source: UInt8(10 + $0 % 200), timeout: 431_990) }
    }

    @Test func `half-open connections are counted, and their command named`() {
        let seen = survey(among(39, (0..<61).map { tcp(2, source: UInt8($0)) }))

        #expect(seen.entries == 100)
        #expect(seen.synReceived == 61)
        #expect(seen.causes.map(\.id) == ["syn_recv"])
        #expect(
            seen.text
                == "why: SYN_RECV 61.0% (half-open connections: a SYN flood, or the other direction goes another way);"
                + " next: conntrack -L -p tcp --state SYN_RECV")
        #expect(seen.values["syn_recv_ratio"] == 0.61)
    }

    @Test func `DNS is UDP to port 53, and neither TCP nor another port`() {
        func to(_ port: UInt16, _ number: Int, _ source: UInt8) -> cnf_entry {
            entry(number, source: source) { $0.original.destination_port = port }
        }
        let dns = (0..<50).map { to(53, IPPROTO_UDP, UInt8($0)) }
        let seen = survey(
            among(
                30,
                dns + (0..<10).map { to(5353, IPPROTO_UDP, UInt8($0)) }
                    + (0..<10).map { to(53, IPPROTO_TCP, UInt8($0)) }))

        #expect(seen.dns == 50)
        #expect(seen.causes.map(\.id) == ["dns"])
    }

    @Test func `closed connections that wait are told from open ones`() {
        let seen = survey(among(60, (0..<40).map { tcp(7, source: UInt8($0)) }))

        #expect(seen.timeWait == 40)
        #expect(seen.causes.map(\.id) == ["time_wait"])
        #expect(seen.causes.first?.next == "sysctl -w net.netfilter.nf_conntrack_tcp_timeout_time_wait=30")
    }

    @Test func `an established connection is idle when an hour of its timeout has passed`() {
        let idle = (0..<50).map { tcp(3, source: UInt8($0), timeout: 432_000 - 3600) }
        let alive = (0..<50).map { tcp(3, source: UInt8(100 + $0), timeout: 432_000 - 3599) }

        #expect(survey(idle + alive).idleEstablished == 50)
        #expect(survey(idle + alive).causes.map(\.id) == ["idle_established"])
        #expect(survey(idle + alive, establishedTimeout: nil).idleEstablished == nil)
        // With a timeout of an hour nothing is kept idle for one.
        #expect(survey(idle + alive, establishedTimeout: 3600).idleEstablished == nil)
    }

    @Test func `a source that holds a third of the table is named`() {
        let seen = survey(among(60, (0..<40).map { _ in entry(IPPROTO_UDP, source: 9) }))

        #expect(seen.source == Survey.Holder(AddressPrefix(.of("203.0.0.9")), entries: 40))
        #expect(seen.causes.map(\.id) == ["one_source"])
        #expect(seen.text.hasSuffix("next: conntrack -L -s 203.0.0.9"))
    }

    @Test func `a NAT address near its ports towards one destination is named, one far from them is not`() {
        func translated(_ count: Int) -> [cnf_entry] {
            (0..<count).map { number in
                entry(IPPROTO_TCP, source: UInt8(number % 200)) {
                    $0.status = 1 << 4
                    $0.reply.destination = (192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
                    $0.reply.source = (198, 51, 100, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
                    $0.reply.source_port = 443
                }
            }
        }
        let seen = survey(translated(60_000))
        let destination = Flow.Endpoint(AddressPrefix(.of("198.51.100.7")), protocol: .tcp, port: 443)
        let pair = Survey.NATPair(address: .of("192.0.2.1"), destination: destination)
        #expect(seen.natPair == Survey.Holder(pair, entries: 60_000))
        #expect(seen.causes.map(\.id) == ["nat_ports"])
        #expect(seen.text.hasPrefix("why: NAT 192.0.2.1 -> 198.51.100.7:443/tcp uses 60000 of 64512 ports"))
        #expect(survey(translated(40_000)).causes == [])
    }

    @Test func `a dump that was disturbed gives a survey that says so`() {
        let counter = SurveyCounter(establishedTimeout: nil, seed: .repeatable)
        #expect(counter.survey(at: .at(0), took: .zero, isInterrupted: true).isInterrupted)
    }

    @Test func `several causes stand in the order of their share`() {
        let seen = survey(
            among(10, (0..<60).map { _ in tcp(2, source: 9) } + (0..<30).map { tcp(7, source: UInt8($0)) }))

        #expect(
            seen.causes.map(\.id) == ["one_source", "syn_recv", "time_wait"]
                || seen.causes.map(\.id) == ["syn_recv", "one_source", "time_wait"])
        #expect(seen.text.contains(", TIME_WAIT 30.0%;"))
    }

    @Test func `when nothing stands out it says that, and where to look`() {
        #expect(
            survey(among(100, [])).text
                == "why: nothing stands out among 100 entries; next: conntrack-mon top --by source")
        #expect(survey([]).causes == [])
    }
}
