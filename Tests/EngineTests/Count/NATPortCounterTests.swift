// SPDX-License-Identifier: GPL-3.0-or-later

import CRecord
import Glibc
import Testing
import UnitKit

@testable import ConntrackEngine
@testable import ConntrackModel

@Suite struct NATPortCounterTests {
    private func counter(kernel: String = "6.18.5") -> NATPortCounter {
        NATPortCounter(seed: .fixed, kernel: KernelRelease(kernel))
    }

    private func survey(_ counts: [(remote: String, entries: UInt64)] = [], isInterrupted: Bool = false) -> Survey {
        var survey = Survey(moment: .at(0))
        survey.isInterrupted = isInterrupted
        survey.natPairs = counts.map { remote, entries in
            let destination = Flow.Endpoint(AddressPrefix(.of(remote)), protocol: .tcp, port: 443)
            return Survey.Holder(Survey.NATPair(address: .of("192.0.2.1"), destination: destination), entries: entries)
        }
        return survey
    }

    /// One that hears everything and has been set by a dump that saw nothing.
    private func following(kernel: String = "6.18.5") -> NATPortCounter {
        var counter = counter(kernel: kernel)
        counter.isHeard = true
        counter.count(.translated(to: "203.0.113.99"))
        counter.count(.translated(CNF_DESTROY, to: "203.0.113.99"))
        counter.beginDump()
        counter.endDump(survey(), at: Moment.at(1).monotonic)
        return counter
    }

    private func needsDump(_ counter: borrowing NATPortCounter) -> Bool { counter.needsDump }
    private func isSeen(_ counter: borrowing NATPortCounter) -> Bool { counter.isSeen }

    private func ports(_ counter: inout NATPortCounter, at seconds: Double) -> NATPorts? {
        counter.ports(at: Moment.at(seconds).monotonic)
    }

    private func uses(_ counter: inout NATPortCounter, at seconds: Double = 2) -> [String]? {
        counter.ports(at: Moment.at(seconds).monotonic)?.uses.map { "\($0.name) \($0.used)/\($0.available)" }
    }

    private let usual = "192.0.2.1 -> 198.51.100.7:443/tcp"

    // MARK: Events

