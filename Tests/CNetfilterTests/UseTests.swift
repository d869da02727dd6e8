// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import Glibc
internal import TestKit
internal import Testing

/// The walks over xtables entries and nft messages: what they count, and that whatever comes does not lead them astray.
@Suite struct UseTests {
    /// What was counted, `KIND NAME COUNT`, and the status.
    private struct Counted: Equatable {
        var status: Int32
        var uses: [String]
    }

    private func counted(_ walk: (OpaquePointer) -> Int32) throws -> Counted {
        var handle: OpaquePointer?
        #expect(cnf_uses_make(&handle) == 0)
        let uses = try #require(handle)
        defer { cnf_uses_free(uses) }
        let status = walk(uses)
        let found = try (0..<cnf_uses_count(uses)).map { index in
            let use = try #require(cnf_uses_at(uses, index)).pointee
            let name = withUnsafeBytes(of: use.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            return "\(use.kind) \(name) \(use.count)"
        }
        #expect(cnf_uses_at(uses, cnf_uses_count(uses)) == nil)
        return Counted(status: status, uses: found)
    }

    /// Walks bytes that end where their memory does, so that a sanitizer sees a read behind them.
    private func xtables(_ bytes: [UInt8], family: UInt8 = 2) throws -> Counted {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { memory.deallocate() }
        memory.copyBytes(from: bytes)
        return try counted { uses in
            guard let base = memory.baseAddress else { return 0 }
            return cnf_xtables_walk(family, "filter", base, bytes.count, uses)
        }
    }

    private func nft(_ bytes: [UInt8]) throws -> Counted {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { memory.deallocate() }
        memory.copyBytes(from: bytes)
        return try counted { uses in
            guard let base = memory.baseAddress else { return 0 }
            return cnf_nft_walk(base, bytes.count, uses)
        }
    }

    // MARK: Entries

    private static func native(_ value: UInt16) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }

    private static func padded(_ text: String, _ size: Int) -> [UInt8] {
        Array(text.utf8) + [UInt8](repeating: 0, count: size - text.utf8.count)
    }

    /// A match or a target: size, name, revision, parameters.
    private static func part(_ name: String, revision: UInt8 = 0, _ parameters: [UInt8] = []) -> [UInt8] {
        native(UInt16(32 + parameters.count)) + padded(name, 29) + [revision] + parameters
    }

    /// struct ipt_entry has 112 bytes, struct ip6t_entry 168; both say at their 88th and 144th where the target is.
    private static func entry(_ matches: [[UInt8]], _ target: [UInt8], isIPv6: Bool = false) -> [UInt8] {
        let (head, at) = isIPv6 ? (168, 140) : (112, 88)
        let before = matches.joined()
        var bytes = [UInt8](repeating: 0, count: head)
        bytes.replaceSubrange(at..<at + 2, with: native(UInt16(head + before.count)))
        bytes.replaceSubrange(at + 2..<at + 4, with: native(UInt16(head + before.count + target.count)))
        return bytes + before + target
    }

    /// CT's parameters: flags, zone, two masks, a helper, a timeout policy, the kernel's own.
    private static func ct(helper: String, timeout: String = "") -> [UInt8] {
        [UInt8](repeating: 0, count: 12) + padded(helper, 16) + padded(timeout, 32) + [UInt8](repeating: 0, count: 12)
    }

    private static let table =
        entry([part("conntrack", [UInt8](repeating: 7, count: 160))], part("", [0, 0, 0, 0, 0, 0, 0, 0]))
        + entry([part("tcp", [0, 0, 0, 0]), part("conntrack", revision: 3)], part("REJECT", [0, 0, 0, 0]))
        + entry([], part("CT", revision: 2, ct(helper: "ftp", timeout: "long")))
        + entry([], part("ERROR", padded("chain", 32)))

    @Test func `each match and each target is counted, built-in ones are not`() throws {
        let expected = ["1 conntrack 2", "1 tcp 1", "2 REJECT 1", "2 CT 1", "3 ftp 1", "4 long 1"]
        #expect(try xtables(Self.table) == Counted(status: 0, uses: expected))
        #expect(try xtables([]) == Counted(status: 0, uses: []))
    }

    @Test func `an entry of ip6tables begins otherwise`() throws {
        let bytes = Self.entry(
            [Self.part("conntrack")], Self.part("CT", Self.ct(helper: "ftp", timeout: "none")), isIPv6: true)
        // Revision 0 has no timeout policy.
        #expect(try xtables(bytes, family: 10) == Counted(status: 0, uses: ["1 conntrack 1", "2 CT 1", "3 ftp 1"]))
    }

