// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import Glibc
internal import TestKit

/// What identifies an event: its kind, the original direction's tuple, the entry's id. Made from a decoded record or from
/// a line of `conntrack -E -o id`, such as
/// `    [NEW] udp      17 30 src=127.0.0.1 dst=127.0.0.1 sport=1 dport=2 [UNREPLIED] src=... dport=1 id=9`.
struct EventLine: Hashable {
    var kind: String
    var tuple: FlowTuple
    var id: UInt32

    init(_ event: cnf_event) {
        let kinds = [CNF_NEW.rawValue: "[NEW]", CNF_UPDATE.rawValue: "[UPDATE]", CNF_DESTROY.rawValue: "[DESTROY]"]
        kind = kinds[UInt32(event.kind)] ?? "kind \(event.kind)"
        let family = Family.allCases.first { $0.number == event.family } ?? .ipv4
        func bytes(_ address: some Any) -> [UInt8] {
            withUnsafeBytes(of: address) { Array($0.prefix(family.addressSize)) }
        }
        tuple = FlowTuple(
            family: family, protocol: event.protocol, source: bytes(event.source),
            destination: bytes(event.destination), sourcePort: event.source_port,
            destinationPort: event.destination_port)
        id = event.id
    }

    init(_ text: String) throws {
        var first: [Substring: Substring] = [:]
        var last: [Substring: Substring] = [:]
        let words = text.split(whereSeparator: \.isWhitespace)
        for word in words {
            let parts = word.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            if first[parts[0]] == nil { first[parts[0]] = parts[1] }
            last[parts[0]] = parts[1]
        }
        let family: Family = first["src"]?.contains(":") == true ? .ipv6 : .ipv4
        guard words.count > 2, let number = UInt8(words[2]), let id = last["id"].flatMap({ UInt32($0) }),
            let source = EventLine.address(first["src"], family),
            let destination = EventLine.address(first["dst"], family)
        else { throw TestKitError("no event: \(text)") }
        func port(_ keys: Substring...) -> UInt16 {
            keys.lazy.compactMap { first[$0] }.first.flatMap(EventLine.number) ?? 0
        }
        kind = String(words[0])
        tuple = FlowTuple(family: family, protocol: number, source: source, destination: destination)
        // ICMP's own id comes before the entry's; where it has none the key would be the entry's.
        if first["type"] != nil {
            tuple.sourcePort = port("id")
            tuple.destinationPort = port("type") << 8 | port("code")
        } else {
            tuple.sourcePort = port("sport", "srckey")
            tuple.destinationPort = port("dport", "dstkey")
        }
        self.id = id
    }

    private static func address(_ text: Substring?, _ family: Family) -> [UInt8]? {
        guard let text else { return nil }
        var bytes = [UInt8](repeating: 0, count: family.addressSize)
        return inet_pton(Int32(family.number), String(text), &bytes) == 1 ? bytes : nil
    }

    private static func number(_ text: Substring) -> UInt16? {
        text.hasPrefix("0x") ? UInt16(text.dropFirst(2), radix: 16) : UInt16(text)
    }
}
