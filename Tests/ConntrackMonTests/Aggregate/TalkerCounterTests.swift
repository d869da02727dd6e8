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

extension cnf_event {
    /// A new entry at `seconds` (see Moment.at).
    static func new(
        _ source: String, _ destination: String = "198.51.100.7", _ port: UInt16 = 443, protocol: Int = IPPROTO_TCP,
        at seconds: Double = 0
    ) -> cnf_event {
        var event = cnf_event()
        event.time_ns = Moment.at(seconds).monotonic.nanoseconds
        event.kind = UInt8(CNF_NEW.rawValue)
        event.family = UInt8(source.contains(":") ? AF_INET6 : AF_INET)
        event.protocol = UInt8(`protocol`)
        event.source_port = 40_000
        event.destination_port = port
        inet_pton(Int32(event.family), source, &event.source)
        inet_pton(Int32(event.family), destination, &event.destination)
        return event
    }
}

/// A counter that is asked as the collector asks it.
final class TalkerRun {
    var counter = TalkerCounter(seed: .repeatable)

    func count(_ event: cnf_event, times: Int = 1) {
        for _ in 0..<times { counter.count(event) }
    }

    func look(_ seconds: Double, _ change: (inout Sample) -> Void = { _ in }) -> Talkers? {
        counter.look(at: Moment.at(seconds).monotonic, of: .at(seconds, change))
    }
}

extension TalkerList {
    /// "203.0.113.9 3", "203.0.113.9 3-5".
    var brief: [String] {
        top.map { "\($0.name) \($0.atLeast)" + ($0.atMost == $0.atLeast ? "" : "-\($0.atMost)") }
    }
}

@Suite struct TalkerCounterTests {
    @Test func `as long as no new entry was seen nothing is told`() {
        let run = TalkerRun()
        #expect(run.look(0) == nil)
        #expect(run.look(100) == nil)
    }

    @Test func `the most frequent come first, with what others have at most`() throws {
        let run = TalkerRun()
        for host in 1...7 { run.count(.new("192.0.2.\(host)", "198.51.100.\(host)"), times: host) }
        let talkers = try #require(run.look(1))

        #expect(talkers.minute.new == 28)
        #expect(talkers.minute.sources.brief == (3...7).reversed().map { "192.0.2.\($0) \($0)" })
        #expect(talkers.minute.sources.othersAtMost == 2)
        #expect(talkers.minute.destinations.brief.first == "198.51.100.7:443/tcp 7")
        #expect(talkers.minute.destinations.othersAtMost == 2)
        #expect(talkers.sinceStart == talkers.minute)
    }

    @Test func `with no more than are listed others have none`() throws {
        let run = TalkerRun()
        run.count(.new("192.0.2.1"))
        let talkers = try #require(run.look(1))

        #expect(talkers.minute.sources.othersAtMost == 0)
        #expect(talkers.minute.share(of: talkers.minute.sources.top[0]) == 1)
    }

