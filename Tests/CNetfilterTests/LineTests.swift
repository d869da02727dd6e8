// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import CTestKit
internal import FoundationEssentials
internal import Glibc
internal import TestKit
internal import Testing

/// `cnf_line` beside libnetfilter_conntrack's own text, message by message.
// The library words times in a buffer that all threads share (ctime).
@Suite(.serialized) struct LineTests {
    /// What conntrack's options are to us and to the library (NFCT_OF_SHOW_LAYER3, NFCT_OF_ID, NFCT_OF_TIMESTAMP).
    private static let options: [(own: UInt32, library: UInt32)] = [
        (0, 0), (CNF_STYLE_EXTENDED.rawValue, 1), (CNF_STYLE_ID.rawValue, 4), (CNF_STYLE_KERNEL_TIMES.rawValue, 8),
        (CNF_STYLE_EXTENDED.rawValue | CNF_STYLE_ID.rawValue | CNF_STYLE_KERNEL_TIMES.rawValue, 13),
    ]

    /// A file of labels, and the same read.
    private final class Labels {
        let path: String
        let handle: OpaquePointer
        private let folder: TemporaryDirectory

        init() throws {
            folder = try TemporaryDirectory()
            path = folder.path(of: "connlabel.conf")
            try folder.write("0 first\n3 a-b\n7 seven\n64 sixty-four\n127 last\n", to: "connlabel.conf")
            var opened: OpaquePointer?
            try SystemError.check("labels", cnf_labels_open(path, &opened))
            guard let opened else { throw TestKitError("no labels") }
            handle = opened
        }

        deinit {
            cnf_labels_close(handle)
        }
    }

    private func line(
        _ bytes: [UInt8], _ format: cnf_format = CNF_FORMAT_CONNTRACK, options: UInt32 = 0,
        labels: OpaquePointer? = nil,
        program: String? = nil, time: UInt64 = 0, capacity: Int = 20_000
    ) -> (result: Int32, text: String) {
        var style = cnf_style(format: format.rawValue, options: options, labels: labels)
        var text = [CChar](repeating: 0, count: capacity)
        // Ends right before a forbidden page.
        let copy = ctk_guarded_copy(bytes, bytes.count)
        defer { ctk_guarded_free(copy, bytes.count) }
        guard let copy else { return (-ENOMEM, "") }
        let result = cnf_line(copy, bytes.count, &style, time, program, &text, capacity)
        let written = text.prefix(Int(max(0, result))).map { UInt8(bitPattern: $0) }
        return (result, String(decoding: written, as: UTF8.self))
    }

