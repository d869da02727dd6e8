// SPDX-License-Identifier: GPL-3.0-or-later

/// What entries can be grouped by.
public enum TopField: String, CaseIterable, Codable, Sendable {
    /// Who opened the connection: the original direction's source address, cut to a prefix.
    case source
    /// Whom it was opened to, before any translation, cut to a prefix.
    case destination
    /// The original direction's destination port with its protocol; type and code for ICMP.
    case port
    /// TCP's state; for other protocols UNREPLIED, SEEN_REPLY or ASSURED; OFFLOAD or HW_OFFLOAD for any that is.
    case state
    /// The IP protocol.
    case `protocol`
    /// The conntrack zone of the original direction.
    case zone
    /// The conntrack mark.
    case mark
    /// Whether a full table spares the entry when it evicts for new ones (IPS_ASSURED).
    case assured
    /// What is translated: none, source, destination, both (IPS_SRC_NAT, IPS_DST_NAT).
    case nat
    /// The address that the source is translated to, cut to a prefix.
    case natSource = "nat-source"
    /// The address that the destination is translated to, cut to a prefix.
    case natDestination = "nat-destination"
}

/// By what entries are grouped: the combination of some fields, addresses cut to a prefix.
public struct TopGrouping: Equatable, Sendable {
    /// The fields in the order in which they are shown.
    public let fields: [TopField]
    /// How many leading bits of an IPv4 address count.
    public let prefix4: Int
    /// How many leading bits of an IPv6 address count.
    public let prefix6: Int

    /// Grouping by the combination of `fields`; none of them puts all entries into one group.
    /// `prefix4` is from 0 to 32, `prefix6` from 0 to 128.
    public init(_ fields: [TopField], prefix4: Int = 32, prefix6: Int = 128) {
        self.fields = fields
        self.prefix4 = prefix4
        self.prefix6 = prefix6
    }

    /// How many leading bits of an address count.
    package func prefix(_ family: AddressFamily) -> Int { family == .ipv6 ? prefix6 : prefix4 }
}