    @Test func `an IPv6 source counts by its /64, a destination by itself`() throws {
        let run = TalkerRun()
        for host in 1...9 {
            run.count(.new("2001:db8:1:2:\(host)::\(host)", "2001:db8::\(host % 2)", 53, protocol: 17))
        }
        run.count(.new("2001:db8:1:3::1", "2001:db8::2", 53, protocol: 17))
        let talkers = try #require(run.look(1))

        #expect(talkers.minute.sources.brief == ["2001:db8:1:2::/64 9", "2001:db8:1:3::/64 1"])
        #expect(
            talkers.minute.destinations.brief
                == ["[2001:db8::1]:53/udp 5", "[2001:db8::]:53/udp 4", "[2001:db8::2]:53/udp 1"])
    }

    @Test func `addresses of the two families are never the same`() throws {
        let run = TalkerRun()
        run.count(.new("1.2.3.4", "1.2.3.4"))
        run.count(.new("102:304::", "102:304::"))
        let talkers = try #require(run.look(1))

        #expect(talkers.minute.sources.brief == ["1.2.3.4 1", "102:304::/64 1"])
        #expect(talkers.minute.destinations.brief == ["1.2.3.4:443/tcp 1", "[102:304::]:443/tcp 1"])
    }

    @Test(
        arguments: [
            (6, "198.51.100.7:443/tcp", 443), (17, "198.51.100.7:443/udp", 443), (132, "198.51.100.7:443/sctp", 443),
            (33, "198.51.100.7:443/dccp", 443), (136, "198.51.100.7:443/udplite", 443), (1, "198.51.100.7/icmp", nil),
            (47, "198.51.100.7/gre", nil), (0, "198.51.100.7/0", nil), (253, "198.51.100.7/253", nil),
        ] as [(Int, String, UInt16?)])
    func `a destination has a port where its protocol has`(_ number: Int, _ name: String, _ port: UInt16?) throws {
        let run = TalkerRun()
        run.count(.new("192.0.2.1", protocol: number))
        let talker = try #require(run.look(1)?.minute.destinations.top.first)

        #expect(talker.name == name)
        #expect(talker.port == port)
        #expect(talker.protocol?.rawValue == UInt8(number))
        #expect(talker.endpoint.prefix == AddressPrefix(.of("198.51.100.7")))
    }

    @Test func `ports and protocols of one address are told apart`() throws {
        let run = TalkerRun()
        run.count(.new("192.0.2.1", "198.51.100.7", 53, protocol: 17), times: 3)
        run.count(.new("192.0.2.1", "198.51.100.7", 53), times: 2)
        run.count(.new("192.0.2.1", "198.51.100.7", 443))
        let talkers = try #require(run.look(1))

        #expect(talkers.minute.sources.brief == ["192.0.2.1 6"])
        #expect(
            talkers.minute.destinations.brief
                == ["198.51.100.7:53/udp 3", "198.51.100.7:53/tcp 2", "198.51.100.7:443/tcp 1"])
    }

    @Test func `what is older than a minute has left it, and stays since the start`() throws {
        let run = TalkerRun()
        run.count(.new("192.0.2.1", at: 3), times: 5)
        run.count(.new("192.0.2.2", at: 12), times: 2)
        let early = try #require(run.look(59.9))
        let late = try #require(run.look(60))
        let latest = try #require(run.look(70))

        #expect(early.minute.sources.brief == ["192.0.2.1 5", "192.0.2.2 2"])
        #expect(late.minute.sources.brief == ["192.0.2.2 2"])
        #expect(late.minute.new == 2)
        #expect(latest.minute.new == 0)
        #expect(latest.minute.sources == TalkerList())
        #expect(latest.minute.share(of: early.minute.sources.top[0]) == nil)
        for talkers in [early, late, latest] {
            #expect(talkers.sinceStart.sources.brief == ["192.0.2.1 5", "192.0.2.2 2"])
            #expect(talkers.sinceStart.new == 7)
        }
    }

    @Test func `how long the minute was is said`() throws {
        let run = TalkerRun()
        _ = run.look(4)
        run.count(.new("192.0.2.1", at: 5))
        let spans = try [5, 59, 60, 69.5, 3604].map { try #require(run.look($0)) }

        #expect(spans.map(\.minute.span.inSeconds) == [1, 55, 50, 59.5, 54])
        #expect(spans.map(\.sinceStart.span.inSeconds) == [1, 55, 56, 65.5, 3600])
    }

    @Test func `an event belongs to its own time, not to when it is read`() throws {
        let run = TalkerRun()
        // Records of 65 s, read at once, as a monitor does that was stopped meanwhile.
        for second in 0...65 { run.count(.new("192.0.2.1", at: Double(second))) }
        let talkers = try #require(run.look(65))

        #expect(talkers.minute.new == 56)
        #expect(talkers.sinceStart.new == 66)
    }

    @Test func `losses are told beside`() throws {
        let run = TalkerRun()
        run.count(.new("192.0.2.1"))
        let talkers = try #require(
            run.look(1) {
                $0.lost = LostEvents(overrun: 30)
                $0.lostMinute = LostEvents(dropped: 4)
            })

        #expect(talkers.minute.lost == 4)
        #expect(talkers.sinceStart.lost == 30)
    }

    @Test func `bounds hold for the minute and since the start, with more sources than counters`() throws {
        let run = TalkerRun()
        var random = Repeatable(5)
        var counts: [[String: UInt64]] = []
        for step in 0..<9 {
            var now: [String: UInt64] = [:]
            for index in 0..<6000 {
                // Three that are heavy, each in other steps, among many that are not.
                let heavy = index % 5 == 0 && step % 3 != index % 3
                let host = heavy ? UInt32(index % 3) : UInt32.random(in: 3..<60_000, using: &random)
                let name = "10.0.\(host >> 8).\(host & 0xff)"
                now[name, default: 0] += 1
                run.count(.new(name, name, at: Double(step * 10) + Double(index) / 600))
            }
            counts.append(now)
        }
        let talkers = try #require(run.look(90 - 0.001))

        for (window, steps) in [(talkers.minute, counts[3...]), (talkers.sinceStart, counts[...])] {
            let exact = steps.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
            #expect(window.new == UInt64(steps.count * 6000))
            #expect(Set(window.sources.top.prefix(3).map(\.name)) == ["10.0.0.0", "10.0.0.1", "10.0.0.2"])
            for list in [window.sources, window.destinations] {
                for talker in list.top {
                    let count = try #require(exact[talker.address])
                    #expect(talker.atLeast <= count && count <= talker.atMost)
                    #expect(talker.atMost - talker.atLeast <= window.new / 512)
                    #expect(talker.atMost > talker.atLeast, "so many that counts are no longer exact")
                }
                let listed = Set(list.top.map(\.address))
                let highest = exact.filter { !listed.contains($0.key) }.map(\.value).max()
                #expect(try #require(highest) <= list.othersAtMost)
            }
        }
    }

    @Test func `it takes less than 1 MiB, and no more after 300,000 sources`() async {
        #expect(TalkerCounter(seed: .repeatable).byteCount <= 1 << 20)
        // In a process of its own, where nobody else allocates.
        await #expect(processExitsWith: .success) {
            func resident() throws -> Int {
                let fields = try KernelFile.text(of: "/proc/self/statm").split(separator: " ")
                return try #require(Int(fields[1])) * Int(getpagesize())
            }
            let run = TalkerRun()
            var event = cnf_event.new("10.0.0.0")
            var number: UInt64 = 0
            func feed(_ seconds: Int) -> Talkers? {
                var talkers: Talkers?
                for second in 0..<seconds {
                    for _ in 0..<500 {
                        number += 1
                        event.time_ns += 2_000_000
                        event.source = unsafeBitCast((number << 8 & 0xffff_ffff, 0 as UInt64), to: AddressBytes.self)
                        event.destination = event.source
                        run.counter.count(event)
                    }
                    let now = MonotonicTime(nanoseconds: event.time_ns)
                    talkers = run.counter.look(at: now, of: .at(Double(second)))
                }
                return talkers
            }
            // Whatever is made once is made by then.
            for _ in 0..<2 { _ = (feed(130), try resident()) }
            let before = try resident()
            let talkers = feed(340)
            let growth = try resident() - before

            #expect(talkers?.sinceStart.new == 300_000)
            #expect(growth < 512 << 10, "\(growth) bytes")
        }
    }
}