    @Test func `what lives is counted by NAT address and destination`() {
        var counter = following()
        for _ in 0..<100 { counter.count(.translated()) }
        for _ in 0..<60 { counter.count(.translated(as: "192.0.2.2")) }
        for _ in 0..<50 { counter.count(.translated(to: "198.51.100.8")) }
        for _ in 0..<45 { counter.count(.translated(port: 444)) }
        for _ in 0..<40 { counter.count(.translated(protocol: IPPROTO_UDP)) }
        for _ in 0..<35 { counter.count(.translated(zone: 4)) }
        for _ in 0..<31 { counter.count(.translated(to: "198.51.100.9")) }

        #expect(
            uses(&counter) == [
                "\(usual) 100/64512", "192.0.2.2 -> 198.51.100.7:443/tcp 60/64512",
                "192.0.2.1 -> 198.51.100.8:443/tcp 50/64512", "192.0.2.1 -> 198.51.100.7:444/tcp 45/64512",
                "192.0.2.1 -> 198.51.100.7:443/udp 40/64512", "\(usual) in zone 4 35/64512",
            ])
        for _ in 0..<61 { counter.count(.translated(CNF_DESTROY)) }
        #expect(uses(&counter)?.first == "192.0.2.2 -> 198.51.100.7:443/tcp 60/64512")
        #expect(uses(&counter)?.contains("\(usual) 39/64512") == true)
    }

    @Test func `an end that is told before the beginning counts as much`() {
        var counter = following()
        for _ in 0..<50 { counter.count(.translated(CNF_DESTROY)) }
        for _ in 0..<90 { counter.count(.translated()) }

        #expect(uses(&counter) == ["\(usual) 40/64512"])
    }

    @Test func `what takes no port is not counted`() {
        var counter = counter()
        counter.isHeard = true
        counter.count(.translated(protocol: IPPROTO_ICMP))
        counter.count(.translated(protocol: IPPROTO_GRE))
        var six = cnf_event.new("2001:db8::1", "2001:db8::2")
        six.status = 1 << 4
        counter.count(six)

        #expect(isSeen(counter) == false)
        #expect(needsDump(counter) == false)
    }

    @Test func `of very many destinations the one that uses most is named first`() {
        var counter = following()
        for number in 0..<3000 {
            let remote = "203.0.\(number / 250).\(number % 250)"
            for _ in 0..<(number == 1234 ? 80 : 33) { counter.count(.translated(to: remote)) }
        }

        let told = uses(&counter) ?? []
        #expect(told.count == 20)
        #expect(told.first == "192.0.2.1 -> 203.0.4.234:443/tcp 80/64512")
    }

    // MARK: Dumps

    @Test func `nothing is told before a dump has told what lives`() {
        var counter = counter()
        counter.isHeard = true
        #expect(needsDump(counter) == false)
        for _ in 0..<100 { counter.count(.translated()) }
        #expect(needsDump(counter) == true)
        #expect(uses(&counter) == nil)

        counter.beginDump()
        counter.endDump(survey([("198.51.100.7", 5000)]), at: Moment.at(1).monotonic)
        #expect(needsDump(counter) == false)
        // What came before the dump is in it.
        #expect(uses(&counter) == ["\(usual) 5000/64512"])
    }

    @Test func `of what comes and goes during a dump half is taken to be in it`() {
        var counter = counter()
        counter.isHeard = true
        counter.count(.translated())
        counter.beginDump()
        for _ in 0..<100 { counter.count(.translated()) }
        for _ in 0..<40 { counter.count(.translated(CNF_DESTROY)) }
        counter.endDump(survey([("198.51.100.7", 5000)]), at: Moment.at(1).monotonic)

        #expect(uses(&counter) == ["\(usual) 5030/64512"])
    }

    @Test func `a dump that fails, is disturbed, or spans a reload changes nothing`() {
        var counter = counter()
        counter.isHeard = true
        counter.count(.translated())
        counter.beginDump()
        counter.endDump(nil, at: Moment.at(1).monotonic)
        #expect(needsDump(counter) == true)
        counter.beginDump()
        counter.endDump(survey(isInterrupted: true), at: Moment.at(1).monotonic)
        #expect(needsDump(counter) == true)
        counter.beginDump()
        counter.forget()
        counter.endDump(survey(), at: Moment.at(1).monotonic)
        #expect(needsDump(counter) == true)
        #expect(uses(&counter) == nil)
    }

    @Test func `after a loss a dump is needed, and a large one leaves nothing to tell`() {
        var counter = following()
        for _ in 0..<100 { counter.count(.translated()) }
        counter.lose(10)
        #expect(needsDump(counter) == true)
        #expect(ports(&counter, at: 2)?.lost == 10)
        counter.beginDump()
        counter.lose(2)
        counter.endDump(survey([("198.51.100.7", 90)]), at: Moment.at(3).monotonic)
        // What was lost meanwhile is not made good.
        #expect(ports(&counter, at: 4)?.lost == 2)
        #expect(needsDump(counter) == true)
        counter.lose(4000)
        #expect(uses(&counter) == nil)
    }

    @Test func `a reload makes it unknown until the next dump`() {
        var counter = following()
        for _ in 0..<100 { counter.count(.translated()) }
        counter.forget()
        #expect(uses(&counter) == nil)
        #expect(needsDump(counter) == true)
        counter.beginDump()
        counter.endDump(survey(), at: Moment.at(20).monotonic)
        #expect(uses(&counter, at: 21) == [])
    }

    @Test func `where not all is heard a dump alone holds for a while`() {
        var counter = following()
        counter.isHeard = false
        #expect(uses(&counter) == nil)
        #expect(needsDump(counter) == false)
        counter.beginDump()
        counter.endDump(survey([("198.51.100.7", 700)]), at: Moment.at(10).monotonic)
        #expect(uses(&counter, at: 99) == ["\(usual) 700/64512"])
        #expect(uses(&counter, at: 101) == nil)
    }

    @Test func `what a dump has confirmed is forgotten when it is long below`() {
        var counter = following()
        counter.beginDump()
        counter.endDump(survey([("198.51.100.7", 1000)]), at: Moment.at(2).monotonic)
        #expect(ports(&counter, at: 3)?.uses.first?.surveyed == 1000)
        for _ in 0..<501 { counter.count(.translated(CNF_DESTROY)) }
        #expect(ports(&counter, at: 4)?.uses.first?.surveyed == nil)
        for _ in 0..<501 { counter.count(.translated()) }
        #expect(ports(&counter, at: 5)?.uses.first?.surveyed == nil)
    }

    // MARK: Ranges

    @Test func `the ports that NAT chose show a range narrower than the kernel's own`() {
        var counter = following()
        for number in 0..<500 {
            counter.count(.translated(natPort: UInt16(20_000 + number * 997 % 1000), kept: false))
        }

        let use = ports(&counter, at: 2)?.uses.first
        #expect(use?.range.isObserved == true)
        #expect((990...1000).contains(use?.available ?? 0), "\(use?.range.text ?? "")")
    }

    @Test func `ports that the sources had show no range`() {
        var counter = following()
        for number in 0..<500 { counter.count(.translated(natPort: UInt16(20_000 + number))) }

        #expect(uses(&counter) == ["\(usual) 500/64512"])
    }

    @Test func `ports chosen from all of the kernel's own are its own`() {
        var counter = following()
        for number in 0..<500 {
            counter.count(.translated(natPort: UInt16(1024 + number * 129), kept: false))
        }

        #expect(uses(&counter) == ["\(usual) 500/64512"])
    }

    @Test func `a kernel that searches from where it was last shows no range`() {
        var counter = following(kernel: "4.19.0-26-amd64")
        for number in 0..<500 { counter.count(.translated(natPort: UInt16(20_000 + number), kept: false)) }

        #expect(uses(&counter) == ["\(usual) 500/64512"])
    }

    @Test func `low ports are of ranges of their own`() {
        var counter = following()
        for number in 1...300 { counter.count(.translated(port: 123, protocol: IPPROTO_UDP, natPort: UInt16(number))) }
        for number in 600...700 {
            counter.count(.translated(port: 123, protocol: IPPROTO_UDP, natPort: UInt16(number)))
        }

        let name = "192.0.2.1 -> 198.51.100.7:123/udp"
        #expect(uses(&counter) == ["\(name) 300/511", "\(name) 101/424"])
    }

    @Test func `its size is what is written of it`() {
        let size = counter().byteCount
        #expect(size <= 576 * 1024)
    }
}

extension NATPortCounter {
    mutating func count(_ event: cnf_event) {
        withUnsafePointer(to: event) { count(EventInPlace($0), event.kind == UInt8(CNF_NEW.rawValue) ? 1 : -1) }
    }
}
