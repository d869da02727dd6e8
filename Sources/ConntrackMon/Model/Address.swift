// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc

/// The families of addresses that the kernel tracks, by their numbers (AF_INET, AF_INET6).
public enum AddressFamily: UInt8, Hashable, Sendable {
    /// AF_INET.
    case ipv4 = 2
    /// AF_INET6.
    case ipv6 = 10

    /// A family as records carry it: the decoder lets only these two through.
    @inlinable
    public init(record number: UInt8) {
        self = number == AddressFamily.ipv6.rawValue ? .ipv6 : .ipv4
    }

    /// How long an address is, in bits.
    package var bits: Int { self == .ipv6 ? 128 : 32 }
}

/// An IPv4 or IPv6 address.
public struct Address: Hashable, Sendable {
    /// Which of the two it is.
    public var family: AddressFamily
    /// Its bytes.
    public var words: AddressWords

    /// An address from its bytes.
    public init(_ family: AddressFamily, _ words: AddressWords) {
        self.family = family
        self.words = words
    }

    /// An address as inet_pton(3) reads it: "192.0.2.1", "2001:db8::1"; nil for anything else, an IPv6 zone index included.
    public init?(_ text: String) {
        let family = text.utf8.contains(UInt8(ascii: ":")) ? AddressFamily.ipv6 : .ipv4
        // C would read no further than a NUL.
        guard !text.utf8.contains(0) else { return nil }
        var words = (UInt64(0), UInt64(0))
        guard inet_pton(Int32(family.rawValue), text, &words) == 1 else { return nil }
        self.init(family, AddressWords(high: words.0, low: words.1))
    }

    /// As conntrack(8) prints it, since it asks the same inet_ntop(3): IPv4 with dots, IPv6 as RFC 5952 has it.
    public var text: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
            var bytes = (words.high, words.low)
            let written = inet_ntop(Int32(family.rawValue), &bytes, text.baseAddress, socklen_t(text.count))
            // It fails for other families and for too little room only.
            return written.map { String(cString: $0) } ?? "?"
        }
    }

    /// With a port: "192.0.2.1:53", "[2001:db8::1]:53".
    public func text(port: UInt16) -> String {
        family == .ipv6 ? "[\(text)]:\(port)" : "\(text):\(port)"
    }
}

/// The addresses that have their first bits in common; one address alone where all bits count.
public struct AddressPrefix: Hashable, Sendable {
    /// The first address: all bits behind the prefix are 0.
    public let address: Address
    /// How many leading bits count.
    public let length: Int

    /// The prefix that `address` lies in; nil for `length` = the address alone. A length out of range is the nearest one.
    public init(_ address: Address, length: Int? = nil) {
        let bits = address.family.bits
        self.length = max(0, min(length ?? bits, bits))
        self.address = Address(address.family, address.words & AddressWords.mask(prefix: self.length))
    }

    /// "192.0.2.0/24", "2001:db8::/32", or an address alone; bits behind the prefix may be set. nil for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = Address(String(first)) else { return nil }
        guard parts.count > 1 else {
            self.init(address)
            return
        }
        guard let length = Int(parts[1]), parts[1].utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
            length <= address.family.bits
        else { return nil }
        self.init(address, length: length)
    }

    /// Whether `other` lies in it.
    public func contains(_ other: Address) -> Bool {
        other.family == address.family && other.words & AddressWords.mask(prefix: length) == address.words
    }

    /// "192.0.2.0/24"; an address alone without its length.
    public var text: String {
        length == address.family.bits ? address.text : "\(address.text)/\(length)"
    }
}
