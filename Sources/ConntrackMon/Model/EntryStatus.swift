// SPDX-License-Identifier: GPL-3.0-or-later

/// A TCP connection's state as conntrack keeps it (enum tcp_conntrack).
@frozen public struct TCPState: RawRepresentable, Hashable, Sendable {
    /// The kernel's number.
    public var rawValue: UInt8

    /// A state by the kernel's number.
    @inlinable
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Asked, and not answered yet.
    @inlinable public static var synSent: Self { Self(rawValue: 1) }
    /// The handshake half done.
    @inlinable public static var synReceived: Self { Self(rawValue: 2) }
    /// Open.
    @inlinable public static var established: Self { Self(rawValue: 3) }
    /// Closed, waiting for late packets.
    @inlinable public static var timeWait: Self { Self(rawValue: 7) }

    /// By number, as /proc/net/nf_conntrack and conntrack(8) word them.
    package static let names = [
        "NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",
        "SYN_SENT2",
    ]

    /// "SYN_RECV"; the number of one that has no name here.
    public var name: String {
        Int(rawValue) < TCPState.names.count ? TCPState.names[Int(rawValue)] : "\(rawValue)"
    }
}

/// What the kernel says of an entry: bits of enum ip_conntrack_status (IPS_*).
@frozen public struct EntryStatus: OptionSet, Hashable, Sendable {
    /// The bits.
    public var rawValue: UInt32

    /// From bits as messages carry them.
    @inlinable
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// A helper foretold it.
    @inlinable public static var expected: Self { Self(rawValue: 1 << 0) }
    /// Packets went both ways.
    @inlinable public static var seenReply: Self { Self(rawValue: 1 << 1) }
    /// A full table spares it when it evicts for new ones.
    @inlinable public static var assured: Self { Self(rawValue: 1 << 2) }
    /// It is in the table.
    @inlinable public static var confirmed: Self { Self(rawValue: 1 << 3) }
    /// Its source is translated.
    @inlinable public static var sourceNAT: Self { Self(rawValue: 1 << 4) }
    /// Its destination is translated.
    @inlinable public static var destinationNAT: Self { Self(rawValue: 1 << 5) }
    /// Packets do not make it live longer.
    @inlinable public static var fixedTimeout: Self { Self(rawValue: 1 << 10) }
    /// A flow table forwards its packets; kernel 4.16.
    @inlinable public static var offload: Self { Self(rawValue: 1 << 14) }
    /// A network card forwards its packets; kernel 5.6.
    @inlinable public static var hardwareOffload: Self { Self(rawValue: 1 << 15) }

    /// IPS_* without the prefix, by bit; conntrack(8)'s --status knows some of them.
    private static let bitNames = [
        "EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED", "SRC_NAT", "DST_NAT", "SEQ_ADJUST", "SRC_NAT_DONE",
        "DST_NAT_DONE", "DYING", "FIXED_TIMEOUT", "TEMPLATE", "NAT_CLASH", "HELPER", "OFFLOAD", "HW_OFFLOAD",
    ]

    /// The names of all bits that are set, lowest first: "SEEN_REPLY", "ASSURED". Bits without a name here are left out.
    public var names: [String] {
        EntryStatus.bitNames.enumerated().filter { rawValue >> UInt32($0.offset) & 1 != 0 }.map(\.element)
    }

    /// The bit that has this name, in capitals or not; nil when there is none.
    public init?(name: String) {
        guard let bit = EntryStatus.bitNames.firstIndex(of: name.uppercased()) else { return nil }
        self.init(rawValue: 1 << UInt32(bit))
    }
}
