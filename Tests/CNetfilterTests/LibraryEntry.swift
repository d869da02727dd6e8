// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import Glibc
internal import TestKit

/// What libnetfilter_conntrack says of an entry, read from its text:
/// `    [NEW] tcp      6 120 SYN_SENT src=... dst=... sport=1 dport=2 [UNREPLIED] src=... dport=1 zone=7 id=9`.
struct LibraryEntry {
    let text: String
    let words: [Substring]
    /// The first value of each key: the original direction's.
    var first: [Substring: Substring] = [:]
    /// The last value: of "id" the entry's, where ICMP has one of its own.
    var last: [Substring: Substring] = [:]

    init(_ text: String) {
        self.text = text
        words = text.split(whereSeparator: \.isWhitespace)
        for word in words {
            let parts = word.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            if first[parts[0]] == nil { first[parts[0]] = parts[1] }
            last[parts[0]] = parts[1]
        }
    }

    var kind: cnf_kind? {
        switch words.first {
        case "[NEW]": CNF_NEW
        case "[UPDATE]": CNF_UPDATE
        case "[DESTROY]": CNF_DESTROY
        default: nil
        }
    }

    /// The number after the protocol's name.
    var `protocol`: UInt8? {
        words.count > 2 ? UInt8(words[2]) : nil
    }

    private var isICMP: Bool { [IPPROTO_ICMP, IPPROTO_ICMPV6].contains(Int(self.protocol ?? 0)) }

    var sourcePort: UInt16? {
        isICMP ? number("id") : number("sport") ?? number("srckey") ?? 0
    }

    var destinationPort: UInt16? {
        guard isICMP else { return number("dport") ?? number("dstkey") ?? 0 }
        guard let type: UInt16 = number("type"), let code: UInt16 = number("code") else { return nil }
        return type << 8 | code
    }

    /// enum tcp_conntrack by the library's names; CNF_NO_TCP_STATE when there is none.
    var tcpState: UInt8 {
        let names = [
            "NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",
            "SYN_SENT2",
        ]
        guard Int(self.protocol ?? 0) == IPPROTO_TCP else { return UInt8(CNF_NO_TCP_STATE) }
        return names.firstIndex { words.contains(Substring($0)) }.map { UInt8($0) } ?? UInt8(CNF_NO_TCP_STATE)
    }

    /// The first value of a key, decimal or 0x.
    func number<T: FixedWidthInteger>(_ key: Substring) -> T? {
        guard let value = first[key] else { return nil }
        return value.hasPrefix("0x") ? T(value.dropFirst(2), radix: 16) : T(value)
    }
}

extension Family {
    /// An address's bytes.
    func parse(_ text: Substring) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: addressSize)
        return inet_pton(Int32(number), String(text), &bytes) == 1 ? bytes : nil
    }
}
