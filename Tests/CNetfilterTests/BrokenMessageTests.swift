// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import Glibc
internal import TestKit
internal import Testing

@Suite struct BrokenMessageTests {
    @Test func `every prefix of a message is refused, and nothing beyond it is read`() {
        let whole = Sample.full.bytes
        for length in 0..<whole.count {
            #expect(Decoded(Array(whole[..<length])).result == -EBADMSG, "\(length) bytes")
        }
    }

    @Test func `a message shortened with its header is good only where an attribute ends`() {
        let whole = Sample.full.bytes
        var ends: Set<Int> = []
        var offset = Sample.headers
        while offset < whole.count {
            let size = Int(whole[offset]) | Int(whole[offset + 1]) << 8
            // The padding, and up to three bytes of nothing, belong to the attribute before.
            ends.formUnion(offset + size..<offset + (size + 3) / 4 * 4 + 4)
            offset += (size + 3) / 4 * 4
        }
        for length in Sample.headers..<whole.count {
            let result = Decoded(Sample.full.shortened(to: length)).result
            #expect(result == (ends.contains(length) ? 1 : -EBADMSG), "\(length) bytes")
        }
    }

    @Test func `a header that claims less than the headers' size is refused`() {
        for claim in 0..<Sample.headers {
            #expect(Decoded(Sample.full.bytes(claiming: claim)).result == -EBADMSG, "\(claim)")
        }
    }

    @Test func `a header that claims more than there is is refused`() {
        let size = Sample.full.bytes.count
        for claim in [size + 1, size + 4, 65536, Int(Int32.max), Int(UInt32.max)] {
            #expect(Decoded(Sample.full.bytes(claiming: claim)).result == -EBADMSG, "\(claim)")
        }
    }

    @Test func `bytes after the message are not its own`() {
        var message = Sample.full
        let size = message.bytes.count
        message.append([8, 0, UInt8(CTA_MARK.rawValue), 0, 1, 1, 1, 1])
        let decoded = Decoded(message.bytes(claiming: size))

        #expect(decoded.result == 1)
        #expect(decoded.event.mark == 0xdead_beef)
    }

    @Test func `a message without the original tuple is refused`() {
        var message = NetlinkMessage.conntrack(.new, family: .ipv4)
        #expect(Decoded(message.bytes).result == -EBADMSG)
        message.put(Sample.tuple(.ipv4, IPPROTO_UDP), as: CTA_TUPLE_REPLY)
        #expect(Decoded(message.bytes).result == -EBADMSG)
    }

    @Test func `addresses of a wrong size are refused`() {
        for size in [0, 3, 5, 16] {
            var tuple = Sample.tuple(.ipv4, IPPROTO_UDP)
            tuple.source = [UInt8](repeating: 1, count: size)
            #expect(Decoded(NetlinkMessage.conntrack(.new, tuple).bytes).result == -EBADMSG, "IPv4, \(size) bytes")
        }
        for size in [0, 4, 15, 17] {
            var tuple = Sample.tuple(.ipv6, IPPROTO_UDP)
            tuple.destination = [UInt8](repeating: 1, count: size)
            #expect(Decoded(NetlinkMessage.conntrack(.new, tuple).bytes).result == -EBADMSG, "IPv6, \(size) bytes")
        }
    }

    /// What CTA_TUPLE_IP may not hold: each type with its payload's size.
    private static let incomplete: [[(ctattr_ip, Int)]] = [
        [(CTA_IP_V4_SRC, 4)],
        [(CTA_IP_V4_DST, 4)],
        [(CTA_IP_V6_SRC, 16)],
        [(CTA_IP_V4_SRC, 4), (CTA_IP_V6_DST, 16)],
        [(CTA_IP_V6_SRC, 16), (CTA_IP_V4_DST, 4)],
        [(CTA_IP_V4_SRC, 4), (CTA_IP_V4_DST, 4), (CTA_IP_V6_DST, 16)],
    ]

