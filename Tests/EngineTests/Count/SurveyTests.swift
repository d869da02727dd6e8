// SPDX-License-Identifier: GPL-3.0-or-later

import CRecord
import Glibc
import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

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
            $0.original.destination.3 = source
            if state != 1 { $0.status = EntryStatus.seenReply.rawValue }
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
            seen.reason
                == "why: SYN_RECV 61.0% (half-open connections: a SYN flood, or the other direction goes another way)")
        #expect(seen.next == "conntrack -L -p tcp --state SYN_RECV")
        #expect(seen.values["syn_recv_ratio"] == 0.61)
    }

    @Test func `connections that nobody answers are counted, and their command named`() {
        let seen = survey(among(70, (0..<30).map { tcp(1, source: UInt8($0)) }))

        #expect(seen.synSent == 30)
        #expect(seen.unreplied == 30)
        // Told once, as what they are.
        #expect(seen.causes.map(\.id) == ["syn_sent"])
        #expect(seen.reason?.hasPrefix("why: SYN_SENT 30.0% (connections that nobody answers: ") == true)
        #expect(seen.next == "conntrack -L -p tcp --state SYN_SENT")
        #expect(seen.values["syn_sent_ratio"] == 0.3)
    }

    @Test func `what goes one way only is counted`() {
        func oneWay(_ number: Int, _ source: UInt8) -> cnf_entry {
            entry(number, source: source) { $0.original.destination.3 = source }
        }
        let seen = survey(
            among(60, (0..<20).map { oneWay(IPPROTO_UDP, $0) } + (20..<40).map { oneWay(IPPROTO_ICMP, $0) }))

        #expect(seen.unreplied == 40)
        #expect(seen.causes.map(\.id) == ["unreplied"])
        #expect(seen.reason?.hasPrefix("why: never answered 40.0% (one way only: ") == true)
        #expect(seen.next == "conntrack-mon top --by destination,port,state")
    }

    @Test func `a destination that holds a third of the table is named, with port and protocol`() {
        let seen = survey(
            among(
                60,
                (0..<40).map { number in
                    entry(IPPROTO_UDP, source: UInt8(number)) {
                        $0.original.destination = (127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
                        $0.original.destination_port = 9999
                        $0.status = EntryStatus.seenReply.rawValue
                    }
                }))

        #expect(seen.destination?.who.text == "127.0.0.1:9999/udp")
        #expect(seen.destination?.entries == 40)
        #expect(seen.causes.map(\.id) == ["one_destination"])
        #expect(seen.reason == "why: destination 127.0.0.1:9999/udp 40.0% (one service)")
        #expect(seen.next == "conntrack-mon top --by destination,port")
        #expect(seen.values["table_destination_ratio"] == 0.4)
    }

    @Test func `what the entries are stands before whose they are`() {
        let seen = survey((0..<100).map { tcp($0 < 40 ? 7 : 3, source: 9, timeout: 431_990) })

        #expect(seen.causes.map(\.id) == ["time_wait", "one_source", "one_destination"])
        #expect(seen.next?.contains("time_wait") == true)
    }

    @Test(arguments: [0, 1 << 4, 1 << 5] as [UInt32])
    func `no notrack where anything is translated`(_ status: UInt32) {
        func query(_ source: UInt8) -> cnf_entry {
            entry(IPPROTO_UDP, source: source) {
                $0.original.destination_port = 53
                $0.original.destination.3 = source
                $0.status = EntryStatus.seenReply.rawValue
            }
        }
        var others = among(50, (0..<50).map { query($0) })
        others[99].status |= status
        let seen = survey(others)

        #expect(seen.translated == (status == 0 ? 0 : 1))
        #expect(seen.next?.hasPrefix("conntrack-mon top --by source,port, then a resolver cache nearby or") == true)
        #expect(seen.next?.contains("notrack") == (status == 0))
        #expect(seen.next?.contains("if this host translates nothing") == (status == 0))
    }

    @Test(arguments: [(432_000, true), (86_401, true), (86_400, false), (7440, false)] as [(UInt64, Bool)])
    func `a timeout is never shortened below a day`(_ timeout: UInt64, _ isShortened: Bool) {
        let seen = survey(
            (0..<100).map { tcp(3, source: UInt8($0), timeout: UInt32(timeout) - 3600) }, establishedTimeout: timeout)

        #expect(seen.causes.map(\.id) == ["idle_established"])
        #expect(seen.next?.contains("timeout_established=86400") == isShortened)
        #expect(seen.reason?.contains("are kept for \(readable(seconds: Double(timeout))) each") == true)
    }

    @Test func `DNS is UDP to port 53, and neither TCP nor another port`() {
        func to(_ port: UInt16, _ number: Int, _ source: UInt8) -> cnf_entry {
            entry(number, source: source) {
                $0.original.destination_port = port
                $0.original.destination.3 = source
                $0.status = EntryStatus.seenReply.rawValue
            }
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
        // To be read, not written: it may be low already.
        #expect(
            seen.next == "sysctl net.netfilter.nf_conntrack_tcp_timeout_time_wait (120 is usual, 60 is enough)")
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
        let seen = survey(
            among(
                60,
                (0..<40).map { number in
                    entry(IPPROTO_UDP, source: 9) {
                        $0.original.destination.3 = UInt8(number)
                        $0.status = EntryStatus.seenReply.rawValue
                    }
                }))

        #expect(seen.source == Survey.Holder(AddressPrefix(.of("203.0.0.9")), entries: 40))
        #expect(seen.causes.map(\.id) == ["one_source"])
        #expect(seen.next == "conntrack -L -s 203.0.0.9")
    }

    @Test func `a NAT address near its ports towards one destination is named, one far from them is not`() {
        func translated(_ count: Int) -> [cnf_entry] {
            (0..<count).map { number in
                entry(IPPROTO_TCP, source: UInt8(number % 200)) {
                    $0.status = EntryStatus([.sourceNAT, .seenReply]).rawValue
                    $0.original.destination.2 = UInt8(number % 251)
                    $0.reply.destination = (192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
                    $0.reply.source = (198, 51, 100, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
                    $0.reply.source_port = 443
                    $0.reply.destination_port = 40_000
                }
            }
        }
        let seen = survey(translated(60_000))
        let destination = Flow.Endpoint(AddressPrefix(.of("198.51.100.7")), protocol: .tcp, port: 443)
        let pair = Survey.NATPair(address: .of("192.0.2.1"), destination: destination)
        #expect(seen.natPair == Survey.Holder(pair, entries: 60_000))
        #expect(seen.causes.map(\.id) == ["nat_ports"])
        #expect(seen.reason?.hasPrefix("why: NAT 192.0.2.1 -> 198.51.100.7:443/tcp uses 60000 of 64512 ports") == true)
        #expect(survey(translated(40_000)).causes == [])
    }

    @Test func `a dump that was disturbed gives a survey that says so`() {
        let counter = SurveyCounter(establishedTimeout: nil, seed: .repeatable)
        let seen = counter.survey(at: .at(0), took: .zero, isInterrupted: true)

        #expect(seen.caveat == "the hash was resized meanwhile: some entries may be missing or counted twice")
        #expect(survey([]).caveat == nil)
    }

    @Test func `several causes stand in the order of their share`() {
        let seen = survey(
            among(10, (0..<60).map { _ in tcp(2, source: 9) } + (0..<30).map { tcp(7, source: UInt8($0)) }))

        #expect(seen.causes.map(\.id) == ["syn_recv", "time_wait", "one_source", "one_destination"])
        #expect(seen.reason?.contains("), TIME_WAIT 30.0%, source 203.0.0.9 61.0%, ") == true, "\(seen.reason ?? "")")
    }

    @Test func `when nothing stands out nothing is said of it`() {
        #expect(survey(among(100, [])).reason == nil)
        #expect(survey(among(100, [])).next == nil)
        #expect(survey([]).causes == [])
    }
}