    @Test func `a table that is cut is refused, and nothing beyond it is read`() throws {
        var ends: Set<Int> = [0]
        var at = 0
        while at < Self.table.count {
            at += Int(Self.table[at + 90]) | Int(Self.table[at + 91]) << 8
            ends.insert(at)
        }
        for length in 0..<Self.table.count {
            #expect(
                try xtables(Array(Self.table[..<length])).status == (ends.contains(length) ? 0 : -EBADMSG), "\(length)")
        }
    }

    @Test func `lengths that lie are refused or lead nowhere`() throws {
        for at in Self.table.indices {
            for value in [0, 1, 31, 32, 112, 255] as [UInt8] {
                var bytes = Self.table
                bytes[at] = value
                #expect(try [0, -EBADMSG].contains(xtables(bytes).status), "\(at) \(value)")
            }
        }
    }

    @Test func `more kinds of uses than anybody has are refused`() throws {
        let many = (0..<1025).flatMap { Self.entry([Self.part("m\($0)")], Self.part("")) }
        let found = try xtables(many)
        #expect(found.status == -ENOSPC)
        #expect(found.uses.count == 1024)
    }

    // MARK: Messages

    /// Attribute types by number: nf_tables.h's constants are no Swift values.
    private struct Number: RawRepresentable { var rawValue: UInt32 }

    /// NFT_MSG_NEWRULE and its kin, with the table's name.
    private func message(_ type: UInt32, _ body: (inout NetlinkMessage) -> Void) -> NetlinkMessage {
        var message = NetlinkMessage(subsystem: 10, type: type)
        message.put(Number(rawValue: 1), Array("mine\0".utf8))
        body(&message)
        return message
    }

    private func put(
        _ name: String, _ message: inout NetlinkMessage, as type: UInt32 = 1,
        data: (inout NetlinkMessage) -> Void = { _ in }
    ) {
        message.nest(Number(rawValue: type)) {
            $0.put(Number(rawValue: 1), Array((name + "\0").utf8))
            $0.nest(Number(rawValue: 2), data)
        }
    }

    /// `ct`, a meter with `connlimit`, and what iptables-nft writes of a match and a target.
    private var rule: NetlinkMessage {
        message(6) { message in
            message.nest(Number(rawValue: 4)) { list in
                put("ct", &list)
                put("dynset", &list) { data in put("connlimit", &data, as: 7) }
                put("match", &list) { $0.put(Number(rawValue: 1), Array("conntrack\0".utf8)) }
                put("target", &list) {
                    $0.put(Number(rawValue: 1), Array("CT\0".utf8))
                    $0.put(Number(rawValue: 2), bigEndian: UInt32(2))
                    $0.put(Number(rawValue: 3), Self.ct(helper: "sip", timeout: "long"))
                }
            }
        }
    }

    @Test func `expressions are counted wherever they stand`() throws {
        let expected = [
            "6 ct 1", "6 dynset 1", "6 connlimit 1", "6 match 1", "1 conntrack 1", "6 target 1", "2 CT 1", "3 sip 1",
            "4 long 1",
        ]
        #expect(try nft(rule.bytes) == Counted(status: 0, uses: expected))
        let elements = message(12) { message in
            message.nest(Number(rawValue: 3)) { list in
                for _ in 0..<3 { list.nest(Number(rawValue: 1)) { put("connlimit", &$0, as: 7) } }
            }
        }
        #expect(try nft(elements.bytes).uses == ["6 connlimit 3"])
        #expect(try nft(message(9) { put("connlimit", &$0, as: 17) }.bytes).uses == ["6 connlimit 1"])
    }

    @Test func `chains, objects and flowtables are counted by their type`() throws {
        #expect(try nft(message(3) { $0.put(Number(rawValue: 7), Array("nat\0".utf8)) }.bytes).uses == ["7 nat 1"])
        #expect(try nft(message(3) { _ in }.bytes).uses == [])
        #expect(try nft(message(22) { _ in }.bytes).uses == ["9 flowtable 1"])
        func helper(_ family: UInt16) throws -> [String] {
            try nft(
                message(18) { message in
                    message.put(Number(rawValue: 3), bigEndian: UInt32(3))
                    message.nest(Number(rawValue: 4)) {
                        $0.put(Number(rawValue: 1), Array("ftp\0".utf8))
                        $0.put(Number(rawValue: 2), bigEndian: family)
                    }
                }.bytes
            ).uses
        }
        #expect(try helper(2) == ["8 ct helper 1", "3 ftp 1"])
        #expect(try helper(1) == ["8 ct helper 1", "3 ftp 2"])
        // A quota has nothing to do with conntrack.
        #expect(try nft(message(18) { $0.put(Number(rawValue: 3), bigEndian: UInt32(2)) }.bytes).uses == [])
    }

    @Test func `a message that is cut or lies leads nowhere`() throws {
        let whole = rule.bytes
        for length in 0..<whole.count {
            #expect(try nft(Array(whole[..<length])).status == (length < 16 ? 0 : -EBADMSG), "\(length)")
        }
        for at in whole.indices.dropFirst(4) {
            for value in [0, 1, 3, 5, 255] as [UInt8] {
                var bytes = whole
                bytes[at] = value
                #expect(try [0, -EBADMSG].contains(nft(bytes).status), "\(at) \(value)")
            }
        }
    }

    @Test func `expressions in expressions end somewhere`() throws {
        func deeper(_ depth: Int, _ data: inout NetlinkMessage) {
            if depth > 0 { put("dynset", &data, as: 7) { deeper(depth - 1, &$0) } }
        }
        let deep = message(6) { message in
            message.nest(Number(rawValue: 4)) { list in put("dynset", &list) { deeper(100, &$0) } }
        }
        #expect(try nft(deep.bytes).status == -EBADMSG)
    }
}
