// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import Glibc
internal import TestKit
internal import Testing

/// The decoder of dumped entries and libnetfilter_conntrack on the same dump, as the running kernel makes it.
@Suite(.enabled(if: Requirement.met(.networkNamespace, .program("nft"), .program("conntrack"))))
struct EntryAgreementTests {
    /// Real flows in a zone and with a mark, and entries made by conntrack(8), some of them translated.
    private func namespace() throws -> TestNamespace {
        let namespace = try TestNamespace()
        try namespace.nft(
            """
            table inet everything {
                chain outgoing { type filter hook output priority raw; ct zone set 7; }
                chain incoming { type filter hook prerouting priority raw; ct zone set 7; }
                chain marking { type filter hook output priority 0; ct mark set 0x1234abcd; }
            }
            """)
        for family in Family.allCases {
            _ = try namespace.tcpFlows(family, count: 2)
            _ = try namespace.udpFlows(family, count: 2)
            _ = try namespace.echo(family, identifier: 0x1234)
            _ = try namespace.sendRaw(family, protocol: 253, payload: [1, 2, 3, 4])
            _ = try namespace.sendRaw(family, protocol: UInt8(IPPROTO_GRE), payload: [0, 0, 8, 0])
        }
        for arguments in Self.made {
            let outcome = try Command("conntrack", arguments: arguments.split(separator: " ").map(String.init))
                .run(in: namespace)
            guard outcome.status == .exited(0) else { throw TestKitError("conntrack \(arguments): \(outcome)") }
        }
        return namespace
    }

    private static let made = [
        "-I -s 10.0.0.1 -d 192.0.2.1 -p tcp --sport 1 --dport 2 --state ESTABLISHED -u ASSURED -t 432000 -m 5 -w 9",
        "-I -s 10.0.0.2 -d 192.0.2.1 -p tcp --sport 1 --dport 2 --state SYN_RECV -t 60 --src-nat 203.0.113.7",
        "-I -s 10.0.0.3 -d 192.0.2.1 -p udp --sport 1 --dport 2 -t 60 --dst-nat 10.9.9.9",
        "-I -s 10.0.0.4 -d 192.0.2.1 -p udp --sport 1 --dport 2 -t 60 --src-nat 203.0.113.7 --dst-nat 10.9.9.9",
        "-I -s 2001:db8::1 -d 2001:db8::2 -p udp --sport 1 --dport 2 -t 60 --orig-zone 3",
    ]

    @Test func `decoder and library agree on every entry of a dump`() throws {
        let messages = try namespace().dumpMessages()
        var seen: Set<UInt8> = []
        var (translated, zones, states) = (0, Set<UInt16>(), Set<UInt8>())

        #expect(messages.count >= 19)
        for message in messages {
            let decoded = DecodedEntry(message)
            #expect(decoded.result == 1)
            let text = try #require(libraryText(message))
            expectAgreement(of: decoded, with: LibraryEntry(text))
            seen.insert(decoded.entry.protocol)
            if decoded.isTranslated { translated += 1 }
            zones.insert(decoded.entry.zone)
            states.insert(decoded.entry.tcp_state)
        }
        #expect(seen.isSuperset(of: [1, 6, 17, 47, 58, 253]))
        #expect(translated == 3)
        #expect(zones == [0, 3, 7, 9])
        #expect(states.isSuperset(of: [2, 3, 7, 255]))
    }

    private func expectAgreement(of decoded: DecodedEntry, with library: LibraryEntry) {
        let comment = Comment(rawValue: library.text)
        let entry = decoded.entry
        let family = Family.allCases.first { $0.number == entry.family }
        func values(_ key: String) -> [Substring] {
            library.words.filter { $0.hasPrefix(key + "=") }.map { $0.dropFirst(key.count + 1) }
        }
        func ports(_ key: String) -> [UInt16] {
            values(key).compactMap { $0.hasPrefix("0x") ? UInt16($0.dropFirst(2), radix: 16) : UInt16($0) }
        }
        #expect(library.protocol == entry.protocol, comment)
        #expect(values("src").map { family?.parse($0) } == [decoded.original?.source, decoded.reply?.source], comment)
        #expect(
            values("dst").map { family?.parse($0) } == [decoded.original?.destination, decoded.reply?.destination],
            comment)
        for (source, destination) in [("sport", "dport"), ("srckey", "dstkey")] where !ports(source).isEmpty {
            #expect(ports(source) == [entry.original.source_port, entry.reply.source_port], comment)
            #expect(ports(destination) == [entry.original.destination_port, entry.reply.destination_port], comment)
        }
        if !values("type").isEmpty {
            let kinds = zip(ports("type"), ports("code")).map { $0 << 8 | $1 }
            #expect(kinds == [entry.original.destination_port, entry.reply.destination_port], comment)
            #expect(
                values("id").dropLast().map { UInt16($0) } == [entry.original.source_port, entry.reply.source_port])
        }
        #expect(library.words[3] == "\(entry.timeout)", comment)
        #expect((library.number("zone") ?? library.number("zone-orig") ?? 0) == entry.zone, comment)
        #expect(library.number("mark") ?? 0 == entry.mark, comment)
        #expect(library.last["id"].flatMap { UInt32($0) } == entry.id, comment)
        #expect(library.words.contains("[UNREPLIED]") == (entry.status & IPS_SEEN_REPLY.rawValue == 0), comment)
        #expect(library.words.contains("[ASSURED]") == (entry.status & IPS_ASSURED.rawValue != 0), comment)
        #expect(library.tcpState == entry.tcp_state, comment)
    }
}
