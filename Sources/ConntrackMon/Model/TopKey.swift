// SPDX-License-Identifier: GPL-3.0-or-later

internal import CRecord
internal import Glibc

/// What the entries of one group have in common, of a fixed size. What is not grouped by is 0.
struct TopKey: Equatable {
    var source = AddressBits()
    var destination = AddressBits()
    var natSource = AddressBits()
    var natDestination = AddressBits()
    var traits = Traits()

    /// Everything but addresses, as two numbers.
    struct Traits: Equatable {
        /// mark, port, zone: 32, 16, 16 bits.
        var numbers: UInt64 = 0
        /// protocol, state, family, flags as below, family of natSource, of natDestination: 8 bits each.
        var kinds: UInt64 = 0

        static let assured: UInt64 = 1 << 24
        static let sourceNAT: UInt64 = 1 << 25
        static let destinationNAT: UInt64 = 1 << 26
        /// There is a natSource, a natDestination.
        static let hasNATSource: UInt64 = 1 << 27
        static let hasNATDestination: UInt64 = 1 << 28

        func union(_ other: Self) -> Self {
            Traits(numbers: numbers | other.numbers, kinds: kinds | other.kinds)
        }

        /// The bits that `field` needs. The same address is another one in another family, the same port in another
        /// protocol.
        static func mask(of field: TopField) -> Self {
            let family: UInt64 = 0xff << 16
            return switch field {
            case .source, .destination: Traits(kinds: family)
            case .natSource: Traits(kinds: 0xff << 32 | hasNATSource)
            case .natDestination: Traits(kinds: 0xff << 40 | hasNATDestination)
            case .port: Traits(numbers: 0xffff << 16, kinds: 0xff)
            case .state: Traits(kinds: 0xff << 8)
            case .protocol: Traits(kinds: 0xff)
            case .zone: Traits(numbers: 0xffff)
            case .mark: Traits(numbers: 0xffff_ffff << 32)
            case .assured: Traits(kinds: assured)
            case .nat: Traits(kinds: sourceNAT | destinationNAT)
            }
        }
    }

    var mark: UInt32 { UInt32(traits.numbers >> 32) }
    var port: UInt16 { UInt16(truncatingIfNeeded: traits.numbers >> 16) }
    var zone: UInt16 { UInt16(truncatingIfNeeded: traits.numbers) }
    var `protocol`: UInt8 { UInt8(truncatingIfNeeded: traits.kinds) }
    var state: TopState { TopState(rawValue: UInt8(truncatingIfNeeded: traits.kinds >> 8)) }
    /// Of the three families, some are not grouped by or do not apply; the others are the same.
    var isIPv6: Bool {
        (traits.kinds >> 16 | traits.kinds >> 32 | traits.kinds >> 40) & 0xff == UInt64(AF_INET6)
    }

    func has(_ flag: UInt64) -> Bool { traits.kinds & flag != 0 }

    /// How many numbers a key is made of.
    static let size = 10

    /// An order that is the same in each run, for groups of one size: by address, then by the rest.
    static func precedes(_ left: Self, _ right: Self) -> Bool {
        let (one, other) = (left.words, right.words)
        for index in one.indices where one[index] != other[index] { return one[index] < other[index] }
        return false
    }

    /// The key as numbers.
    var words: [10 of UInt64] {
        @inline(__always)
        get {
            [
                source.high, source.low, destination.high, destination.low, natSource.high, natSource.low,
                natDestination.high, natDestination.low, traits.numbers, traits.kinds,
            ]
        }
    }

    init() {}

    /// A key from its numbers.
    init(words: [10 of UInt64]) {
        source = AddressBits(high: words[0], low: words[1])
        destination = AddressBits(high: words[2], low: words[3])
        natSource = AddressBits(high: words[4], low: words[5])
        natDestination = AddressBits(high: words[6], low: words[7])
        traits = Traits(numbers: words[8], kinds: words[9])
    }
}

/// A state's number: TCP's as the kernel has them, then those of entries that have none.
struct TopState: Equatable {
    let rawValue: UInt8