    private func libraryLine(_ bytes: [UInt8], flags: UInt32, labels: String?) -> String {
        var text = [CChar](repeating: 0, count: 1024)
        _ = ctk_library_line(bytes, flags, labels, &text, text.count)
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    @Test(arguments: RandomEntry.protocols, Family.allCases)
    func `every message of a protocol is worded as the library words it`(_ number: Int, _ family: Family) throws {
        let labels = try Labels()
        var dice = Dice(state: UInt64(number))
        for _ in 0..<200 {
            let bytes = RandomEntry.message(number, family, &dice).bytes
            for (own, library) in Self.options {
                #expect(line(bytes, options: own).text == libraryLine(bytes, flags: library, labels: nil))
                let named = line(bytes, options: own, labels: labels.handle).text
                #expect(named == libraryLine(bytes, flags: library, labels: labels.path))
            }
        }
    }

    @Test func `so is a message with any byte changed, or its end cut, where the library takes it`() {
        var dice = Dice(state: 11)
        var taken = 0
        for round in 0..<4000 {
            let number = RandomEntry.protocols[round % RandomEntry.protocols.count]
            var bytes = RandomEntry.message(number, round % 2 == 0 ? .ipv4 : .ipv6, &dice).bytes
            for _ in 0..<Int.random(in: 1...3, using: &dice) {
                bytes[Int.random(in: 20..<bytes.count, using: &dice)] = .random(in: 0...9, using: &dice)
            }
            let own = line(bytes).text
            guard libraryText(bytes) != nil else { continue }
            taken += 1
            let library = libraryLine(bytes, flags: 0, labels: nil)
            // Without an end the library counts up to now.
            let (one, other) = (withoutDelta(own), withoutDelta(library))
            #expect(one == other)
        }
        #expect(taken > 400)
    }

    private func withoutDelta(_ line: String) -> String {
        line.split(separator: " ", omittingEmptySubsequences: false).filter { !$0.hasPrefix("delta-time=") }
            .joined(separator: " ")
    }

    @Test func `what cannot be worded is refused in every format`() {
        let whole = Sample.full.bytes
        for format in [CNF_FORMAT_CONNTRACK, CNF_FORMAT_JSON, CNF_FORMAT_TABLE] {
            for length in 0..<whole.count {
                #expect(line(Array(whole[..<length]), format).result == -EBADMSG, "\(length) bytes")
            }
            let expectation = NetlinkMessage(subsystem: NFNL_SUBSYS_CTNETLINK_EXP, type: IPCTNL_MSG_EXP_NEW.rawValue)
            #expect(line(expectation.bytes, format).result == 0)
            #expect(line(whole, format, capacity: 40).result == -ENOSPC)
        }
    }

    @Test func `a message with a port tells whose it is`() {
        var bytes = NetlinkMessage.conntrack(.destroy, Sample.tuple(.ipv4, IPPROTO_UDP, ports: (1, 2))).bytes
        withUnsafeBytes(of: UInt32(4711)) { bytes.replaceSubrange(12..<16, with: $0) }

        #expect(line(bytes).text.hasSuffix(" [USERSPACE] portid=4711"))
        #expect(line(bytes, program: "conntrack").text.hasSuffix(" [USERSPACE] portid=4711 progname=conntrack"))
        #expect(line(bytes, CNF_FORMAT_TABLE, program: "conntrack").text.hasSuffix(" by conntrack"))
        #expect(line(bytes, CNF_FORMAT_JSON, program: "a\"b").text.hasSuffix(#","portid":4711,"program":"a\"b"}"#))
    }

    @Test func `the time is the kernel's where it tells one`() {
        var message = NetlinkMessage.conntrack(.new, Sample.tuple(.ipv4, IPPROTO_UDP, ports: (1, 2)))
        let received: UInt64 = 1_795_800_000_000_000_000
        let stamped = line(message.bytes, options: CNF_STYLE_TIME.rawValue, time: received).text
        #expect(stamped.hasPrefix("[1795800000.000000]\t    [NEW] udp"))
        #expect(line(message.bytes, CNF_FORMAT_JSON, time: received).text.contains(#""time_source":"received""#))

        // CTA_TIMESTAMP_EVENT, which older headers lack.
        let told: UInt64 = 1_795_790_645_123_456_789
        message.put(ctattr_type(rawValue: 27), bigEndian: told)
        let line = line(message.bytes, options: CNF_STYLE_TIME.rawValue, time: received).text
        #expect(line.hasPrefix("[1795790645.123456]\t    [NEW] udp"))
        let json = self.line(message.bytes, CNF_FORMAT_JSON, time: received).text
        #expect(json.contains(#""time":"2026-11-27T14:44:05.123456789Z","time_source":"kernel""#), "\(json)")
    }

    @Test func `every object is one of JSON, and keeps numbers of 64 bits`() throws {
        var dice = Dice(state: 5)
        for round in 0..<500 {
            let number = RandomEntry.protocols[round % RandomEntry.protocols.count]
            let text = line(RandomEntry.message(number, .ipv6, &dice).bytes, CNF_FORMAT_JSON).text
            _ = try JSONDecoder().decode(AnyObject.self, from: Data(text.utf8))
        }
        var message = NetlinkMessage.conntrack(.destroy, Sample.tuple(.ipv4, IPPROTO_TCP, ports: (1, 2)))
        message.nest(CTA_COUNTERS_ORIG) {
            $0.put(CTA_COUNTERS_PACKETS, bigEndian: UInt64.max)
            $0.put(CTA_COUNTERS_BYTES, bigEndian: UInt64.max - 1)
        }
        let text = line(message.bytes, CNF_FORMAT_JSON).text
        #expect(text.contains(#""packets":18446744073709551615,"bytes":18446744073709551614"#))
    }

    private struct AnyObject: Decodable {
        var event: String
        var time: String
        var family: String
        var protocol_number: UInt8
    }

    @Test func `a row has the address that a source or a destination is translated to`() {
        func row(_ reply: FlowTuple, options: UInt32 = 0) -> String {
            var message = NetlinkMessage.conntrack(.update, family: .ipv4)
            message.put(Sample.tuple(.ipv4, IPPROTO_TCP, ports: (4660, 443)), as: CTA_TUPLE_ORIG)
            message.put(reply, as: CTA_TUPLE_REPLY)
            return String(line(message.bytes, CNF_FORMAT_TABLE, options: options).text.dropFirst(13))
        }
        let flow = "UPDATE  tcp     -           198.51.100.7:4660     → 203.0.113.9:443"
        var reply = Sample.tuple(.ipv4, IPPROTO_TCP, ports: (4660, 443)).turned

        #expect(row(reply) == flow)
        reply.destination = [192, 0, 2, 1]
        #expect(row(reply) == flow + "       via 192.0.2.1:4660")
        reply.sourcePort = 8443
        #expect(row(reply) == flow + "       via 192.0.2.1:4660 → 203.0.113.9:8443")
        let plain = row(reply, options: CNF_STYLE_ASCII.rawValue | CNF_STYLE_COLOUR.rawValue)
        #expect(plain.hasPrefix("\u{1b}[36mUPDATE\u{1b}[0m  tcp"))
        #expect(plain.contains("443       via 192.0.2.1:4660 -> 203.0.113.9:8443"))
    }
}
