// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import CTestKit
internal import Glibc
internal import TestKit

/// Numbers that are the same in each run.
struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    /// True in one of `sides` cases.
    mutating func one(in sides: Int) -> Bool { Int.random(in: 0..<sides, using: &self) == 0 }

    /// Bytes of which many are zero, as in addresses.
    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in one(in: 3) ? 0 : UInt8.random(in: 0...255, using: &self) }
    }
}

/// Messages of entries with all that the kernel may put into one, in any combination.
enum RandomEntry {
    static let protocols = [
        IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE, IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_SCTP, IPPROTO_DCCP,
        IPPROTO_GRE,
        253, 0,
    ]

    static func message(_ number: Int, _ family: Family, _ dice: inout Dice) -> NetlinkMessage {
        let event = NetlinkMessage.Event.allCases.randomElement(using: &dice) ?? .new
        var message = NetlinkMessage.conntrack(event, family: family)
        for direction in [CTA_TUPLE_ORIG, CTA_TUPLE_REPLY] {
            let zone = dice.one(in: 4) ? dice.bytes(2) : nil
            message.put(tuple(number, family, &dice), as: direction) {
                if let zone { $0.put(CTA_TUPLE_ZONE, zone) }
            }
        }
        if dice.one(in: 3) { message.put(CTA_ZONE, dice.bytes(2)) }
        for type in [CTA_ID, CTA_STATUS, CTA_TIMEOUT, CTA_MARK, CTA_SECMARK, CTA_USE] where !dice.one(in: 3) {
            message.put(type, dice.bytes(4))
        }
        putNests(in: &message, &dice)
        return message
    }

    private static func tuple(_ number: Int, _ family: Family, _ dice: inout Dice) -> FlowTuple {
        FlowTuple(
            family: family, protocol: UInt8(number), source: dice.bytes(family.addressSize),
            destination: dice.bytes(family.addressSize), sourcePort: .random(in: 0 ... .max, using: &dice),
            destinationPort: .random(in: 0 ... .max, using: &dice))
    }

    private static func putNests(in message: inout NetlinkMessage, _ dice: inout Dice) {
        if dice.one(in: 2) {
            for direction in [CTA_COUNTERS_ORIG, CTA_COUNTERS_REPLY] {
                let (packets, bytes) = (dice.bytes(8), dice.bytes(8))
                message.nest(direction) {
                    $0.put(CTA_COUNTERS_PACKETS, packets)
                    $0.put(CTA_COUNTERS_BYTES, bytes)
                }
            }
        }
        if dice.one(in: 2) {
            // Stopped, or the library would look at the clock.
            let (start, stop) = ([0, 0] + dice.bytes(6), [1] + dice.bytes(7))
            message.nest(CTA_TIMESTAMP) {
                $0.put(CTA_TIMESTAMP_START, start)
                $0.put(CTA_TIMESTAMP_STOP, stop)
            }
        }
        putState(in: &message, &dice)
        putNames(in: &message, &dice)
        if dice.one(in: 3) { message.put(CTA_LABELS, dice.bytes(16)) }
    }

    private static func putState(in message: inout NetlinkMessage, _ dice: inout Dice) {
        guard dice.one(in: 2) else { return }
        let kind = [CTA_PROTOINFO_TCP, CTA_PROTOINFO_SCTP, CTA_PROTOINFO_DCCP].randomElement(using: &dice)
        let state = UInt8.random(in: 0...11, using: &dice)
        message.nest(CTA_PROTOINFO) { outer in
            // The state is the first of each.
            outer.nest(kind ?? CTA_PROTOINFO_TCP) { $0.put(CTA_PROTOINFO_TCP_STATE, [state]) }
        }
    }

    private static func putNames(in message: inout NetlinkMessage, _ dice: inout Dice) {
        if dice.one(in: 4) {
            let name = dice.one(in: 2) ? "ftp" : "a-name-that-is-too-long"
            message.nest(CTA_HELP) { $0.put(CTA_HELP_NAME, Array(name.utf8) + [0]) }
        }
        if dice.one(in: 4) {
            // conntrack cuts a line at 1023 bytes.
            let size = dice.one(in: 3) ? Int.random(in: 700...1200, using: &dice) : 30
            let name = (0..<size).map { _ in UInt8.random(in: 97...122, using: &dice) }
            message.nest(CTA_SECCTX) { $0.put(CTA_SECCTX_NAME, name + [0]) }
        }
    }
}
