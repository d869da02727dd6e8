// SPDX-License-Identifier: GPL-3.0-or-later

/// An address as event records and netlink attributes hold it: network byte order, IPv4 in the first four bytes.
public typealias AddressBytes = (
    UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8
)

/// The 16 bytes of an address as two words, as they lie in memory: network byte order, IPv4 in the first four bytes and
/// the rest zero. What counts records by address compares, masks and hashes these; all of it is inlined there.
@frozen public struct AddressWords: Hashable, Sendable {
    /// The first eight bytes.
    public var high: UInt64
    /// The last eight bytes.
    public var low: UInt64

    /// From words as they lie in memory.
    @inlinable
    public init(high: UInt64 = 0, low: UInt64 = 0) {
        self.high = high
        self.low = low
    }

    /// From bytes.
    @inlinable
    public init(_ bytes: AddressBytes) {
        // Loaded as words: byte by byte it is sixteen loads.
        (high, low) = unsafeBitCast(bytes, to: (UInt64, UInt64).self)
    }

    /// The first `prefix` bits set, 0 to 128.
    @inlinable
    public static func mask(prefix: Int) -> AddressWords {
        // A shift by 64 or more gives 0.
        AddressWords(
            high: (UInt64.max << (64 - min(prefix, 64))).bigEndian,
            low: (UInt64.max << (128 - max(prefix, 64))).bigEndian)
    }

    /// Whether both have the same bytes.
    @inlinable
    public static func == (left: Self, right: Self) -> Bool {
        left.high == right.high && left.low == right.low
    }

    /// The bits that both have.
    @inlinable
    public static func & (left: Self, right: Self) -> Self {
        AddressWords(high: left.high & right.high, low: left.low & right.low)
    }

    /// The bits that one of them has.
    @inlinable
    public static func | (left: Self, right: Self) -> Self {
        AddressWords(high: left.high | right.high, low: left.low | right.low)
    }
}
