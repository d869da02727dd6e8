// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import Glibc
internal import TestKit
internal import Testing

/// `cnf_text`: the library ends the program on attributes whose size it does not know, and must never see any.
@Suite struct TextTests {
    private let entry = NetlinkMessage.conntrack(.new, Sample.tuple(.ipv4, IPPROTO_TCP, ports: (4660, 443)))

    @Test func `an entry reads as conntrack words it`() {
        let words = """
            [NEW] tcp 6 src=198.51.100.7 dst=203.0.113.9 sport=4660 dport=443 \
            src=203.0.113.9 dst=198.51.100.7 sport=443 dport=4660
            """
        #expect(libraryText(entry.bytes)?.split(separator: " ") == words.split(separator: " "))
    }

    @Test func `a text longer than its room is cut, and its whole length told`() throws {
        let whole = try #require(libraryText(entry.bytes))
        var text = [CChar](repeating: 1, count: 20)
        let length = cnf_text(entry.bytes, entry.bytes.count, &text, text.count)

        #expect(Int(length) == whole.utf8.count)
        #expect(text.last == 0)
    }

    @Test func `what is no entry has no text`() {
        let expectation = NetlinkMessage(subsystem: NFNL_SUBSYS_CTNETLINK_EXP, type: IPCTNL_MSG_EXP_NEW.rawValue)
        #expect(libraryText(expectation.bytes) == nil)
        #expect(libraryText([]) == nil)
    }

    @Test func `a prefix has no text, and nothing beyond a shortened message is read`() {
        for length in 0..<Sample.full.bytes.count {
            #expect(libraryText(Array(Sample.full.bytes[..<length])) == nil, "\(length) bytes")
            let shortened = libraryText(Sample.full.shortened(to: length))
            if length < Sample.headers { #expect(shortened == nil, "\(length) bytes") }
        }
    }

    @Test(arguments: [
        (CTA_MARK, 3), (CTA_STATUS, 0), (CTA_TIMEOUT, 8), (CTA_ZONE, 4), (CTA_ID, 2), (CTA_USE, 1), (CTA_SECMARK, 5),
        (CTA_PROTOINFO, 3), (CTA_HELP, 1), (CTA_COUNTERS_ORIG, 2), (CTA_TIMESTAMP, 3), (CTA_TUPLE_MASTER, 2),
    ])
    func `an attribute of a size the library does not know is refused`(_ type: ctattr_type, _ size: Int) {
        var message = entry
        message.put(type, [UInt8](repeating: 1, count: size))

        #expect(libraryText(message.bytes) == nil)
        #expect(Decoded(message.bytes).result == 1)
    }

    @Test func `so it is inside a nest`() {
        func text(_ outer: ctattr_type, _ inner: some RawRepresentable<UInt32>, _ payload: [UInt8]) -> String? {
            var message = entry
            message.nest(outer) { $0.put(inner, payload) }
            return libraryText(message.bytes)
        }
        #expect(text(CTA_COUNTERS_ORIG, CTA_COUNTERS_BYTES, [0, 0, 0, 0, 0, 0, 0, 9]) != nil)
        #expect(text(CTA_COUNTERS_ORIG, CTA_COUNTERS_BYTES, [0, 0, 0, 9]) == nil)
        #expect(text(CTA_HELP, CTA_HELP_NAME, Array("ftp\0".utf8))?.contains("helper=ftp") == true)
        #expect(text(CTA_HELP, CTA_HELP_NAME, Array("ftp!".utf8)) == nil)
        #expect(text(CTA_SECCTX, CTA_SECCTX_NAME, Array("a:b!".utf8)) == nil)
        // The library's table of these ends before the types it lets in.
        #expect(text(CTA_PROTOINFO, CTA_PROTOINFO_TCP_FLAGS_REPLY, [0, 0, 0, 0]) == nil)
    }

    @Test func `every single byte changed to any of a few values is survived`() {
        let whole = Sample.full.bytes
        var refused = 0
        for index in whole.indices {
            for value: UInt8 in [0, 1, 3, 4, 5, 0x7f, 0x80, 0xff] {
                var bytes = whole
                bytes[index] = value
                if libraryText(bytes) == nil { refused += 1 }
            }
        }
        #expect((1..<whole.count * 8).contains(refused))
    }
}
