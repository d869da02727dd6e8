// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import Glibc
internal import TestKit
internal import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackRing
@testable import ConntrackSystem

/// The event socket and the ring as the reader thread uses them, on the test's own thread.
private final class Ears: @unchecked Sendable {
    private var socket: EventSocket
    private let ring = EventRing(capacity: 4096)
    private(set) var tally = cnf_tally()
    private(set) var heard: [EventLine] = []

    /// Opened in the calling thread's namespace.
    init(_ source: SourceChoice) throws {
        socket = try EventSocket(groups: [.new, .update, .destroy], receiveBuffer: 4 << 20, source: source)
    }

    /// Takes everything that has happened so far: the kernel queues an event before it answers whoever caused it.
    func listen() {
        var waiting = true
        while waiting {
            var pumped = EventSocket.Pumped()
            ring.fill { slots in
                pumped = socket.pump(into: slots, at: .now(), tally: &tally)
                return pumped.filled
            }
            ring.drain { records in
                for index in records.indices { heard.append(EventLine(records[index].event)) }
            }
            waiting = pumped.datagrams > 0
        }
    }
}

/// Every single event, against `conntrack -E` in the same namespace.
/// Processes, since `conntrack -E` is one, and only the kernel makes real events.
@Suite(.enabled(if: Requirement.met(.networkNamespace, .program("nft"), .program("conntrack"))))
struct EventIdentityTests {
    /// A packet of each protocol whose tracker reads something of its own, and of one that no tracker knows.
    private static let packets: [(number: Int, payload: [UInt8])] = [
        (IPPROTO_SCTP, ports + [0, 0, 0, 0] + [0, 0, 0, 0] + sctpInit),
        (IPPROTO_DCCP, ports + [5, 0, 0, 0] + [1, 0, 0, 0] + [0, 0, 0, 1] + [0, 0, 0, 0]),
        (IPPROTO_GRE, [0, 0, 8, 0]),
        (IPPROTO_GRE, [0x20, 0x01, 0x88, 0x0b] + [0, 0, 0x55, 0x66]),
        (IPPROTO_UDPLITE, ports + [0, 8, 0xff, 0xff]),
        (253, [1, 2, 3, 4]),
    ]
    private static let ports: [UInt8] = [0x11, 0x22, 0x33, 0x44]
    private static let sctpInit: [UInt8] =
        [1, 0, 0, 20] + [0, 0, 0, 1] + [0, 0, 16, 0] + [0, 1, 0, 1] + [0, 0, 0, 1]

    private static func makeFlows(_ namespace: TestNamespace, _ family: Family) throws {
        _ = try namespace.tcpFlows(family, count: 3)
        _ = try namespace.udpFlows(family, count: 3)
        _ = try namespace.echo(family, identifier: 0x1234)
        for packet in packets {
            _ = try namespace.sendRaw(family, protocol: UInt8(packet.number), payload: packet.payload)
        }
    }

    /// Traffic in portions that fit the smallest receive buffer, 160 events: `conntrack` reads at its leisure.
    private func portions() -> [(TestNamespace) throws -> Void] {
        [
            { try Self.makeFlows($0, .ipv4) },
            { try Self.makeFlows($0, .ipv6) },
            { try #expect($0.makeEntries(first: 100, count: 80) == 80) },
            { try #expect($0.deleteEntries(first: 100, count: 80) == 80) },
            { try $0.flushEntries() },
        ]
    }

    private func counted(_ lines: [EventLine]) -> [EventLine: Int] {
        lines.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }

    @Test func `every event's kind, tuple and id are those that conntrack prints, by each source`() throws {
        let namespace = try TestNamespace()
        try namespace.trackConnections()
        let ears = try namespace.run { try Ears(.netlink) }
        let ring = Requirement.initialRoot.unmet == nil ? try namespace.run { try Ears(.bpf) } : nil
        let tool = try Command("conntrack", "-E", "-o", "id").start(in: namespace)
        #expect(try eventually { try namespace.netfilterSockets(of: tool.process).contains(7) })

        var printed: [EventLine] = []
        for (index, portion) in portions().enumerated() {
            try portion(namespace)
            // Whoever listens hears events in one order: with this one, the last, both have heard all before it.
            #expect(try namespace.makeEntries(first: UInt32(index), count: 1) == 1)
            ears.listen()
            ring?.listen()
            let last = try #require(ears.heard.last)
            #expect(last.tuple.destination == [192, 0, 2, 1])
            try tool.waitForLine("of the last entry") { line in
                guard let event = try? EventLine(line) else { return false }
                printed.append(event)
                return event == last
            }
        }

        let (ours, theirs) = (counted(ears.heard), counted(printed))
        #expect(ours.filter { $0.value != theirs[$0.key] }.isEmpty, "only here")
        #expect(theirs.filter { $0.value != ours[$0.key] }.isEmpty, "only there")
        #expect(ears.tally.lost == 0)
        if let ring {
            #expect(counted(ring.heard) == ours)
            #expect(ring.tally.lost == 0)
        }

        // Nothing above would fail without events: these are they.
        let numbers = Set(ears.heard.map { "\($0.tuple.family) \($0.tuple.protocol)" })
        for family in Family.allCases {
            for number in [IPPROTO_TCP, IPPROTO_UDP] + Self.packets.map(\.number) {
                #expect(numbers.contains("\(family) \(number)"))
            }
        }
        #expect(numbers.isSuperset(of: ["ipv4 1", "ipv6 58"]))
        #expect(Set(ears.heard.map(\.kind)) == ["[NEW]", "[UPDATE]", "[DESTROY]"])
        #expect(ears.heard.count { $0.kind == "[DESTROY]" } == ears.heard.count { $0.kind == "[NEW]" } - 1)
        #expect(ears.heard.allSatisfy { $0.id != 0 })
    }
}

extension cnf_tally {
    /// Reached us, and gave no event.
    fileprivate var lost: UInt64 { truncated.0 + truncated.1 + truncated.2 + malformed + dropped }
}
