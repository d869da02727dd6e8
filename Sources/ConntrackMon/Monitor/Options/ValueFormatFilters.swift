// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

// How filters are written: as conntrack(8) takes them.

/// One of `words`, in capitals or not; `what`: as in "is no status".
private func worded<Value>(
    _ text: some StringProtocol, in words: [(word: String, value: Value)], _ what: String
) throws(OptionError) -> Value {
    let upper = text.uppercased()
    guard let found = words.first(where: { $0.word.uppercased() == upper }) else {
        throw OptionError("'\(text)' is no \(what); write \(words.map(\.word).joined(separator: ", "))")
    }
    return found.value
}

/// As strtoul(3) reads it with base 0, without signs and blanks: 80, 0x50, 0120.
private func numberOf<Number: FixedWidthInteger>(_ text: some StringProtocol) -> Number? {
    let lower = text.lowercased()
    let (digits, radix): (Substring, Int) =
        if lower.hasPrefix("0x") { (lower.dropFirst(2), 16) } else if lower.hasPrefix("0"), lower.count > 1 {
            (lower.dropFirst(), 8)
        } else { (lower[...], 10) }
    guard digits.first?.isHexDigit == true else { return nil }
    return Number(digits, radix: radix)
}

extension ValueFormat where Value == AddressFamily {
    /// `ipv4` or `ipv6`.
    static let addressFamily = Self(
        placeholder: "family", completion: .words(["ipv4", "ipv6"]),
        parse: { text throws(OptionError) in
            try worded(text, in: [("ipv4", AddressFamily.ipv4), ("ipv6", .ipv6)], "family")
        }, text: { $0 == .ipv6 ? "ipv6" : "ipv4" })
}

extension ValueFormat where Value == [IPProtocol] {
    private static let named: [IPProtocol] = [.tcp, .udp, .icmp, .icmpv6, .sctp, .dccp, .gre, .udplite]

    /// `tcp`, `tcp,udp`, `253`.
    static let protocols = Self(
        placeholder: "protocol", completion: .words(named.map(\.name)),
        parse: { text throws(OptionError) in
            var protocols: [IPProtocol] = []
            for word in text.split(separator: ",", omittingEmptySubsequences: false) {
                if let known = named.first(where: { $0.name == word.lowercased() }) {
                    protocols.append(known)
                } else if let number = UInt8(word), word.first?.isNumber == true {
                    protocols.append(IPProtocol(rawValue: number))
                } else {
                    let names = named.map(\.name).joined(separator: ", ")
                    throw OptionError("'\(word)' is no protocol; write \(names), or a number up to 255")
                }
            }
            return protocols
        }, text: { $0.map(\.name).joined(separator: ",") })
}

extension ValueFormat where Value == AddressPrefix {
    /// `192.0.2.0/24`, `2001:db8::1`.
    static let addressPrefix = Self(
        placeholder: "address",
        parse: { text throws(OptionError) in
            guard let prefix = AddressPrefix(text) else {
                throw OptionError("'\(text)' is no address; write 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32")
            }
            return prefix
        }, text: \.text)
}

extension ValueFormat where Value == UInt16 {
    /// A port's number.
    static let port = whole("port", "port")
    /// A zone's.
    static let zone = whole("zone", "zone")

    private static func whole(_ placeholder: String, _ what: String) -> Self {
        Self(
            placeholder: placeholder, isNumber: true,
            parse: { text throws(OptionError) in
                guard let value: UInt16 = numberOf(text) else {
                    throw OptionError("'\(text)' is no \(what); write a number from 0 to 65535")
                }
                return value
            }, text: { "\($0)" })
    }
}

extension ValueFormat where Value == TCPState {
    /// `ESTABLISHED`.
    static let tcpState = Self(
        placeholder: "state", completion: .words(TCPState.names),
        parse: { text throws(OptionError) in
            let words = TCPState.names.enumerated().map {
                (word: $0.element, value: TCPState(rawValue: UInt8($0.offset)))
            }
            return try worded(text, in: words, "state of TCP")
        }, text: \.name)
}

extension ValueFormat where Value == StatusMask {
    /// `ASSURED,!OFFLOAD`; UNREPLIED is !SEEN_REPLY.
    static let statusMask = Self(
        placeholder: "list",
        parse: { text throws(OptionError) in
            var mask = StatusMask()
            for word in text.split(separator: ",", omittingEmptySubsequences: false) {
                let isClear = word.hasPrefix("!")
                let name = String(isClear ? word.dropFirst() : word)
                if name.uppercased() == "UNREPLIED" {
                    if isClear { mask.set.insert(.seenReply) } else { mask.clear.insert(.seenReply) }
                } else if let bit = EntryStatus(name: name) {
                    if isClear { mask.clear.insert(bit) } else { mask.set.insert(bit) }
                } else {
                    let names = EntryStatus(rawValue: .max).names.joined(separator: ", ")
                    throw OptionError("'\(name)' is no status; write UNREPLIED, \(names), or one with ! before it")
                }
            }
            return mask
        }, text: { ($0.set.names + $0.clear.names.map { "!" + $0 }).joined(separator: ",") })
}

extension ValueFormat where Value == MaskedMark {
    /// `7`, `0x7/0xff`.
    static let mark = Self(
        placeholder: "mark", isNumber: true,
        parse: { text throws(OptionError) in
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            let masks = parts.dropFirst().map { numberOf($0) as UInt32? }
            guard let first = parts.first, let value: UInt32 = numberOf(first), !masks.contains(nil) else {
                throw OptionError("'\(text)' is no mark; write 7, 0x7 or 0x7/0xff")
            }
            return MaskedMark(value: value, mask: masks.first.flatMap { $0 } ?? .max)
        },
        text: { mark in
            mark.mask == .max
                ? "\(mark.value)"
                : "0x\(String(mark.value, radix: 16))/0x\(String(mark.mask, radix: 16))"
        })
}

// MARK: events

extension ValueFormat where Value == EventGroups {
    /// `NEW,UPDATES,DESTROY`, as conntrack spells them, or `ALL`.
    static let eventMask = {
        let words: [(word: String, value: EventGroups)] = [
            ("NEW", .new), ("UPDATES", .update), ("DESTROY", .destroy), ("ALL", [.new, .update, .destroy]),
        ]
        return Self(
            placeholder: "list",
            parse: { text throws(OptionError) in
                var groups: EventGroups = []
                for word in text.split(separator: ",", omittingEmptySubsequences: false) {
                    // `watch` spells it so.
                    let word = word.uppercased() == "UPDATE" ? "UPDATES" : word
                    groups.formUnion(try worded(word, in: words, "event"))
                }
                return groups
            },
            text: { groups in
                groups == words[3].value
                    ? "ALL" : words[..<3].filter { groups.contains($0.value) }.map(\.word).joined(separator: ",")
            })
    }()
}

extension ValueFormat where Value == LineOptions {
    /// `id,timestamp`; conntrack takes `userspace` and does nothing about it.
    static let lineOptions = {
        let words: [(word: String, value: LineOptions)] = [
            ("id", .id), ("extended", .extended), ("timestamp", .timestamp), ("ktimestamp", .ktimestamp),
            ("labels", .labels), ("userspace", []),
        ]
        return Self(
            placeholder: "list",
            parse: { text throws(OptionError) in
                var options: LineOptions = []
                for word in text.split(separator: ",", omittingEmptySubsequences: false) {
                    options.formUnion(try worded(word, in: words, "part of a line"))
                }
                return options
            },
            text: { options in
                words[..<5].filter { options.contains($0.value) }.map(\.word).joined(separator: ",")
            })
    }()
}