    static let unreplied = TopState(rawValue: 0x80)
    static let seenReply = TopState(rawValue: 0x81)
    static let assured = TopState(rawValue: 0x82)
    static let offload = TopState(rawValue: 0x83)
    static let hardwareOffload = TopState(rawValue: 0x84)

    init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    // An offloaded entry carries no state of its own: the kernel does not follow it.
    @inline(__always)
    init(status: UInt32, tcpState: UInt8) {
        if status & (Status.offload | Status.hardwareOffload) != 0 {
            self = status & Status.hardwareOffload != 0 ? .hardwareOffload : .offload
        } else if tcpState != UInt8(CNF_NO_TCP_STATE) {
            self = TopState(rawValue: tcpState)
        } else {
            self = status & Status.assured != 0 ? .assured : status & Status.seenReply != 0 ? .seenReply : .unreplied
        }
    }

    /// enum tcp_conntrack as /proc/net/nf_conntrack and conntrack(8) word it.
    private static let tcpNames = [
        "NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",
        "SYN_SENT2",
    ]

    /// What it is called; its number when this program does not know it.
    var name: String {
        switch self {
        case .unreplied: "UNREPLIED"
        case .seenReply: "SEEN_REPLY"
        case .assured: "ASSURED"
        case .offload: "OFFLOAD"
        case .hardwareOffload: "HW_OFFLOAD"
        default: Int(rawValue) < TopState.tcpNames.count ? TopState.tcpNames[Int(rawValue)] : "\(rawValue)"
        }
    }
}

/// Bits of an entry's status (enum ip_conntrack_status).
enum Status {
    static let seenReply: UInt32 = 1 << 1
    static let assured: UInt32 = 1 << 2
    static let sourceNAT: UInt32 = 1 << 4
    static let destinationNAT: UInt32 = 1 << 5
    static let offload: UInt32 = 1 << 14  // kernel 4.16
    static let hardwareOffload: UInt32 = 1 << 15  // kernel 5.6
}

extension TopGrouping {
    /// Which of a key's numbers can be other than 0.
    var wordsInUse: [Int] {
        var all = TopKey()
        all.source = masks4.source | masks6.source
        all.destination = masks4.destination | masks6.destination
        all.natSource = masks4.natSource | masks6.natSource
        all.natDestination = masks4.natDestination | masks6.natDestination
        all.traits = traits
        let words = all.words
        return words.indices.filter { words[$0] != 0 }
    }

    /// The group that `entry` belongs to. No branch depends on what is grouped by: masks do that.
    @inline(__always)
    func key(of entry: borrowing cnf_entry) -> TopKey {
        let masks = entry.family == UInt8(AF_INET6) ? masks6 : masks4
        let status = entry.status
        var key = TopKey()
        key.source = AddressBits(entry.original.source) & masks.source
        key.destination = AddressBits(entry.original.destination) & masks.destination

        let number = UInt64(entry.mark) << 32 | UInt64(entry.original.destination_port) << 16 | UInt64(entry.zone)
        let state = TopState(status: status, tcpState: entry.tcp_state)
        var kinds = UInt64(entry.protocol) | UInt64(state.rawValue) << 8 | UInt64(entry.family) << 16
        if status & Status.assured != 0 { kinds |= TopKey.Traits.assured }
        // The reply comes from where the destination really is, and goes to what the source became.
        if status & Status.sourceNAT != 0 {
            kinds |= TopKey.Traits.sourceNAT | TopKey.Traits.hasNATSource | UInt64(entry.family) << 32
            key.natSource = AddressBits(entry.reply.destination) & masks.natSource
        }
        if status & Status.destinationNAT != 0 {
            kinds |= TopKey.Traits.destinationNAT | TopKey.Traits.hasNATDestination | UInt64(entry.family) << 40
            key.natDestination = AddressBits(entry.reply.source) & masks.natDestination
        }
        key.traits = TopKey.Traits(numbers: number & traits.numbers, kinds: kinds & traits.kinds)
        return key
    }
}

extension AddressBits {
    /// An address as records carry it: network byte order, IPv4 in the first four bytes.
    @inline(__always)
    init(
        _ bytes: (
            UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8,
            UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8
        )
    ) {
        (high, low) = withUnsafeBytes(of: bytes) { raw in
            (
                UInt64(bigEndian: raw.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }
}