    @Test(arguments: incomplete.indices)
    func `a source and a destination of one family, or none`(_ index: Int) {
        var message = NetlinkMessage.conntrack(.new, family: .ipv4)
        message.nest(CTA_TUPLE_ORIG) { tuple in
            tuple.nest(CTA_TUPLE_IP) { nest in
                for (type, size) in Self.incomplete[index] {
                    nest.put(type, [UInt8](repeating: 9, count: size))
                }
            }
        }

        #expect(Decoded(message.bytes).result == -EBADMSG)
    }

    @Test func `an original tuple told twice is refused`() {
        var message = NetlinkMessage.conntrack(.new, Sample.tuple(.ipv6, IPPROTO_UDP))
        message.put(Sample.tuple(.ipv4, IPPROTO_UDP), as: CTA_TUPLE_ORIG)

        #expect(Decoded(message.bytes).result == -EBADMSG)
    }

    @Test func `an attribute longer than the one around it is refused`() {
        // The innermost length, of the source address: it reaches into what follows its nest.
        var bytes = NetlinkMessage.conntrack(.new, Sample.tuple(.ipv4, IPPROTO_UDP)).bytes
        #expect(bytes[Sample.headers + 8] == 8)
        bytes[Sample.headers + 8] = 24
        #expect(Decoded(bytes).result == -EBADMSG)
    }

    @Test func `attributes too short for their value leave it zero`() {
        var message = NetlinkMessage.conntrack(.new, Sample.tuple(.ipv4, IPPROTO_UDP))
        message.put(CTA_MARK, [1, 2, 3])
        message.put(CTA_STATUS, [])
        message.put(CTA_ZONE, [1])
        let decoded = Decoded(message.bytes)

        #expect(decoded.result == 1)
        #expect(decoded.event.mark == 0)
        #expect(decoded.event.status == 0)
        #expect(decoded.event.zone == 0)
    }

    @Test func `every single byte changed to any of a few values is survived, and the tuple stays within its family`() {
        let whole = Sample.full.bytes
        for index in whole.indices {
            for value: UInt8 in [0, 1, 3, 4, 5, 0x7f, 0x80, 0xff] {
                var bytes = whole
                bytes[index] = value
                let decoded = Decoded(bytes)
                #expect([1, 0, -EBADMSG].contains(decoded.result))
                if decoded.result == 1 {
                    #expect(decoded.event.tuple != nil, "byte \(index) = \(value)")
                }
            }
        }
    }

    @Test func `garbage is survived`() {
        var generator = SplitMix(state: 20_261_124)
        for _ in 0..<20_000 {
            var message = NetlinkMessage.conntrack(.new, family: .ipv4)
            message.append(
                (0..<Int.random(in: 0...200, using: &generator)).map { _ in
                    // Small numbers make plausible lengths and types.
                    UInt8.random(in: 0...(Bool.random(using: &generator) ? 24 : 255), using: &generator)
                })
            #expect([1, -EBADMSG].contains(Decoded(message.bytes).result))
        }
    }

    @Test func `the seeds of the fuzzer are survived`() throws {
        let names = try names(in: "\(Repository.root)/Fuzz/corpus")
        #expect(names.count >= 24)
        for name in names {
            let bytes = try readBytes("\(Repository.root)/Fuzz/corpus/\(name)")
            #expect([1, 0, -EBADMSG].contains(Decoded(bytes).result), "\(name)")
            if name.hasPrefix("real-") {
                #expect(Decoded(bytes).result == 1, "\(name)")
                #expect(libraryText(bytes) != nil, "\(name)")
            }
        }
    }
}

extension NetlinkMessage {
    /// The first bytes alone, the header telling the same.
    func shortened(to length: Int) -> [UInt8] {
        Array(bytes(claiming: length)[..<length])
    }
}

/// Numbers that are the same in each run, so that a failure can be repeated.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
